package soak

import (
	"strings"
	"testing"
)

// scene is one credential with a gate for its secret and one for its key, and
// the changes that were made to them.
type scene struct {
	*credential
	key *gate
}

func newScene() *scene {
	own, key := &gate{name: "secret"}, &gate{name: "key", born: true}
	s := &scene{&credential{name: "k/1", own: own, gates: []*gate{own, key}, group: &gate{name: "group", born: true}}, key}
	s.did(own, true, 1, 2, 3) // created
	return s
}

// did makes a change with these times.
func (s *scene) did(g *gate, open bool, began, answered, confirmed moment) *scene {
	g.turned(open, &change{kind: "change", of: "k", began: began, answered: answered, confirmed: confirmed}, 0)
	return s
}

func TestJudge(t *testing.T) {
	revoked := func() *scene { s := newScene(); return s.did(s.key, false, 10, 12, 15) }
	begun := func() *scene { s := newScene(); return s.did(s.key, false, 10, never, never) }
	unconfirmed := func() *scene { s := newScene(); return s.did(s.key, false, 10, 12, never) }
	reopened := func() *scene { s := revoked(); return s.did(s.key, true, 20, 22, 25) }
	maybe := func() *scene { s := revoked(); return s.did(s.key, true, 20, never, never) }
	again := func() *scene { s := revoked(); return s.did(s.key, false, 20, never, never) }
	overlap := func() *scene {
		s := newScene()
		s.own.turned(false, &change{began: 10, answered: 12, confirmed: 15}, 30)
		return s
	}
	for what, c := range map[string]struct {
		scene      *scene
		start, end moment
		status     int
		wrong      string
	}{
		"good":                                       {newScene(), 4, 5, 200, ""},
		"good and denied":                            {newScene(), 4, 5, 401, "good throughout"},
		"good, and an outage":                        {newScene(), 4, 5, 503, ""},
		"good, and no answer":                        {newScene(), 4, 5, 0, ""},
		"before it is created":                       {newScene(), 0, 0, 200, "confirmed that it is not"},
		"before it is created, denied":               {newScene(), 0, 0, 401, ""},
		"let in while it is created":                 {newScene(), 0, 1, 200, ""},
		"denied while its creation is confirmed":     {newScene(), 3, 5, 401, ""},
		"ended before the revocation, denied":        {revoked(), 8, 9, 401, "good throughout"},
		"over the revocation's begin, denied":        {revoked(), 8, 10, 401, ""},
		"over the revocation, let in":                {revoked(), 8, 40, 200, ""},
		"begun with the confirmation, let in":        {revoked(), 15, 16, 200, ""},
		"begun after the confirmation, let in":       {revoked(), 16, 17, 200, "confirmed that it is not"},
		"begun after the confirmation, denied":       {revoked(), 16, 17, 401, ""},
		"begun after the confirmation, an outage":    {revoked(), 16, 17, 503, ""},
		"revocation under way, let in":               {begun(), 40, 41, 200, ""},
		"revocation under way, denied":               {begun(), 40, 41, 401, ""},
		"revocation never confirmed, let in":         {unconfirmed(), 40, 41, 200, ""},
		"between revocation and return, let in":      {reopened(), 16, 19, 200, "confirmed that it is not"},
		"over the return's begin, let in":            {reopened(), 16, 20, 200, ""},
		"over the return, denied":                    {reopened(), 16, 26, 401, ""},
		"after the return, let in":                   {reopened(), 26, 27, 200, ""},
		"after the return, denied":                   {reopened(), 26, 27, 401, "good throughout"},
		"return unknown, let in":                     {maybe(), 40, 41, 200, ""},
		"return unknown, denied":                     {maybe(), 40, 41, 401, ""},
		"a second revocation unknown, let in":        {again(), 40, 41, 200, "confirmed that it is not"},
		"within a rotation's overlap, let in":        {overlap(), 16, 30, 200, ""},
		"after a rotation's overlap, let in":         {overlap(), 31, 32, 200, "confirmed that it is not"},
		"forbidden":                                  {newScene(), 4, 5, 403, "nothing is asked for but a key"},
		"an error":                                   {revoked(), 16, 17, 500, "status 500"},
		"too often, which no key of the soak may be": {newScene(), 4, 5, 429, "status 429"},
	} {
		r := request{of: c.scene.credential, replica: "r", start: c.start, end: c.end, status: c.status}
		got := r.judge()
		if c.wrong == "" && got != "" || !strings.Contains(got, c.wrong) {
			t.Errorf("%s: %q; %q is to be told", what, got, c.wrong)
		}
	}
}

