package main

import (
	"path/filepath"
	"testing"
)

// The configurations that are shipped for Kubernetes are ones that authd takes.
func TestShippedConfiguration(t *testing.T) {
	p := newPlace(t)
	shipped := func(name string) string {
		t.Helper()
		path, err := filepath.Abs(filepath.Join("../../deploy/k8s", name))
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	p.must("config", "check", "-c", shipped("base/authd.yaml"))
	p.must("config", "check", "-c", shipped("base/authd.yaml"), "-c", shipped("components/overrides/api-keys.yaml"))
	p.must("config", "check", "-c", shipped("base/authd.yaml"), "-c", t.TempDir()) // the Secret of the overrides is not there
}
