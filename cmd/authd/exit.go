package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"authd/internal/admin"
	"authd/internal/auth"
)

// The exit codes. A faulty configuration is a failure; a command line that
// can't be understood, or a value in it that can't be meant, is wrong use.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUnconfirmed = 3
)

// usageError is a command line that can't be understood.
type usageError string

func (e usageError) Error() string { return string(e) }

var (
	// errShown is wrong use about which everything was said.
	errShown = usageError("")
	// errUnconfirmed is done, but some replica does not follow; which ones was said.
	errUnconfirmed = errors.New("not confirmed")
	// errFailed is a failure about which everything was said.
	errFailed = errors.New("failed")
)

// exit says what went wrong, and returns the code to end with.
func (a *app) exit(cmd *cobra.Command, err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errUnconfirmed):
		return exitUnconfirmed
	case errors.Is(err, errFailed):
		return exitFailed
	case errors.Is(err, errShown):
		return exitUsage
	case errors.As(err, &usage) || !a.working:
		a.complain(err)
		_, _ = fmt.Fprintf(a.err, "See: %s --help\n", cmd.CommandPath())
		return exitUsage
	case errors.As(err, new(*admin.InvalidError)):
		a.complain(err)
		return exitUsage
	}
	a.complain(err)
	return exitFailed
}

// complain prints an error and its mend, each further line indented.
func (a *app) complain(err error) {
	text := plain(err.Error())
	if m := mend(err); m != "" {
		text += "\n" + m
	}
	_, _ = fmt.Fprintln(a.err, "authd: "+strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  "))
}

// mend tells what can be done about an error; empty where that is plain.
func mend(err error) string {
	switch {
	case errors.Is(err, auth.ErrUserNotFound):
		return "See: authd users list"
	case errors.Is(err, auth.ErrNameTaken):
		return "Choose another name, or give that key a new secret: authd keys rotate NAME"
	case errors.Is(err, auth.ErrSlugTaken):
		return "Names that differ only in case, accents or punctuation have one slug. Choose another name."
	case errors.Is(err, auth.ErrSecretTaken):
		return "Give another value, or none: authd then makes one."
	case errors.Is(err, auth.ErrRevoked):
		return "Delete it (authd keys delete NAME), or create another (authd keys create)."
	case errors.Is(err, context.DeadlineExceeded):
		return "It took too long. Where something was to be changed, look whether it was: authd keys list"
	case errors.Is(err, context.Canceled):
		return "Interrupted. Where something was to be changed, look whether it was: authd keys list"
	}
	return ""
}
