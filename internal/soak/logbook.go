package soak

import (
	"bytes"
	"regexp"
	"strings"
	"sync"

	"authd/internal/auth"
)

// leaks knows a part of every key that there was: what stands behind the
// prefix and the four characters that a hint shows.
type leaks struct {
	mu    sync.RWMutex
	parts map[string]struct{}
}

const (
	partFrom = len("ak_") + 4
	partLen  = 16
)

func newLeaks() *leaks { return &leaks{parts: map[string]struct{}{}} }

func (l *leaks) add(s auth.Secret) {
	part := s.Reveal()[partFrom : partFrom+partLen]
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parts[part] = struct{}{}
}

// in reports whether a good part of a key is in a text.
func (l *leaks) in(text string) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for i := 0; i+partLen <= len(text); i++ {
		if _, found := l.parts[text[i:i+partLen]]; found {
			return true
		}
	}
	return false
}

// logbook reads what a replica writes, line by line, and keeps the last of it.
type logbook struct {
	leaks *leaks
	wrong func(format string, args ...any)
	greet func(verify, metrics string)

	mu   sync.Mutex
	rest []byte
	last []string
}

const kept = 30

var (
	crashed  = regexp.MustCompile(`^panic: |^fatal error: |^runtime: |a request panicked|DATA RACE|http: panic serving`)
	greeting = regexp.MustCompile(`answers on (http://[^/]+)/verify.*metrics: (http://[^/]+)/metrics`)
)

// Write implements io.Writer.
func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rest = append(b.rest, p...)
	for {
		line, rest, whole := bytes.Cut(b.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		b.line(string(line))
		b.rest = rest
	}
}

func (b *logbook) line(line string) {
	switch {
	case b.leaks.in(line):
		b.wrong("a raw key is in what it writes, in a line of %d bytes that begins with %.20q", len(line), line)
		return
	case crashed.MatchString(line):
		b.wrong("it has crashed: %s", line)
	}
	if found := greeting.FindStringSubmatch(line); found != nil {
		b.greet(found[1], found[2])
	}
	b.last = append(b.last[max(0, len(b.last)-kept+1):], line)
}

// tail is the last lines.
func (b *logbook) tail() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.last, "\n")
}
