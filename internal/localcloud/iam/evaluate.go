package iam

import (
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
}

// Evaluate judges a request by identity policies: an explicit deny wins, then
// an allow; without either the request is denied.
func Evaluate(policies []Policy, r Request) Decision {
	out := Decision{}
	for _, p := range policies {
		for _, s := range p.Statements {
			if !s.applies(r) {
				continue
			}
			if !s.Allow {
				return Decision{ExplicitDeny: true, Statement: s.Sid}
			}
			out = Decision{Allowed: true, Statement: s.Sid}
		}
	}
	return out
}

func (s Statement) applies(r Request) bool {
	if !s.coversAction(r.Action) {
		return false
	}
	match := func(p string) bool { return p == "*" || matchARN(p, r.Resource) }
	if len(s.NotResources) > 0 {
		if slices.ContainsFunc(s.NotResources, match) {
			return false
		}
	} else if !slices.ContainsFunc(s.Resources, match) {
		return false
	}
	return s.met(r.Context)
}

func (s Statement) coversAction(action string) bool {
	match := func(p string) bool { return Match(strings.ToLower(p), strings.ToLower(action)) }
	if len(s.NotActions) > 0 {
		return !slices.ContainsFunc(s.NotActions, match)
	}
	return slices.ContainsFunc(s.Actions, match)
}

func (s Statement) met(context map[string][]string) bool {
	return !slices.ContainsFunc(s.Conditions, func(c Condition) bool { return !c.holds(context) })
}

// TrustAllows reports whether a trust policy lets a service assume the role.
func (p Policy) TrustAllows(service, action string) bool {
	allowed := false
	for _, s := range p.Statements {
		if !(s.AnyPrincipal || slices.Contains(s.Services, service)) || !s.coversAction(action) || !s.met(nil) {
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
