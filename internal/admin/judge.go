package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"authd/internal/auth"
)

// judge finds out what becomes of an entry, and puts into the batch what that takes.
func (p *plan) judge(e *Entry) (Line, error) {
	line := Line{Place: e.Place, Name: e.Name, Notes: e.Notes}
	told := func(o Outcome, why string) (Line, error) {
		line.Outcome, line.Why = o, why
		return line, nil
	}
	switch {
	case e.Fault != "":
		return told(Invalid, hush(e.Fault))
	case e.Skip != "":
		return told(Skipped, e.Skip)
	}
	fresh := p.laid(auth.Record{Name: e.Name, Slug: auth.Slug(e.Name), Active: true}, e)
	if err := fresh.Validate(); err != nil {
		return told(Invalid, hush(err.Error()))
	}
	if first, taken := p.names[e.Name]; taken {
		return told(Conflict, "its name is that of "+first+" as well, which counts")
	}
	if weak := e.Value.Weak(); weak != "" {
		line.Notes = append(line.Notes, "its value is "+weak+": give it another, as in authd keys rotate")
	}
	holder, known := p.holder(e.Value)
	if known && holder.name != e.Name {
		return told(Conflict, "its value is that of "+place(holder)+" as well, which counts")
	}
	if r := p.records[e.Name]; r != nil {
		p.names[e.Name] = e.Place
		return p.again(e, r, holder, known, line)
	}
	if other, taken := p.slugs[fresh.Slug]; taken {
		return told(Conflict, fmt.Sprintf("its slug %s is that of %s as well, which counts: rename one of them", fresh.Slug, other))
	}
	p.names[e.Name] = e.Place
	p.slugs[fresh.Slug] = fmt.Sprintf("%q (%s)", e.Name, e.Place)
	p.noteUser(e, fresh.User, &line)
	if e.Value.IsZero() {
		line.Notes = append(line.Notes, "it has no value: authd keys rotate makes one")
	}
	if err := p.create(fresh, e); err != nil {
		return Line{}, err
	}
	return told(Created, "")
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// hush makes one line of an error, and takes out of it what it quotes and might be a key that stands in a wrong column.
func hush(text string) string {
	return quoted.ReplaceAllStringFunc(strings.ReplaceAll(text, "\n", "; "), func(q string) string {
		if len(q) < auth.MinImported+len(`""`) {
			return q
		}
		return "(not shown, as it might be a key)"
	})
}

func place(h held) string {
	if h.place == "" {
		return here(h.name)
	}
	return fmt.Sprintf("%q (%s)", h.name, h.place)
}

// noteUser makes an inactive user inactive here, and says so.
func (p *plan) noteUser(e *Entry, login string, line *Line) (ended bool) {
	if !e.UserInactive {
		return false
	}
	line.Notes = append(line.Notes, fmt.Sprintf("its user %q is inactive there, and so it is here: the key passes only where users.inactive is allow", login))
	return p.endUser(login)
}

func (p *plan) create(r auth.Record, e *Entry) error {
	id, err := newID()
	if err != nil {
		return err
	}
	now := p.s.now()
	r.ID, r.CreatedAt, r.UpdatedAt = id, now, now
	w := auth.KeyWrite{Record: r}
	if !e.Value.IsZero() {
		w.Secrets = []auth.SecretInfo{e.Value.info}
		p.hold(e.Value, e.Name, e.Place)
	}
	p.batch.Writes = append(p.batch.Writes, w)
	return nil
}

// again judges an entry whose name a record here has: known says that it has the value as well, or had it.
func (p *plan) again(e *Entry, r *auth.Record, holder held, known bool, line Line) (Line, error) {
	after := p.laid(*r, e)
	if !r.Active && after.Active {
		after.Active = false
		line.Notes = append(line.Notes, "it is disabled here, and active there: authd keys enable enables it")
	}
	var changes []string
	if !known && !e.Value.IsZero() {
		changes = append(changes, "value")
	}
	changes = append(changes, differences(r, &after)...)
	switch {
	case !r.RevokedAt.IsZero():
		line.Outcome, line.Why = Skipped, "the key was revoked here, and that is final"
		return line, nil
	case known && ended(holder.secret):
		line.Outcome, line.Why = Skipped, "its value has ended here, and is not revived: the key was rotated since"
		return line, nil
	case len(changes) > 0 && !p.brought(r):
		line.Outcome, line.Why = Conflict, fmt.Sprintf("%s did not come by an import from %s, and differs in %s: rename or delete one of them",
			here(r.Name), p.from, strings.Join(changes, ", "))
		return line, nil
	}
	userEnds := p.noteUser(e, after.User, &line)
	if userEnds {
		changes = append(changes, "whether its user is active")
	}
	if len(changes) == 0 {
		line.Outcome = Unchanged
		return line, nil
	}
	line.Outcome, line.Why = Changed, strings.Join(changes, ", ")
	if userEnds && len(changes) == 1 {
		return line, nil
	}
	w := auth.KeyWrite{Record: after, Replaces: r.ChangedSeq}
	if changes[0] == "value" {
		w.Secrets = []auth.SecretInfo{e.Value.info}
		w.Retire = p.s.now().Add(-auth.ClockMargin) // at once, as by a rotation without overlap
		p.hold(e.Value, e.Name, e.Place)
	}
	p.batch.Writes = append(p.batch.Writes, w)
	return line, nil
}

func ended(s *auth.SecretInfo) bool {
	return s != nil && (s.Revoked || !s.ExpiresAt.IsZero() && !time.Now().Before(s.ExpiresAt))
}

// differences names what an edit changes of a record.
func differences(before, after *auth.Record) (names []string) {
	for _, field := range []struct {
		name string
		a, b any
	}{
		{"user", before.User, after.User},
		{"active", before.Active, after.Active},
		{"groups", list(before.Groups), list(after.Groups)},
		{"scopes", list(before.Scopes), list(after.Scopes)},
		{"not_before", before.NotBefore.UnixMilli(), after.NotBefore.UnixMilli()},
		{"expires_at", before.ExpiresAt.UnixMilli(), after.ExpiresAt.UnixMilli()},
		{"restrictions", before.Restrictions, after.Restrictions},
		{"limits", before.Limits, after.Limits},
		{"note", before.Note, after.Note},
		{"metadata", without(before.Metadata), without(after.Metadata)},
	} {
		if !bytes.Equal(text(field.a), text(field.b)) {
			names = append(names, field.name)
		}
	}
	return names
}

func list(l []string) []string { return append([]string{}, l...) }

// without the mark that an import leaves.
func without(metadata map[string]string) map[string]string {
	rest := map[string]string{}
	for k, v := range metadata {
		if k != importedFrom {
			rest[k] = v
		}
	}
	return rest
}

func text(v any) []byte {
	b, _ := json.Marshal(v) // plain data
	return b
}
