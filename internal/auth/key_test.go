package auth_test

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"authd/internal/auth"
)

// identity is all that is told of a key.
type identity [auth.IdentityFields]string

func told(k *auth.Key) (id identity) {
	for i := range id {
		id[i] = k.Told(i)[0]
	}
	return id
}

func TestIdentity(t *testing.T) {
	for name, c := range map[string]struct {
		record auth.Record
		want   identity
	}{
		"plain":   {goodRecord(), identity{"partner@example.com", "Partner%20sync", "01980000-0000-7000-8000-000000000001", "partner,sync", "shop:read"}},
		"nothing": {auth.Record{}, identity{}},
		"separators and the sign itself": {
			auth.Record{User: "a,b", Name: "100%", Groups: []string{"a b", "c,d"}, Scopes: []string{"x", "y"}},
			identity{auth.IdentityUser: "a%2Cb", auth.IdentityKey: "100%25", auth.IdentityGroups: "a%20b,c%2Cd", auth.IdentityScopes: "x y"},
		},
		"not ASCII": {
			auth.Record{User: "é@例", Name: "\r\nX-Evil: 1", ID: "\x00\x7f\xff", Groups: []string{"é"}},
			identity{auth.IdentityUser: "%C3%A9@%E4%BE%8B", auth.IdentityKey: "%0D%0AX-Evil:%201", auth.IdentityKeyID: "%00%7F%FF", auth.IdentityGroups: "%C3%A9"},
		},
		"at the ends": {auth.Record{User: " a ", Name: "~!"}, identity{auth.IdentityUser: "%20a%20", auth.IdentityKey: "~!"}},
	} {
		if got := told(auth.NewKey(&c.record, auth.SecretInfo{})); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Whatever a name holds, a header can carry it, and the upstream can read it back.
func TestIdentityCanBeReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := auth.Record{
			User: rapid.String().Draw(t, "user"), Name: string(rapid.SliceOf(rapid.Byte()).Draw(t, "name")),
			Groups: rapid.SliceOfN(rapid.StringN(1, 20, -1), 0, 5).Draw(t, "groups"),
			Scopes: rapid.SliceOfN(rapid.StringMatching(`[a-z:%]{1,8}`), 0, 5).Draw(t, "scopes"),
		}
		id := told(auth.NewKey(&r, auth.SecretInfo{}))
		for i, field := range id {
			if strings.Trim(field, visible()+", ") != "" || strings.TrimSpace(field) != field {
				t.Fatalf("field %d is %q", i, field)
			}
		}
		for i, want := range map[int][]string{auth.IdentityUser: {r.User}, auth.IdentityKey: {r.Name}, auth.IdentityGroups: r.Groups, auth.IdentityScopes: r.Scopes} {
			sep := map[int]string{auth.IdentityGroups: ",", auth.IdentityScopes: " "}[i]
			got := []string{id[i]}
			if sep != "" {
				got = strings.Split(id[i], sep)
			}
			if len(want) == 0 {
				want = []string{""}
			}
			for j := range got {
				raw, err := url.PathUnescape(got[j])
				if err != nil {
					t.Fatalf("field %d: %v", i, err)
				}
				got[j] = raw
			}
			if !slices.Equal(got, want) {
				t.Fatalf("field %d is %q, which reads %q, want %q", i, id[i], got, want)
			}
		}
	})
}

// Who appends to a value list must not write over the next field.
func TestToldCanNotBeGrown(t *testing.T) {
	r := goodRecord()
	k := auth.NewKey(&r, auth.SecretInfo{})
	before := told(k)
	for i := range before {
		v := k.Told(i)
		if len(v) != 1 || cap(v) != 1 || v[0] != before[i] {
			t.Errorf("field %d: %q, room for %d", i, v, cap(v))
		}
		_ = append(v, "more")
	}
	if after := told(k); after != before {
		t.Errorf("an append made it %q", after)
	}
	for i := range before {
		if n := testing.AllocsPerRun(100, func() { k.Told(i) }); n != 0 {
			t.Errorf("field %d: %v allocations", i, n)
		}
	}
}

// Nobody, and a key without grants, are told as empty fields.
func TestToldOfNothing(t *testing.T) {
	for _, k := range []*auth.Key{nil, {}} {
		if got := told(k); got != (identity{}) {
			t.Errorf("%v: %q", k, got)
		}
	}
}

