package usage

import (
	"encoding/binary"
	"net/netip"
)

// network is where a client is, as far as is kept of it: the /24 of IPv4, the
// /48 of IPv6, or that it is this machine. That tells which site or which
// cluster it was, and not which person. It is one number, so that it can be
// kept without a lock: the kind in the highest byte. Zero is unknown.
type network uint64

const (
	loopback network = (iota + 1) << 56
	ipv4
	ipv6

	kinds = 0xff << 56

	bits4, bits6 = 24, 48
)

func networkOf(a netip.Addr) network {
	a = a.Unmap()
	switch {
	case !a.IsValid():
		return 0
	case a.IsLoopback():
		return loopback
	case a.Is4():
		b := a.As4()
		return ipv4 | network(binary.BigEndian.Uint32(b[:])>>(32-bits4))
	}
	b := a.As16()
	return ipv6 | network(binary.BigEndian.Uint64(b[:8])>>(64-bits6))
}

// String is as it is stored: a prefix, "loopback", or empty.
func (n network) String() string {
	switch bits := uint64(n &^ kinds); n & kinds {
	case loopback:
		return "loopback"
	case ipv4:
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(bits)<<(32-bits4))
		return netip.PrefixFrom(netip.AddrFrom4(b), bits4).String()
	case ipv6:
		var b [16]byte
		binary.BigEndian.PutUint64(b[:8], bits<<(64-bits6))
		return netip.PrefixFrom(netip.AddrFrom16(b), bits6).String()
	}
	return ""
}
