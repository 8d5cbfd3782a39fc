package auth_test

import (
	"context"
	"testing"
	"time"

	"authd/internal/auth"
)

var raceEnabled bool

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func mustPepper(tb testing.TB, s string) auth.Pepper {
	tb.Helper()
	p, err := auth.NewPepper([]byte(s))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func goodRecord() auth.Record {
	return auth.Record{
		ID: "01980000-0000-7000-8000-000000000001", Name: "Partner sync", Slug: "partner_sync",
		User: "partner@example.com", UserActive: true, Active: true,
		Groups: []string{"partner", "sync"}, Scopes: []string{"shop:read"},
	}
}

// checkWith asks for a decision on a good key with what the given record adds
// to it: groups, scopes, restrictions, limits. It fills in credential and time.
func checkWith(tb testing.TB, add auth.Record, req *auth.Request) auth.Decision {
	tb.Helper()
	r := goodRecord()
	r.Restrictions, r.Limits, r.UserLimits = add.Restrictions, add.Limits, add.UserLimits
	if add.Groups != nil {
		r.Groups = add.Groups
	}
	if add.Scopes != nil {
		r.Scopes = add.Scopes
	}
	d := auth.NewDigester("ak")
	s := auth.NewSecret("ak")
	k := auth.NewKey(&r, auth.SecretInfo{Digest: d.Current().Digest(s)})
	req.Credential, req.At = auth.Credential{Secret: s}, noon
	return auth.NewChecker(d, mapFinder{k.Digest: k}, nil, auth.Options{}).Check(context.Background(), req)
}