func TestNewKey(t *testing.T) {
	r := goodRecord()
	r.NotBefore, r.ExpiresAt = noon, noon.Add(time.Hour)
	r.Limits.Rate = auth.Rate{Count: 1, Per: time.Second}
	s := auth.SecretInfo{Digest: auth.Digest{1}, ExpiresAt: noon.Add(time.Minute)}
	k := auth.NewKey(&r, s)
	if k.ID != r.ID || k.Name != r.Name || k.Slug != r.Slug || k.User != r.User || !k.Active || !k.UserActive || k.Revoked || k.Overridden || k.Digest != s.Digest {
		t.Errorf("the key is %+v", k)
	}
	if k.NotBefore != noon.UnixMilli() || k.ExpiresAt != r.ExpiresAt.UnixMilli() || k.SecretExpiresAt != s.ExpiresAt.UnixMilli() {
		t.Errorf("the times are %d, %d, %d", k.NotBefore, k.ExpiresAt, k.SecretExpiresAt)
	}
	if k.Restrictions != nil || k.Limits == nil || *k.Limits != r.Limits {
		t.Errorf("restrictions %v, limits %v", k.Restrictions, k.Limits)
	}
	if bare := (&auth.Record{}); auth.NewKey(bare, auth.SecretInfo{}).Limits != nil {
		t.Error("no limits became some")
	}
}

// A key is immutable: it shares nothing with the record that it was made of.
func TestNewKeyClones(t *testing.T) {
	r := goodRecord()
	r.Restrictions = auth.Restrictions{Hosts: []string{"a"}, Methods: []string{"GET"}, Paths: []string{"/a"}, CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	r.Limits.Rate = auth.Rate{Count: 1, Per: time.Second}
	k := auth.NewKey(&r, auth.SecretInfo{})
	for _, list := range [][]string{r.Groups, r.Scopes, r.Restrictions.Hosts, r.Restrictions.Methods, r.Restrictions.Paths} {
		list[0] = "X"
	}
	r.Restrictions.CIDRs[0], r.Limits.Rate.Count = netip.MustParsePrefix("::/0"), 9
	got := slices.Concat(k.Grants.Groups, k.Grants.Scopes, k.Restrictions.Hosts, k.Restrictions.Methods, k.Restrictions.Paths)
	if want := []string{"partner", "sync", "shop:read", "a", "GET", "/a"}; !slices.Equal(got, want) {
		t.Errorf("the key became %q, want %q", got, want)
	}
	if k.Restrictions.CIDRs[0].String() != "10.0.0.0/8" || k.Limits.Rate.Count != 1 {
		t.Errorf("the key became %v, %v", k.Restrictions.CIDRs, k.Limits)
	}
}

func TestMillis(t *testing.T) {
	for name, c := range map[string]struct {
		at   time.Time
		want int64
	}{
		"no time":                   {time.Time{}, 0},
		"a time":                    {noon, noon.UnixMilli()},
		"the first moment of 1970":  {time.UnixMilli(0), 1}, // 0 would be no bound
		"within that millisecond":   {time.Unix(0, 999_999), 1},
		"1969":                      {time.UnixMilli(-5), -5},
		"part of one is cut":        {noon.Add(999 * time.Microsecond), noon.UnixMilli()},
		"in a zone, the same":       {noon.In(time.FixedZone("", 7200)), noon.UnixMilli()},
		"the last that can be kept": {time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), 253402300799000},
	} {
		got := auth.Millis(c.at)
		if got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
		if back := auth.FromMillis(got); auth.Millis(back) != got || back.IsZero() != c.at.IsZero() || back.Location() != time.UTC {
			t.Errorf("%s: back comes %s", name, back)
		}
	}
}

// Keys that have something in common share it; lists that only look alike they do not.
func TestNoKeyGetsTheListsOfAnother(t *testing.T) {
	for _, groups := range [][]string{{"a\x00b"}, {"a", "b"}, {"a\x00", "b"}, {"a", "\x00b"}, {"a,b"}, {"1:a", "b"}, {""}, {"", ""}, {}} {
		k := auth.NewKey(&auth.Record{Groups: groups, Scopes: groups}, auth.SecretInfo{})
		if !slices.Equal(k.Grants.Groups, groups) || !slices.Equal(k.Grants.Scopes, groups) {
			t.Errorf("a key of the groups %q has %q, and the scopes %q", groups, k.Grants.Groups, k.Grants.Scopes)
		}
	}
}
