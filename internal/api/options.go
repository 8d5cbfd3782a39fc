package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"authd/internal/auth"
	"authd/internal/inbound"
	"authd/internal/observe"
	"authd/internal/tracing"
)

// Options are what NewVerify is made of. Checker, Sources, Log and Metrics
// are needed; the zero value of the others has a meaning.
type Options struct {
	Checker  *auth.Checker
	Policies map[string]*auth.Policy // by the name that stands in the path
	Sources  []inbound.Source        // where a key is looked for, in order

	Proxy   string         // the dialect of plain /verify; "" or NoProxy believes nothing but the credential
	Trusted []netip.Prefix // the peers whose forwarded headers are believed

	Realm               string                      // in WWW-Authenticate; "authd" where empty
	Headers             [auth.IdentityFields]string // names of the identity headers; those of inbound.DefaultHeaders where empty
	ReturnAuthorization bool                        // give Authorization back where it was not the credential

	Metrics *observe.Metrics
	Tracer  *tracing.Tracer // nil: nothing is traced
	Log     *slog.Logger
	Ready   func() []Check // what /readyz asks; nil: always ready
	Now     func() time.Time
}

// NoProxy is the value of Options.Proxy that makes plain /verify believe no forwarded header.
const NoProxy = "none"

// withDefaults fills in what an empty field stands for, and brings header names to their canonical form.
func (o Options) withDefaults() Options {
	o.Headers = inbound.HeaderNames(o.Headers)
	if o.Realm == "" {
		o.Realm = "authd"
	}
	if o.Proxy == "" {
		o.Proxy = NoProxy
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Fault is what is wrong with an option that an operator chose.
type Fault struct {
	Option string // "sources", "proxy", "realm", or "headers." and the name of a field of the identity
	Err    error
}

// Error is the text alone: it names what is wrong.
func (f *Fault) Error() string { return f.Err.Error() }

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// headerOptions name the fields of the identity.
var headerOptions = [auth.IdentityFields]string{
	auth.IdentityUser: "user", auth.IdentityKey: "key", auth.IdentityKeyID: "key_id",
	auth.IdentityGroups: "groups", auth.IdentityScopes: "scopes",
}

// Faults reports every fault of what an operator may have chosen.
func (o Options) Faults() (faults []*Fault) {
	o = o.withDefaults()
	add := func(option string, err error) {
		if err != nil {
			faults = append(faults, &Fault{option, err})
		}
	}
	if len(o.Sources) == 0 {
		add("sources", errors.New("no credential source: nobody could ever pass"))
	}
	add("proxy", checkProxy(o.Proxy))
	if strings.ContainsFunc(o.Realm, func(r rune) bool { return r < ' ' || r > '~' }) || len(o.Realm) > 100 {
		add("realm", fmt.Errorf("realm %q: at most 100 characters of printable ASCII are wanted", o.Realm))
	}
	for i, name := range o.Headers {
		add("headers."+headerOptions[i], o.checkIdentityHeader(i, name))
	}
	return faults
}

// checkProxy says why plain /verify can't be a dialect.
func checkProxy(name string) error {
	d := dialects[name]
	switch {
	case name == NoProxy || d != nil && !d.below:
		return nil
	case d != nil:
		return fmt.Errorf("proxy %q: it appends its client's path, which then would choose the policy: point it at %s/%s/<policy> instead", name, verifyPath, name)
	}
	return fmt.Errorf("proxy %q: %s or one of %s is wanted", name, NoProxy, strings.Join(plainNames(), ", "))
}

// Validate is all Faults as one error, or nil.
func (o Options) Validate() error {
	var errs []error
	for _, f := range o.Faults() {
		errs = append(errs, f)
	}
	return errors.Join(errs...)
}

func (o *Options) checkIdentityHeader(i int, name string) error {
	if err := inbound.CheckIdentityHeader(name); err != nil {
		return fmt.Errorf("identity header %q: %w", name, err)
	}
	for _, other := range o.Headers[:i] {
		if inbound.SameHeader(name, other) {
			return fmt.Errorf("identity headers %q and %q: an upstream might take one for the other", other, name)
		}
	}
	for _, s := range o.Sources {
		if s.InHeader(name) {
			return fmt.Errorf("identity header %q: keys are read from %s", name, s)
		}
	}
	return nil
}
