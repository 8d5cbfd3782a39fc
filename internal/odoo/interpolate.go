package odoo

import (
	"errors"
	"fmt"
	"strings"
)

// maxDepth is how deep values may take in others, as in Python; maxValue bounds what that amounts to.
const (
	maxDepth = 10
	maxValue = 64 << 10
)

var (
	errPercent = errors.New(`a "%" is written "%%" in a configuration of Odoo`)
	errDepth   = fmt.Errorf("its value takes in others, more than %d deep", maxDepth)
	errLarge   = fmt.Errorf("its value takes in others, and becomes larger than %d KiB", maxValue>>10)
)

// interpolate makes "%%" a "%", and "%(name)s" the value of another option of
// the section or of DEFAULT. No error repeats a value.
func interpolate(text string, depth int, lookup func(name string) (string, bool)) (string, error) {
	if depth > maxDepth {
		return "", errDepth
	}
	var b strings.Builder
	for {
		plain, rest, found := strings.Cut(text, "%")
		b.WriteString(plain)
		switch {
		case b.Len() > maxValue:
			return "", errLarge
		case !found:
			return b.String(), nil
		case strings.HasPrefix(rest, "%"):
			b.WriteByte('%')
			text = rest[1:]
			continue
		}
		name, after, ok := strings.Cut(strings.TrimPrefix(rest, "("), ")s")
		if !ok || !strings.HasPrefix(rest, "(") || strings.Contains(name, ")") || name == "" {
			return "", errPercent
		}
		value, ok := lookup(name)
		if !ok {
			return "", errors.New(`it takes in an option, as "%(name)s", that neither its section nor [DEFAULT] has; a "%" is written "%%"`)
		}
		value, err := interpolate(value, depth+1, lookup)
		if err != nil {
			return "", err
		}
		b.WriteString(value)
		text = after
	}
}
