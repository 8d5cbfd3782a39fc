package pgtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// CA is the path of the certificate that the servers' certificates are
// verified by, and OtherCA that of one that has nothing to do with them.
func CA(t testing.TB) string      { return authority(t, "ca.crt") }
func OtherCA(t testing.TB) string { return authority(t, "other.crt") } //nolint:revive // see CA

func authority(t testing.TB, name string) string {
	t.Helper()
	sharing.mu.Lock()
	defer sharing.mu.Unlock()
	sharing.prepare(t)
	return filepath.Join(sharing.dir, name)
}

// certify makes the authorities, and a certificate for 127.0.0.1 in the server's folder.
func certify(t testing.TB, dir, data string) {
	t.Helper()
	ca, key := sign(t, template("authd test authority", true), nil, nil)
	other, _ := sign(t, template("another authority", true), nil, nil)
	leaf := template("127.0.0.1", false)
	leaf.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	cert, certKey := sign(t, leaf, ca, key)
	write(t, filepath.Join(dir, "ca.crt"), pemOf("CERTIFICATE", ca.Raw))
	write(t, filepath.Join(dir, "other.crt"), pemOf("CERTIFICATE", other.Raw))
	write(t, filepath.Join(data, "server.crt"), pemOf("CERTIFICATE", cert.Raw))
	der, err := x509.MarshalPKCS8PrivateKey(certKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(data, "server.key"), pemOf("PRIVATE KEY", der))
}

func template(name string, authority bool) *x509.Certificate {
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: authority, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if authority {
		c.KeyUsage = x509.KeyUsageCertSign
	}
	return c
}

// sign makes a key and its certificate, signed by itself where there is no parent.
func sign(t testing.TB, c, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if parent == nil {
		parent, by = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
