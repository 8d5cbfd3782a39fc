package extauthz

import (
	"net/http"
	"strings"
	"testing"
	"time"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"authd/internal/answer"
	"authd/internal/auth"
)

// envoyAllows is Envoy's rule: the status, and nothing beside it.
func envoyAllows(r *authv3.CheckResponse) bool {
	return codes.Code(r.GetStatus().GetCode()) == codes.OK
}

// Whatever it is made of, also of the verdict of an allow, a denial is one to Envoy.
func TestADenialNeverHasStatusOK(t *testing.T) {
	d := answer.NewDenials(`ApiKey realm="authd"`)
	limit := auth.LimitState{RetryAfter: 1500 * time.Millisecond, State: "s", Policy: "p"}
	for r := range auth.Reasons + 3 {
		resp := denied(d, answer.Of(r), "id", limit)
		wire, err := proto.Marshal(resp)
		if err != nil {
			t.Fatal(err)
		}
		var got authv3.CheckResponse
		if err := proto.Unmarshal(wire, &got); err != nil {
			t.Fatal(err)
		}
		told := got.GetDeniedResponse()
		if envoyAllows(&got) || told == nil {
			t.Errorf("%s: %v is no denial", r, &got)
			continue
		}
		want := answer.Of(r)
		if r.Allows() {
			want = answer.Of(auth.Undecided)
		}
		if code := int(told.GetStatus().GetCode()); code != want.Status || code == http.StatusOK {
			t.Errorf("%s: the client is told %d, want %d", r, code, want.Status)
		}
		h := http.Header{}
		body := d.Write(h, want, "id", limit)
		if told.GetBody() != body || len(told.GetHeaders()) != len(h) {
			t.Errorf("%s: the client is told %v", r, told)
		}
		mine := lines{}
		mutate(t, mine, told.GetHeaders())
		for name, values := range h {
			if got := mine[strings.ToLower(name)]; len(got) != 1 || got[0] != values[0] {
				t.Errorf("%s: %s is %q, want %q", r, name, got, values)
			}
		}
	}
	if envoyAllows(&authv3.CheckResponse{}) != true {
		t.Error("an answer without a status allows, to Envoy: the test has to know that")
	}
}
