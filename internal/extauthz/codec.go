package extauthz

import (
	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// unreadable are the attributes of a request that could not be read.
var unreadable = &authv3.AttributeContext{}

// codec is gRPC's own, but that a CheckRequest that can't be read is handed
// on as such, and so denied. gRPC would answer it by an RPC error; and it is a client who
// brings it about, by bytes in a header that are no UTF-8.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(proto.Name)} }

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	err := c.CodecV2.Unmarshal(data, v)
	if req, ok := v.(*authv3.CheckRequest); ok && err != nil {
		req.Reset()
		req.Attributes = unreadable
		err = nil
	}
	return err
}
