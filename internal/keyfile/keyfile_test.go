package keyfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"authd/internal/auth"
)

// lines reads a text, and writes each line as "number name fault".
func lines(t *testing.T, read func(string, func(*Line) error) error, text string) (out []string) {
	t.Helper()
	err := read(text, func(l *Line) error {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%d %s", l.Number, l.Key.Name)))
		if l.Fault != nil {
			out[len(out)-1] += ": " + l.Fault.Error()
		}
		return nil
	})
	if err != nil {
		out = append(out, "error: "+err.Error())
	}
	return out
}

func jsonl(text string, each func(*Line) error) error {
	return ReadJSONL(strings.NewReader(text), each)
}

func csvs(text string, each func(*Line) error) error { return ReadCSV(strings.NewReader(text), each) }

func TestLinesAreNumbered(t *testing.T) {
	long := strings.Repeat("x", MaxLine)
	for _, c := range []struct {
		read func(string, func(*Line) error) error
		text string
		want []string
	}{
		{jsonl, "", nil},
		{jsonl, "\n\n", nil},
		{jsonl, "\xef\xbb\xbf{\"name\":\"a\"}\r\n\n{\"name\":\"b\"}", []string{"1 a", "3 b"}},
		{jsonl, "{\"name\":\"" + long + "\"}\n{\"name\":\"b\"}\n", []string{"1: the line is longer than 64 KiB", "2 b"}},
		{jsonl, strings.Repeat(long, 5) + "\n{\"name\":\"b\"}\n", []string{"1: the line is longer than 64 KiB", "2 b"}},
		{jsonl, "\xff\n{\"name\":\"b\"}\n", []string{"1: the line is not UTF-8", "2 b"}},
		{jsonl, "{\"name\":\"a\"} {}\n[]\n{\n", []string{"1 a: something follows the object: one line is one key", "2: an object is wanted, and not a array", "3: not a whole object of JSON"}},
		{csvs, "", nil},
		{csvs, "name,user\na,u\n\n\"b, c\",u\n\"d\"\"e\",u\n", []string{"2 a", "4 b, c", `5 d"e`}},
		{csvs, " Name ,USER\na,u\n", []string{"2 a"}},
		{csvs, "name,user\n\"a\nb\",u\nc,u\n", []string{
			`2: not CSV: a quote is not closed, or stands within a cell (it is written "" there)`,
			`3: not CSV: a quote is not closed, or stands within a cell (it is written "" there)`, "4 c"}},
		{csvs, "name,user,active,burst\na,u,perhaps,many\n", []string{"2 a: active: true or false is wanted\nburst: a whole number is wanted"}},
		{csvs, "name,secret\n", []string{"error: line 1: column 2 of the first line is not known: known are name, user, key, digest, active, revoked, groups, scopes, not_before, expires_at, hosts, methods, paths, cidrs, rate, burst, quota, note"}},
		{csvs, "name,user,name\n", []string{"error: line 1: column name is there twice"}},
		{csvs, "name,key\n", []string{"error: line 1: the columns name and user are wanted"}},
	} {
		if d := cmp.Diff(c.want, lines(t, c.read, c.text)); d != "" {
			t.Errorf("%.60q, as it should be (-) and as it is (+):\n%s", c.text, d)
		}
	}
}

// TestEveryFieldIsCarried there and back, but for the values.
func TestEveryFieldIsCarried(t *testing.T) {
	r := auth.Record{
		ID: "id", Name: "All", Slug: "all", User: "u", Active: true, Groups: []string{"a", "é"}, Scopes: []string{"s:r"},
		NotBefore: time.UnixMilli(1_700_000_000_123).UTC(), ExpiresAt: time.UnixMilli(4_000_000_000_000).UTC(),
		Limits:   auth.Limits{Rate: auth.Rate{Count: 7, Per: time.Minute}, Burst: 3, Quota: auth.Quota{Count: 9, Per: "d"}},
		Metadata: map[string]string{"team": "sales"}, Note: "<a> & b",
		Secrets: []auth.SecretInfo{{Hint: "hint-of-it"}},
	}
	r.Restrictions.Hosts, r.Restrictions.Methods, r.Restrictions.Paths = []string{"a.example.com"}, []string{"GET"}, []string{"/a/"}
	p, err := auth.ParseCIDR("10.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	r.Restrictions.CIDRs = append(r.Restrictions.CIDRs, p)
	var b bytes.Buffer
	if err := Write(&b, []auth.Record{r}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "hint-of-it") || strings.Contains(b.String(), `"id"`) {
		t.Errorf("it holds what is of this environment alone: %s", &b)
	}
	err = ReadJSONL(&b, func(l *Line) error {
		apply, err := l.Key.Apply()
		if err != nil || l.Fault != nil {
			t.Fatalf("%v, %v", err, l.Fault)
		}
		got := auth.Record{ID: "id", Name: "All", Slug: "all", Secrets: r.Secrets}
		apply(&got)
		want, _ := json.Marshal(r)
		if have, _ := json.Marshal(got); !bytes.Equal(want, have) {
			t.Errorf("%s\nwant\n%s", have, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// FuzzRead: whatever a file holds, every line of it is told once, in order,
// and no fault of the reading repeats what stands there.
func FuzzRead(f *testing.F) {
	const secret = "Zq8vR2kLm5xW"
	for _, seed := range []string{
		`{"name":"a","user":"u","key":"` + secret + `"}` + "\n", "name,user,key\na,u," + secret + "\n\"a," + secret + "\n",
		`{"` + secret + `":1}`, `{"name":` + secret + `}`, `{"rate":"` + secret + `"}`, secret + "\n\n" + secret, "name,user,rate\na,u," + secret,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, read := range []func(string, func(*Line) error) error{jsonl, csvs} {
			last := 0
			err := read(text, func(l *Line) error {
				if l.Number <= last || l.Number > strings.Count(text, "\n")+1 {
					t.Errorf("line %d after line %d", l.Number, last)
				}
				last = l.Number
				if l.Fault != nil && strings.Contains(l.Fault.Error(), secret) {
					t.Errorf("%v repeats a value", l.Fault)
				}
				_, _ = l.Key.Apply()
				return nil
			})
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%v repeats a value", err)
			}
		}
	})
}
