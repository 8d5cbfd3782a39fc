package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestEveryCommandHasHelpAndAnExample(t *testing.T) {
	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard}
	var walk func(cmd *cobra.Command)
	seen := 0
	walk = func(cmd *cobra.Command) {
		seen++
		if cmd.Short == "" || !strings.Contains(cmd.Example, "authd") || cmd.RunE == nil || cmd.Args == nil {
			t.Errorf("%s: help %q, example %q, or it checks no arguments", cmd.CommandPath(), cmd.Short, cmd.Example)
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(a.root())
	if seen < 25 {
		t.Errorf("only %d commands", seen)
	}
}
