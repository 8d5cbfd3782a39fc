package verify

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// definition is what a kind's own author says of it.
type definition struct {
	fields    *schema.Structural
	validator validation.SchemaValidator
}

type kinds map[runtimeschema.GroupVersionKind]definition

// check answers what an API server would.
func (k kinds) check(u *unstructured.Unstructured) error {
	d, ok := k[u.GroupVersionKind()]
	if !ok {
		return fmt.Errorf("nothing defines %s", u.GroupVersionKind())
	}
	unknown := pruning.PruneWithOptions(u.DeepCopy().Object, d.fields, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	if len(unknown) > 0 {
		return fmt.Errorf("unknown fields %q", unknown)
	}
	return errors.Join(validation.ValidateCustomResource(nil, u.Object, d.validator).ToAggregate())
}

// definitions reads the CustomResourceDefinitions that deploy/k8s/crds names, out of their authors' modules.
func definitions(t *testing.T) kinds {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "../k8s/crds").Output()
	if err != nil {
		t.Fatalf("deploy/k8s/crds: %v", err)
	}
	all := kinds{}
	for dir := range strings.Lines(string(out)) {
		files, err := filepath.Glob(filepath.Join(strings.TrimSpace(dir), "*.yaml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no definitions in %s, %v", dir, err)
		}
		for _, file := range files {
			all.read(t, file)
		}
	}
	return all
}

func (k kinds) read(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal([]byte(document), &crd); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if crd.Kind != "CustomResourceDefinition" {
			continue // Gateway API's folder holds an admission policy as well
		}
		for _, version := range crd.Spec.Versions {
			k[runtimeschema.GroupVersionKind{Group: crd.Spec.Group, Version: version.Name, Kind: crd.Spec.Names.Kind}] = define(t, version.Schema.OpenAPIV3Schema)
		}
	}
}

func define(t *testing.T, v1 *apiextensionsv1.JSONSchemaProps) definition {
	t.Helper()
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v1, internal, nil); err != nil {
		t.Fatal(err)
	}
	fields, err := schema.NewStructural(internal)
	if err != nil {
		t.Fatal(err)
	}
	validator, _, err := validation.NewSchemaValidator(internal)
	if err != nil {
		t.Fatal(err)
	}
	return definition{fields, validator}
}
