package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf16"
)

// format is how a command prints what is for pipes.
type format string

const (
	formatText format = "text"
	formatJSON format = "json"
)

// Set reads the format from a flag.
func (f *format) Set(v string) error {
	switch format(v) {
	case formatText, formatJSON:
		*f = format(v)
		return nil
	}
	return errors.New("text or json is wanted")
}

// String writes what Set reads.
func (f *format) String() string { return string(*f) }

// Type names the value in the help.
func (f *format) Type() string { return "format" }

// say tells people something, unless they want it quiet.
func (a *app) say(text string, args ...any) {
	if !a.quiet {
		a.warn(text, args...)
	}
}

// warn tells people what they must know, quiet or not.
func (a *app) warn(text string, args ...any) {
	_, _ = fmt.Fprintln(a.err, plain(fmt.Sprintf(text, args...)))
}

// printJSON prints v, with everything escaped that a terminal might act on.
func (a *app) printJSON(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	return a.print(plainJSON(b.String()))
}

// printJSONLine prints v as one line of JSON.
func (a *app) printJSONLine(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	return a.print(plainJSON(b.String()))
}

// printTable prints rows under a header, aligned.
func (a *app) printTable(header []string, rows [][]string) error {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = visible(cell)
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	_ = w.Flush()
	var out strings.Builder
	for line := range strings.Lines(b.String()) {
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return a.print(out.String())
}

// printLines prints one value a line.
func (a *app) printLines(lines []string) error {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(visible(line) + "\n")
	}
	return a.print(b.String())
}

func (a *app) print(s string) error {
	if _, err := fmt.Fprint(a.out, s); err != nil {
		return fmt.Errorf("writing to stdout: %w", err)
	}
	return nil
}

// visible quotes s where a terminal might do anything but show it, and "-" stands for nothing.
func visible(s string) string {
	switch {
	case s == "":
		return "-"
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return strconv.Quote(s)
	}
	return s
}

// plain escapes what is not printable, new lines aside.
func plain(s string) string {
	return escape(s, func(r rune) string { return strings.Trim(strconv.QuoteRune(r), "'") })
}

// plainJSON does so in JSON, where such characters stand in strings alone.
func plainJSON(s string) string {
	return escape(s, func(r rune) string {
		var b strings.Builder
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
		return b.String()
	})
}

func escape(s string, as func(rune) string) string {
	var b strings.Builder
	for _, r := range s {
		if r == '\n' || unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(as(r))
		}
	}
	return b.String()
}

// instant writes a time in full; "-" for none.
func instant(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// count writes a number and its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
