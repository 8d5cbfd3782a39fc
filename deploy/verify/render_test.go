package verify

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"authd/deploy/verify/chart"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// overlays are the names of all there are.
func overlays(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir("../k8s/overlays")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if len(names) < 7 {
		t.Fatalf("overlays are missing: %q", names)
	}
	return names
}

// build is what kustomize makes of an overlay.
func build(t *testing.T, overlay string) []byte {
	t.Helper()
	k := krusty.MakeKustomizer(krusty.MakeDefaultOptions())
	made, err := k.Run(filesys.MakeFsOnDisk(), filepath.Join("../k8s/overlays", overlay))
	if err != nil {
		t.Fatal(err)
	}
	text, err := made.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// objects parses a stream of YAML documents.
func objects(t *testing.T, text []byte) (all []*unstructured.Unstructured) {
	t.Helper()
	d := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		u := &unstructured.Unstructured{}
		err := d.Decode(u)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in:\n%s", err, text)
		}
		if len(u.Object) > 0 {
			all = append(all, u)
		}
	}
	return all
}

// name tells of an object what people call it.
func name(u *unstructured.Unstructured) string {
	return u.GetKind() + " " + u.GetNamespace() + "/" + u.GetName()
}

// sources are all that is shipped for Kubernetes, by name.
func sources(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, overlay := range overlays(t) {
		all[overlay] = build(t, overlay)
	}
	for name, values := range chart.Overlays {
		all["chart "+name] = render(t, values)
	}
	return all
}
