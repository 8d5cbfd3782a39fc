package postgres

import (
	"flag"
	"testing"

	"go.uber.org/goleak"

	"authd/internal/pgtest"
)

func TestMain(m *testing.M) {
	// Each step of a sequence asks a server many things: fewer sequences than
	// SQLite gets, unless the command line says how many.
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(pgtest.Around(m))
}
