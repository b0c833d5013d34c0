package iam

import (
	"fmt"
	"slices"
)

// ParseResource reads the policy of a resource, such as a bucket or a key.
// Every statement names who it is for. Its conditions may test any key, since
// requests of other services carry keys that those of functions do not.
func ParseResource(doc []byte) (Policy, error) {
	p, err := parsePolicy(doc, nil)
	if err != nil {
		return p, err
	}
	if len(p.Statements) == 0 {
		return p, fmt.Errorf("MalformedPolicyDocument: the policy has no statement")
	}
	for i, s := range p.Statements {
		if !s.hasPrincipal {
			return p, fmt.Errorf("MalformedPolicyDocument: statement %d: there must be a Principal", i+1)
		}
		if len(s.Resources) == 0 && len(s.NotResources) == 0 {
			return p, fmt.Errorf(
				"MalformedPolicyDocument: statement %d: there must be Resource or NotResource",
				i+1,
			)
		}
	}
	return p, nil
}

// CheckResource tests the policy of a resource that is new, as Check does.
func CheckResource(doc []byte) error {
	if err := unique(doc); err != nil {
		return fmt.Errorf("MalformedPolicyDocument: %w", err)
	}
	_, err := ParseResource(doc)
	return err
}

// AllowsService reports whether the policy of a resource lets a service make a
// request. A key that the request does not carry is absent.
func (p Policy) AllowsService(service string, r Request) bool {
	own := Policy{}
	for _, s := range p.Statements {
		if s.AnyPrincipal || slices.Contains(s.Principals, "*") || slices.Contains(s.Services, service) {
			own.Statements = append(own.Statements, s)
		}
	}
	return Evaluate([]Policy{own}, r).Allowed
}
