package verify

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/client-go/kubernetes/scheme"
	psaapi "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// Every object is of a kind that Kubernetes or a definition of ours knows, and has no field that its kind has not.
func TestStrict(t *testing.T) {
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, json.SerializerOptions{Strict: true})
	custom := definitions(t)
	for source, text := range sources(t) {
		for _, u := range objects(t, text) {
			raw, err := u.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if kind := u.GroupVersionKind(); scheme.Scheme.Recognizes(kind) {
				if _, _, err := strict.Decode(raw, nil, nil); err != nil {
					t.Errorf("%s: %s: %v", source, name(u), err)
				}
			} else if fault := custom.check(u); fault != nil {
				t.Errorf("%s: %s: %v", source, name(u), fault)
			}
		}
	}
}

// The check above would find a field that is not there, in a kind of either sort.
func TestStrictFinds(t *testing.T) {
	custom := definitions(t)
	for _, u := range objects(t, build(t, "traefik")) {
		if u.GetKind() != "Middleware" {
			continue
		}
		spec := u.Object["spec"].(map[string]any)["forwardAuth"].(map[string]any)
		spec["adress"] = "x"
		if custom.check(u) == nil {
			t.Error("an unknown field passes")
		}
		delete(spec, "adress")
		spec["trustForwardHeader"] = "no"
		if custom.check(u) == nil {
			t.Error("a text passes for a bool")
		}
		return
	}
	t.Error("there is no middleware")
}

// Every pod passes Pod Security's strictest standard, and says where its image is from.
func TestRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for source, text := range sources(t) {
		deployments := 0
		for _, u := range objects(t, text) {
			if u.GetKind() != "Deployment" {
				continue
			}
			deployments++
			var d appsv1.Deployment
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &d); err != nil {
				t.Fatal(err)
			}
			pod := &d.Spec.Template
			for _, r := range evaluator.EvaluatePod(psaapi.LevelVersion{Level: psaapi.LevelRestricted, Version: psaapi.LatestVersion()}, &pod.ObjectMeta, &pod.Spec) {
				if !r.Allowed {
					t.Errorf("%s: %s: %s: %s", source, name(u), r.ForbiddenReason, r.ForbiddenDetail)
				}
			}
		}
		if deployments != 1 {
			t.Errorf("%s: %d deployments", source, deployments)
		}
	}
}
