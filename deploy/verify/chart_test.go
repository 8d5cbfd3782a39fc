package verify

import (
	"encoding/base64"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

type values = map[string]any

// chartValues make of the chart what the overlay of the same name is.
var chartValues = map[string]values{
	"minimal":    {"pepper": false, "autoscaling": values{"enabled": false}},
	"production": {"autoscaling": values{"minReplicas": 3}, "hostSpread": "DoNotSchedule"},
	"monitoring": {"autoscaling": values{"requestsPerSecond": 2000}, "monitoring": values{"enabled": true}},
	"traefik":    {"traefik": values{"middleware": true}},
	"overrides": {"overrides": values{"api_key_Partner sync": values{
		"key_digest": "sha256:" + strings.Repeat("0", 64), "user": "staging@example.com",
	}}},
}

// render is what the chart makes of values; the error is the schema's as well.
func render(t *testing.T, v values) ([]byte, error) {
	t.Helper()
	c, err := loader.Load("../helm/authd")
	if err != nil {
		t.Fatal(err)
	}
	all, err := util.ToRenderValues(c, v, common.ReleaseOptions{Name: "authd", Namespace: "authd", IsInstall: true}, common.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	for path, file := range files {
		if filepath.Ext(path) == ".yaml" {
			text.WriteString("---\n" + file + "\n")
		}
	}
	return []byte(text.String()), nil
}

func chart(t *testing.T, v values) []byte {
	t.Helper()
	text, err := render(t, v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Who installs by Helm gets the same objects as who does by kustomize, but for what either does in its own way.
func TestChartIsTheOverlay(t *testing.T) {
	for name, v := range chartValues {
		t.Run(name, func(t *testing.T) {
			want := comparable(t, build(t, name))
			delete(want, "Namespace /authd")            // helm install --create-namespace
			delete(want, "IngressRoute default/orders") // an example of a route, which is the application's
			if diff := cmp.Diff(want, comparable(t, chart(t, v))); diff != "" {
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
	for want, v := range map[string]values{
		"replica":      {"replica": 3},
		"minReplicas":  {"autoscaling": values{"minReplicas": 0}},
		"hostSpread":   {"hostSpread": "Sometimes"},
		"tags":         {"image": values{"tags": "1"}},
		"Partner":      {"overrides": values{"Partner": values{"user": "u"}}},
		"goMemoryLimi": {"goMemoryLimit": "230Mi"},
	} {
		if _, err := render(t, v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", v, err)
		}
	}
}
