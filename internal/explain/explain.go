// Package explain puts a decision into words: what each of its steps saw, where
// each field of the key comes from, and what would have to change. The decision
// itself is the Checker's (auth.Checker.Explain); nothing is decided here.
package explain

import "authd/internal/auth"

// Case is what a decision was made of.
type Case struct {
	Explanation auth.Explanation
	Request     *auth.Request
	Doubt       string       // why nothing of the request is believed, where it is not
	Record      *auth.Record // as the store has it; nil where it has none
	Section     *Section     // that overrides it; nil: none
	Value       Value        // that the request is taken to carry
}

// Section is an override section: where it stands, and which fields it gives, each with its place.
type Section struct {
	Header     string // [api_key_NAME]
	At         string
	Standalone bool
	Gives      bool // a value, so that the store's are dead
	Fields     map[string]string
}

// Value is a value of the key, by what is known of it.
type Value struct {
	Hint   string `json:"hint,omitempty"` // where the store has one
	Origin string `json:"origin"`
	Reason string `json:"reason,omitempty"` // how the same request would be judged with it
}

// Report is a decision in words.
type Report struct {
	Key     string   `json:"key,omitempty"`
	KeyID   string   `json:"key_id,omitempty"`
	Passes  bool     `json:"passes"`
	Reason  string   `json:"reason"`
	Would   string   `json:"would,omitempty"` // what a policy that only shadows objects to
	Note    string   `json:"note,omitempty"`
	Value   Value    `json:"value"`
	Others  []Value  `json:"other_values,omitempty"`
	Steps   []Step   `json:"steps"`
	Fields  []Field  `json:"fields"`
	Changes []string `json:"changes"` // what would have to change, one after the other
}

// Step is what a step of the decision saw.
type Step struct {
	Step   string `json:"step"`
	Result string `json:"result"` // ok, a reason, or not asked
	Shadow bool   `json:"shadow,omitempty"`
	Saw    string `json:"saw,omitempty"`
	Change string `json:"change,omitempty"` // what would have to change
}

// Field is a field of the key as it is in force.
type Field struct {
	Field  string `json:"field"`
	Value  string `json:"value"`
	Origin string `json:"origin"` // database, default, or file:line of a section
}

// notAsked is the result of a step that an earlier one left nothing to ask.
const notAsked = "not asked"

// Of puts a case into words.
func Of(c *Case) Report {
	e := &c.Explanation
	r := Report{
		Passes: e.Reason.Allows(), Reason: e.Reason.String(), Value: c.Value,
		Fields: c.fields(), Changes: []string{},
	}
	r.Key, r.KeyID = c.key().Name, c.key().ID
	if e.Reason.Allows() && e.Would != auth.Undecided {
		r.Would = e.Would.String()
	}
	if e.Reason.Allows() && e.Uncounted {
		r.Note = "as long as its limits last: they are counted where requests are answered, and were not asked"
	}
	for s := range auth.Steps {
		step := c.step(s)
		r.Steps = append(r.Steps, step)
		if step.Change != "" {
			r.Changes = append(r.Changes, step.Change)
		}
	}
	return r
}

// key is the key that the decision was about, or else what the store has.
func (c *Case) key() *auth.Key {
	switch {
	case c.Explanation.Key != nil:
		return c.Explanation.Key
	case c.Record != nil:
		return auth.NewKey(c.Record, auth.SecretInfo{})
	}
	return &auth.Key{}
}

// step tells what one step saw, and what it would need.
func (c *Case) step(s auth.Step) Step {
	report := c.Explanation.Steps[s]
	out := Step{Step: s.String(), Result: notAsked, Shadow: report.Shadow}
	if !report.Asked {
		return out
	}
	out.Result, out.Saw = report.Reason.String(), c.saw(s)
	if s == auth.StepLimits && c.Explanation.Uncounted {
		out.Result = notAsked
	}
	if !report.Reason.Allows() {
		out.Change = c.mend(report.Reason)
	}
	return out
}
