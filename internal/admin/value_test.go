package admin

import (
	"errors"
	"testing"
	"time"

	"authd/internal/auth"
)

func TestRevokeValue(t *testing.T) {
	s := service(t)
	made := create(t, s, "Partner")
	create(t, s, "Other")
	rotated, err := s.Rotate(t.Context(), "Partner", time.Hour, auth.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	// Made under no pepper, and found after there is one.
	pepper, err := auth.NewPepper([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	s.Digester = auth.NewDigester("ak", pepper)
	done, err := s.RevokeValue(t.Context(), made.Secret)
	if err != nil || done.Already || done.Key.Name != "Partner" || key(t, s, "Partner").State(time.Now()) != "revoked" {
		t.Fatalf("%+v, %v", done, err)
	}
	if again, err := s.RevokeValue(t.Context(), rotated.Secret); err != nil || !again.Already || again.Change.Seq != done.Change.Seq {
		t.Errorf("by its other value: %+v, %v", again, err)
	}
	if key(t, s, "Other").State(time.Now()) != "active" {
		t.Error("another key was revoked")
	}
	if _, err := s.RevokeValue(t.Context(), auth.NewSecret("ak")); !errors.Is(err, auth.ErrKeyNotFound) {
		t.Errorf("an unknown value: %v", err)
	}
	if _, err := s.RevokeValue(t.Context(), auth.RawSecret("short")); !errors.As(err, new(*InvalidError)) {
		t.Errorf("what can be no value: %v", err)
	}
}
