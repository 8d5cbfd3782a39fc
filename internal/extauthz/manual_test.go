package extauthz

import (
	"os"
	"regexp"
	"strings"
	"testing"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"authd/internal/auth"
)

// example is what grpcurl is given in docs/envoy.md.
var example = regexp.MustCompile(`(?s)grpcurl -plaintext -d '(.*?)' \\\n`)

// The manual's examples are answered as it says: the first has no key, the second one that is good.
func TestTheManualsExamples(t *testing.T) {
	text, err := os.ReadFile("../../docs/envoy.md")
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, func(o *Options) { o.Policies = map[string]*auth.Policy{"partners": o.Policies["shop"]} })
	key := f.keys.add("Partner sync", nil)
	examples := example.FindAllSubmatch(text, -1)
	if len(examples) != 2 {
		t.Fatalf("the manual has %d examples", len(examples))
	}
	for i, want := range []int{401, 200} {
		req := &authv3.CheckRequest{}
		if err := protojson.Unmarshal([]byte(strings.ReplaceAll(string(examples[i][1]), `'"$KEY"'`, key)), req); err != nil {
			t.Errorf("%s: %v", examples[i][1], err)
			continue
		}
		resp, err := f.client.Check(t.Context(), req)
		if out := (envoy{}).obey(t, get("/"), resp, err); out.status != want {
			t.Errorf("%s: answered %d, want %d", examples[i][1], out.status, want)
		}
	}
}
