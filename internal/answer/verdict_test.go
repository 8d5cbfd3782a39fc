package answer

import (
	"net/http"
	"strings"
	"testing"

	"authd/internal/auth"
)

// told is what a client may learn of each reason. A new reason has to be
// written down here, too.
var told = map[auth.Reason]struct {
	status int
	code   string
}{
	auth.Undecided:           {503, "unavailable"},
	auth.Allowed:             {200, ""},
	auth.AllowedAnonymous:    {200, ""},
	auth.AllowedPreflight:    {200, ""},
	auth.MissingCredential:   {401, "missing_credential"},
	auth.SeveralCredentials:  {401, "invalid_credential"},
	auth.MalformedCredential: {401, "invalid_credential"},
	auth.BadChecksum:         {401, "invalid_credential"},
	auth.UnknownKey:          {401, "invalid_credential"},
	auth.Revoked:             {401, "invalid_credential"},
	auth.Overridden:          {401, "invalid_credential"},
	auth.Disabled:            {401, "invalid_credential"},
	auth.UserInactive:        {401, "invalid_credential"},
	auth.NotYetValid:         {401, "invalid_credential"},
	auth.Expired:             {401, "invalid_credential"},
	auth.SecretExpired:       {401, "invalid_credential"},
	auth.ForbiddenGroup:      {403, "forbidden"},
	auth.ForbiddenScope:      {403, "forbidden"},
	auth.ForbiddenHost:       {403, "forbidden"},
	auth.ForbiddenMethod:     {403, "forbidden"},
	auth.ForbiddenPath:       {403, "forbidden"},
	auth.ForbiddenNetwork:    {403, "forbidden"},
	auth.AmbiguousPath:       {403, "forbidden"},
	auth.Unvouched:           {403, "forbidden"},
	auth.UnknownPolicy:       {403, "forbidden"},
	auth.UnknownProxy:        {403, "forbidden"},
	auth.AliasedHeader:       {403, "forbidden"},
	auth.RateLimited:         {429, "rate_limited"},
	auth.QuotaExceeded:       {429, "quota_exceeded"},
	auth.Unavailable:         {503, "unavailable"},
	auth.LeaseLost:           {503, "unavailable"},
}

func TestEveryReasonHasAVerdict(t *testing.T) {
	for r := range auth.Reasons {
		want, ok := told[r]
		if !ok {
			t.Errorf("%s: nobody has said what the client is told", r)
			continue
		}
		v := verdicts[r]
		if v == nil {
			t.Errorf("%s has no verdict", r)
			continue
		}
		if v.Status != want.status || v.Code != want.code {
			t.Errorf("%s is answered %d %s, want %d %s", r, v.Status, v.Code, want.status, want.code)
		}
		if r.Allows() != (v.Status == http.StatusOK) {
			t.Errorf("%s: Allows is %v and the status %d", r, r.Allows(), v.Status)
		}
		if Of(r) != v {
			t.Errorf("%s: Of gives another verdict than the table", r)
		}
	}
	for _, r := range []auth.Reason{auth.Reasons, auth.Reasons + 1, 255} {
		if v := Of(r); v.Status != http.StatusServiceUnavailable {
			t.Errorf("a reason that nobody has heard of is answered %d", v.Status)
		}
	}
}

func TestResultOfAVerdict(t *testing.T) {
	for r, want := range map[auth.Reason]string{
		auth.Allowed: "allow", auth.AllowedAnonymous: "allow", auth.UnknownKey: "deny", auth.ForbiddenPath: "deny",
		auth.RateLimited: "limited", auth.QuotaExceeded: "limited", auth.LeaseLost: "error", auth.Undecided: "error",
	} {
		if got := Of(r).Result().String(); got != want {
			t.Errorf("%s counts as %s, want %s", r, got, want)
		}
	}
}

// No detail may tell more than its code: two verdicts of one code would.
func TestACodeHasOneVerdict(t *testing.T) {
	byCode := map[string]*Verdict{}
	for _, v := range verdicts {
		if v == allowed {
			continue
		}
		if other := byCode[v.Code]; other != nil && other != v {
			t.Errorf("two verdicts have the code %s", v.Code)
		}
		byCode[v.Code] = v
		if v.Detail == "" || strings.ToLower(v.Code) != v.Code {
			t.Errorf("%q, %q is no answer to give", v.Code, v.Detail)
		}
	}
}
