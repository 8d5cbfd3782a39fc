// Package inbound reads what a request carries, whatever brought it: the
// credential, the address of the client, the request that a proxy vouches for,
// and headers that could be taken for those of the identity. Every transport
// reads by it, so that all of them see the same.
package inbound
