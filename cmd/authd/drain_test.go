package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A connection is kept until the process drains, and then is closed by its next answer, which comes all the same.
func TestFarewell(t *testing.T) {
	s := &server{}
	on := httptest.NewServer(s.farewell(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })))
	t.Cleanup(on.Close)
	ask := func() (closed bool) {
		t.Helper()
		resp, err := on.Client().Get(on.URL)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("status %d", resp.StatusCode)
		}
		return resp.Close
	}
	if ask() {
		t.Error("the connection is closed while the process works")
	}
	s.draining.Store(true)
	if !ask() {
		t.Error("the connection is kept while the process drains")
	}
}
