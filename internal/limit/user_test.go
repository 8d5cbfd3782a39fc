package limit_test

import (
	"testing"
	"time"

	"authd/internal/auth"
)

// of is a key of a user; nil limits are none.
func of(user, id string, key, shared *auth.Limits) *auth.Key {
	return &auth.Key{ID: id, User: user, Limits: key, UserLimits: shared}
}

func testUserLimits(t *testing.T, fresh func() auth.Limiter) {
	two, three, ten := quota(2, "d"), quota(3, "d"), rate(10, time.Minute)
	l := fresh()
	a, b := of("u", "a", &two, &three), of("u", "b", nil, &three)
	wantPasses(t, "its own limit", l, a, noon, 2)
	wantPasses(t, "what is left of the user's", l, b, noon, 1) // so none that a was refused was counted there
	wantPasses(t, "another user's", l, of("v", "c", nil, &three), noon, 3)
	wantPasses(t, "another key without any of the user's", l, of("u", "d", &two, nil), noon, 2)

	l = fresh()
	a, b = of("u", "a", &ten, &two), of("u", "b", &ten, &two)
	wantPasses(t, "the user's limit", l, a, noon, 2)
	wantPasses(t, "and of the other key", l, b, noon, 0)
	wantPasses(t, "the next day", l, b, noon.Add(24*time.Hour), 2)
	a.UserLimits = nil
	wantPasses(t, "none that the user was refused was counted for the key", l, a, noon, 8)

	// A user is no key, though they be called the same; and neither is any part of another's name.
	l = fresh()
	for _, user := range []string{"u", "}", "{}", "u}:user", "u}:key:u", ""} {
		wantPasses(t, user, l, of(user, "u", nil, &two), noon, 2)
		wantPasses(t, user+", the key", l, of(user, "user "+user, &three, nil), noon, 3)
	}

	// What lasts longest is told, and all there is.
	l = fresh()
	hour, slow := quota(1, "h"), auth.Limits{Rate: auth.Rate{Count: 1, Per: 24 * time.Hour}, Quota: auth.Quota{Count: 5, Per: "mo"}}
	k := of("u", "k", &hour, &slow)
	wantPasses(t, "the first", l, k, noon, 1)
	want := auth.LimitState{
		Reason: auth.RateLimited, RetryAfter: 24 * time.Hour, State: `"user-rate";r=0;t=86400`,
		Policy: `"quota";q=1;w=3600, "user-rate";q=1;w=86400, "user-quota";q=5;w=2678400`,
	}
	if s := take(t, l, k, noon); s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
}

func testRepeats(t *testing.T, fresh func() auth.Limiter) {
	l, two := fresh(), quota(2, "d")
	k := of("u", "k", &two, &two)
	passes := func(id string, want auth.Reason) {
		t.Helper()
		if got := takeRequest(t, l, k, noon, id).Reason; got != want {
			t.Errorf("request %q: %s, want %s", id, got, want)
		}
	}
	passes("1", auth.Allowed)
	passes("1", auth.Allowed)
	passes("2", auth.Allowed)
	passes("1", auth.Allowed) // though both limits are reached
	passes("3", auth.QuotaExceeded)
	passes("3", auth.QuotaExceeded) // what was refused is judged anew
	passes("", auth.QuotaExceeded)
	other := of("u", "other", &two, nil) // another key's request is another request
	for range 2 {
		if s := takeRequest(t, l, other, noon, "1"); s.Reason != auth.Allowed {
			t.Error(s.Reason)
		}
	}
	wantPasses(t, "the other key, whose request counted once", l, other, noon, 1)
}

// Whoever gets an id of his own making through a proxy has little of it.
func testTooManyRepeats(t *testing.T, fresh func() auth.Limiter) {
	l, limits := fresh(), quota(5, "d")
	k, passed := of("u", "k", &limits, nil), 0
	for range 100 {
		if takeRequest(t, l, k, noon, "always the same").Reason == auth.Allowed {
			passed++
		}
	}
	if passed != 5+2 {
		t.Errorf("%d of 100 pass under one id, want 5 and 2 repetitions", passed)
	}
}
