package iam

import (
	"fmt"
	"slices"
	"strings"
)

// Request is one action on one resource.
type Request struct {
	Action, Resource string
	// Context holds the values of condition keys, by key in lower case.
	Context map[string][]string
}

// Decision is the outcome of an evaluation.
type Decision struct {
	Allowed      bool
	ExplicitDeny bool
	// Statement is the Sid of the statement that decided, if it has one.
	Statement string
	// Unmet are the conditions for want of which statements did not allow the
	// request, although they cover its action and its resource.
	Unmet []Unmet
}

// Unmet is a condition that a request does not meet.
type Unmet struct {
	Statement string // the Sid, if it has one
	Condition Condition
	Got       []string // what the request has; nil if it has nothing
}

// Evaluate judges a request by identity policies: an explicit deny wins, then
// an allow; without either the request is denied.
func Evaluate(policies []Policy, r Request) Decision {
	out := Decision{}
	for _, p := range policies {
		for _, s := range p.Statements {
			if !s.covers(r) {
				continue
			}
			unmet := s.unmet(r.Context)
			switch {
			case len(unmet) > 0 && s.Allow:
				out.Unmet = append(out.Unmet, unmet...)
			case len(unmet) > 0:
			case !s.Allow:
				return Decision{ExplicitDeny: true, Statement: s.Sid}
			default:
				out.Allowed, out.Statement = true, s.Sid
			}
		}
	}
	if out.Allowed {
		out.Unmet = nil
	}
	return out
}

// covers reports whether a statement is about a request's action and resource.
func (s Statement) covers(r Request) bool {
	if !s.coversAction(r.Action) {
		return false
	}
	match := func(p string) bool { return p == "*" || matchARN(p, r.Resource) }
	if len(s.NotResources) > 0 {
		return !slices.ContainsFunc(s.NotResources, match)
	}
	return slices.ContainsFunc(s.Resources, match)
}

func (s Statement) coversAction(action string) bool {
	match := func(p string) bool { return Match(strings.ToLower(p), strings.ToLower(action)) }
	if len(s.NotActions) > 0 {
		return !slices.ContainsFunc(s.NotActions, match)
	}
	return slices.ContainsFunc(s.Actions, match)
}

func (s Statement) met(context map[string][]string) bool { return len(s.unmet(context)) == 0 }

// unmet returns the conditions that a request does not meet.
func (s Statement) unmet(context map[string][]string) []Unmet {
	var out []Unmet
	for _, c := range s.Conditions {
		if !c.holds(context) {
			out = append(out, Unmet{s.Sid, c, context[c.Key]})
		}
	}
	return out
}

// String says what a condition asks for and what the request has.
func (u Unmet) String() string {
	operator := u.Condition.Operator
	if u.Condition.Quantifier != "" {
		operator = u.Condition.Quantifier + ":" + operator
	}
	if u.Condition.IfExists {
		operator += "IfExists"
	}
	where := "a statement"
	if u.Statement != "" {
		where = fmt.Sprintf("the statement %q", u.Statement)
	}
	got := "has none"
	if len(u.Got) > 0 {
		got = fmt.Sprintf("has %q", u.Got)
	}
	return fmt.Sprintf("the condition %s of %s in %s wants %q, and the request %s",
		operator, u.Condition.Name, where, u.Condition.Values, got)
}

// TrustAllows reports whether a trust policy lets a service assume the role.
func (p Policy) TrustAllows(service, action string) bool {
	allowed := false
	for _, s := range p.Statements {
		if !(s.AnyPrincipal || slices.Contains(s.Services, service)) || !s.coversAction(action) ||
			!s.met(nil) {
			continue
		}
		if !s.Allow {
			return false
		}
		allowed = true
	}
	return allowed
}

// Permission is a statement of a function's resource policy.
type Permission struct {
	StatementID, Action, Principal, SourceARN, SourceAccount string
}

// Allows reports whether the permission covers a call of the principal for a
// source, given by its ARN and account.
func (p Permission) Allows(action, principal, sourceARN, sourceAccount string) bool {
	return Match(strings.ToLower(p.Action), strings.ToLower(action)) &&
		(p.Principal == "*" || p.Principal == principal) &&
		(p.SourceARN == "" || matchARN(p.SourceARN, sourceARN)) &&
		(p.SourceAccount == "" || p.SourceAccount == sourceAccount)
}
