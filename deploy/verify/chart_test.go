package verify

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"authd/deploy/verify/chart"
	"github.com/google/go-cmp/cmp"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// render is what the chart makes of values.
func render(t *testing.T, v chart.Values) []byte {
	t.Helper()
	text, err := chart.Render(folder, v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const folder = "../helm/authd"

// Who installs by Helm gets the same objects as who does by kustomize, but for what either does in its own way.
func TestChartIsTheOverlay(t *testing.T) {
	for name, v := range chart.Overlays {
		t.Run(name, func(t *testing.T) {
			want := comparable(t, build(t, name))
			delete(want, "Namespace /authd")            // helm install --create-namespace
			delete(want, "IngressRoute default/orders") // an example of a route, which is the application's
			if diff := cmp.Diff(want, comparable(t, render(t, v))); diff != "" {
				t.Errorf("- kustomize, + chart:\n%s", diff)
			}
		})
	}
}

var hash = regexp.MustCompile(`^authd-[a-z0-9]{10}$`)

// comparable are objects by name, without the two ways of rolling out a changed ConfigMap (a hash in its name, a
// checksum beside its user), and with YAML within them parsed.
func comparable(t *testing.T, text []byte) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, u := range objects(t, text) {
		switch u.GetKind() {
		case "ConfigMap":
			u.SetName(hash.ReplaceAllString(u.GetName(), "authd"))
			u.Object["data"] = parsed(t, u, "authd.yaml", []byte(field(t, u, "data", "authd.yaml").(string)))
		case "Secret":
			text, err := base64.StdEncoding.DecodeString(field(t, u, "data", "api-keys.yaml").(string))
			if err != nil {
				t.Fatal(err)
			}
			u.Object["data"] = parsed(t, u, "api-keys.yaml", text)
		case "Deployment":
			template := field(t, u, "spec", "template").(map[string]any)
			unstructured.RemoveNestedField(template, "metadata", "annotations")
			for _, v := range field(t, u, "spec", "template", "spec", "volumes").([]any) {
				if c, ok := v.(map[string]any)["configMap"].(map[string]any); ok {
					c["name"] = hash.ReplaceAllString(c["name"].(string), "authd")
				}
			}
		}
		if all[name(u)] != nil {
			t.Errorf("%s is there twice", name(u))
		}
		all[name(u)] = u.Object
	}
	return all
}

func field(t *testing.T, u *unstructured.Unstructured, path ...string) any {
	t.Helper()
	v, ok, err := unstructured.NestedFieldNoCopy(u.Object, path...)
	if err != nil || !ok {
		t.Fatalf("%s has no %q, %v", name(u), path, err)
	}
	return v
}

func parsed(t *testing.T, u *unstructured.Unstructured, key string, text []byte) map[string]any {
	t.Helper()
	var v any
	if err := yaml.UnmarshalStrict(text, &v); err != nil {
		t.Fatalf("%s: %v", name(u), err)
	}
	return map[string]any{key: v}
}

// What a value is mistaken for is told before anything is made.
func TestChartRefuses(t *testing.T) {
	for want, v := range map[string]chart.Values{
		"replica":      {"replica": 3},
		"minReplicas":  {"autoscaling": chart.Values{"minReplicas": 0}},
		"hostSpread":   {"hostSpread": "Sometimes"},
		"tags":         {"image": chart.Values{"tags": "1"}},
		"Partner":      {"overrides": chart.Values{"Partner": chart.Values{"user": "u"}}},
		"goMemoryLimi": {"goMemoryLimit": "230Mi"},
	} {
		if _, err := chart.Render(folder, v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", v, err)
		}
	}
}
