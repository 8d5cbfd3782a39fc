package main

import (
	"testing"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
)

// The reference stands for what authd sends: a header that it leaves out would make authd look dear.
func TestConstants(t *testing.T) {
	empty, err := reference{}.Check(t.Context(), &authv3.CheckRequest{})
	if err != nil || empty.GetStatus() == nil || empty.GetStatus().GetCode() != 0 || empty.GetHttpResponse() != nil {
		t.Errorf("the empty answer is %v, %v", empty, err)
	}
	told, err := reference{identity: true}.Check(t.Context(), &authv3.CheckRequest{})
	ok := told.GetOkResponse()
	if err != nil || len(ok.GetHeaders()) != 5 || len(ok.GetHeadersToRemove()) != 2 {
		t.Errorf("the identity is %v, %v", told, err)
	}
}
