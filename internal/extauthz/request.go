package extauthz

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"unicode/utf8"

	authv3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc/peer"

	"authd/internal/inbound"
)

// headerReader finds what is read of a request's headers, which Envoy names in lower case.
type headerReader struct {
	wanted  map[string]string // canonical names, by the name in lower case
	aliases *inbound.Aliases
}

func newHeaderReader(o *Options) *headerReader {
	r := &headerReader{wanted: map[string]string{}}
	want := []string{"Authorization", "Cookie", "X-Forwarded-For", "X-Request-Id", "Origin", "Access-Control-Request-Method"}
	for _, s := range o.Sources {
		if name, ok := s.Header(); ok {
			want = append(want, name)
		}
	}
	for _, name := range want {
		r.wanted[strings.ToLower(name)] = name
	}
	r.aliases = inbound.NewAliases(lower(o.Headers[:]))
	return r
}

func lower(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = strings.ToLower(name)
	}
	return out
}

// lowerName puts a name into lower case. What is not ASCII, and so in no header's name, is read as "_": somebody might
// take it for the dash of an identity header, and Unicode's lower case would make an ASCII letter of some.
func lowerName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case r >= utf8.RuneSelf:
			return '_'
		}
		return r
	}, name)
}

// read takes the headers as Envoy sends them: joined by comma where a name was
// repeated, or each line for itself where encode_raw_headers is on. aliased
// reports whether one could be taken for an identity header.
func (r *headerReader) read(req *authv3.AttributeContext_HttpRequest) (h http.Header, aliased bool) {
	h = make(http.Header, len(r.wanted))
	add := func(key, value string) {
		key = lowerName(key)
		if name, ok := r.wanted[key]; ok {
			h[name] = append(h[name], value)
		} else if r.aliases.Has(key) {
			aliased = true
		}
	}
	for key, value := range req.GetHeaders() {
		add(key, value)
	}
	for _, line := range req.GetHeaderMap().GetHeaders() {
		value := line.GetValue()
		if raw := line.GetRawValue(); len(raw) > 0 {
			value = string(raw)
		}
		add(line.GetKey(), value)
	}
	return h, aliased
}

// original is the request that Envoy describes, if it may be believed at all:
// the attributes are Envoy's own, but whoever reaches the listener could write them.
func original(a *authv3.AttributeContext, h http.Header, from netip.Addr, trusted inbound.Networks) inbound.Original {
	if !trusted.Contain(from) {
		return inbound.Doubt(inbound.UntrustedPeer)
	}
	req := a.GetRequest().GetHttp()
	o := inbound.Vouch(req.GetMethod(), req.GetHost(), req.GetPath(), client(a, h, trusted))
	o.RequestID = inbound.ReadRequestID(h)
	return o
}

// client finds the client's address. Envoy's peer is the last hop: only where
// that one is a trusted proxy, X-Forwarded-For says from where it got the request.
func client(a *authv3.AttributeContext, h http.Header, trusted inbound.Networks) netip.Addr {
	source := a.GetSource().GetAddress().GetSocketAddress().GetAddress()
	if source == "" {
		return netip.Addr{}
	}
	forwarded := h["X-Forwarded-For"]
	return trusted.Client(append(forwarded[:len(forwarded):len(forwarded)], source))
}

// queryOf is the query of a request target.
func queryOf(target string) string {
	_, query, _ := strings.Cut(target, "?")
	return query
}

// peerOf is who has asked; the zero Addr, which lies in no network, where it has no IP address.
func peerOf(ctx context.Context) netip.AddrPort {
	if p, ok := peer.FromContext(ctx); ok {
		if a, ok := p.Addr.(*net.TCPAddr); ok {
			return a.AddrPort()
		}
	}
	return netip.AddrPort{}
}

// addrOf is a peer's address as the networks know it: without the zone, which comes from the kernel.
func addrOf(p netip.AddrPort) netip.Addr { return p.Addr().Unmap().WithZone("") }
