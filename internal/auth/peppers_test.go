package auth_test

import (
	"context"
	"fmt"
	"testing"

	"authd/internal/auth"
)

// peppered knows keys by digest, and is away for some digests.
type peppered struct {
	mapFinder
	away  map[auth.Digest]bool
	asked []auth.Digest
}

func (p *peppered) ByDigest(ctx context.Context, d auth.Digest) (*auth.Key, error) {
	p.asked = append(p.asked, d)
	if p.away[d] {
		return nil, auth.ErrUnavailable
	}
	return p.mapFinder.ByDigest(ctx, d)
}

func TestPeppersAreTriedInOrder(t *testing.T) {
	now, before := mustPepper(t, "aaaaaaaaaaaaaaaa"), mustPepper(t, "bbbbbbbbbbbbbbbb")
	s := auth.NewSecret("ak")
	r := goodRecord()
	under := func(p auth.Pepper) auth.Digest { return p.Digest(s) }
	known := func(p auth.Pepper) mapFinder {
		return mapFinder{under(p): auth.NewKey(&r, auth.SecretInfo{Digest: under(p)})}
	}
	none := auth.Pepper{}
	for name, c := range map[string]struct {
		peppers []auth.Pepper
		known   mapFinder
		away    []auth.Pepper
		want    auth.Reason
		asked   []auth.Pepper
	}{
		"under the present one":          {[]auth.Pepper{now, before}, known(now), nil, auth.Allowed, []auth.Pepper{now}},
		"under the one before":           {[]auth.Pepper{now, before}, known(before), nil, auth.Allowed, []auth.Pepper{now, before}},
		"from before there was one":      {[]auth.Pepper{now}, known(none), nil, auth.Allowed, []auth.Pepper{now, none}},
		"under one of long ago":          {[]auth.Pepper{now, before}, known(none), nil, auth.UnknownKey, []auth.Pepper{now, before}},
		"under none":                     {[]auth.Pepper{now, before}, nil, nil, auth.UnknownKey, []auth.Pepper{now, before}},
		"no pepper":                      {nil, known(none), nil, auth.Allowed, []auth.Pepper{none}},
		"an outage under the first":      {[]auth.Pepper{now, before}, nil, []auth.Pepper{now}, auth.Unavailable, []auth.Pepper{now}},
		"an outage under the second":     {[]auth.Pepper{now, before}, nil, []auth.Pepper{before}, auth.Unavailable, []auth.Pepper{now, before}},
		"an outage, found under another": {[]auth.Pepper{now, before}, known(before), []auth.Pepper{now}, auth.Unavailable, []auth.Pepper{now}},
		"found before the outage":        {[]auth.Pepper{now, before}, known(now), []auth.Pepper{before}, auth.Allowed, []auth.Pepper{now}},
	} {
		f := &peppered{mapFinder: c.known, away: map[auth.Digest]bool{}}
		for _, p := range c.away {
			f.away[under(p)] = true
		}
		var asked []auth.Digest
		for _, p := range c.asked {
			asked = append(asked, under(p))
		}
		d := auth.NewChecker(auth.NewDigester("ak", c.peppers...), f, nil, auth.Options{}).
			Check(context.Background(), &auth.Request{Credential: auth.Credential{Secret: s}, At: noon})
		if d.Reason != c.want || fmt.Sprint(f.asked) != fmt.Sprint(asked) {
			t.Errorf("%s: %s after %d look-ups, want %s after %d", name, d.Reason, len(f.asked), c.want, len(asked))
		}
	}
}
