package extauthz

import (
	"context"

	"google.golang.org/grpc/metadata"
)

// callMetadata is what came with a call, in which Envoy hands on the trace of its own.
type callMetadata metadata.MD

func metadataOf(ctx context.Context) callMetadata {
	md, _ := metadata.FromIncomingContext(ctx)
	return callMetadata(md)
}

// Get is the first value, or empty.
func (m callMetadata) Get(key string) string {
	if v := metadata.MD(m).Get(key); len(v) > 0 {
		return v[0]
	}
	return ""
}