func TestJudgeMembers(t *testing.T) {
	out := func() *scene { s := newScene(); return s.did(s.group, false, 10, 12, 15) }
	leaving := func() *scene { s := newScene(); return s.did(s.group, false, 10, never, never) }
	revoked := func() *scene { s := out(); return s.did(s.key, false, 10, 12, 15) }
	for what, c := range map[string]struct {
		scene      *scene
		start, end moment
		status     int
		wrong      string
	}{
		"a member":                           {newScene(), 4, 5, 200, ""},
		"a member, forbidden":                {newScene(), 4, 5, 403, "a member throughout"},
		"a member, denied":                   {newScene(), 4, 5, 401, "good throughout"},
		"out of the group, let in":           {out(), 16, 17, 200, "confirmed that it is not"},
		"out of the group, forbidden":        {out(), 16, 17, 403, ""},
		"out of the group, denied":           {out(), 16, 17, 401, "good throughout"},
		"over the leave, let in":             {out(), 8, 40, 200, ""},
		"over the leave, forbidden":          {out(), 8, 40, 403, ""},
		"the leave is under way, let in":     {leaving(), 40, 41, 200, ""},
		"the leave is under way, forbidden":  {leaving(), 40, 41, 403, ""},
		"revoked and out, forbidden":         {revoked(), 16, 17, 403, "known although"},
		"revoked and out, forbidden earlier": {revoked(), 13, 17, 403, ""},
	} {
		r := request{of: c.scene.credential, replica: "r", members: true, start: c.start, end: c.end, status: c.status}
		got := r.judge()
		if c.wrong == "" && got != "" || !strings.Contains(got, c.wrong) {
			t.Errorf("%s: %q; %q is to be told", what, got, c.wrong)
		}
	}
}

// Any one gate that is shut is enough to deny, and each must be open to be good.
func TestGatesGoTogether(t *testing.T) {
	s := newScene()
	s.did(s.own, false, 10, 12, 15)
	s.did(s.key, false, 20, 21, 22)
	s.did(s.key, true, 30, 31, 32)
	for _, c := range []struct {
		status int
		wrong  bool
	}{{200, true}, {401, false}} {
		r := request{of: s.credential, start: 40, end: 41, status: c.status}
		if got := r.judge(); got == "" == c.wrong {
			t.Errorf("%d: %q", c.status, got)
		}
	}
}

func TestSettled(t *testing.T) {
	disabled := newScene()
	disabled.did(disabled.key, false, 10, 12, never)
	back := newScene()
	back.did(back.key, false, 10, never, never).did(back.key, true, 20, 21, never)
	unknown := newScene()
	unknown.did(unknown.key, false, 10, never, never)
	gone := newScene()
	gone.did(gone.key, true, 10, never, never).did(gone.own, false, 20, 21, never)
	for what, c := range map[string]struct {
		scene *scene
		want  int
	}{
		"created": {newScene(), 200}, "disabled": {disabled, 401}, "enabled after who knows what": {back, 200},
		"unknown": {unknown, 0}, "retired, and who knows what": {gone, 401},
	} {
		for _, members := range []bool{false, true} {
			if got := c.scene.settled(members); got != c.want {
				t.Errorf("%s, as a member %t: %d, want %d", what, members, got, c.want)
			}
		}
	}
}

func TestSettledMembers(t *testing.T) {
	out, unknown := newScene(), newScene()
	out.did(out.group, false, 10, 12, never)
	unknown.did(unknown.group, false, 10, never, never)
	for _, c := range []struct {
		scene *scene
		want  int
	}{{out, 403}, {unknown, 0}} {
		if got := c.scene.settled(true); got != c.want {
			t.Errorf("%d, want %d", got, c.want)
		}
		if got := c.scene.settled(false); got != 200 {
			t.Errorf("%d for anybody", got)
		}
	}
}
