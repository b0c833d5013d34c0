package iam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// Policy is a parsed policy document.
type Policy struct {
	Version    string
	Statements []Statement
}

// Statement is one statement of a policy. Of Actions and NotActions one is
// set, and so of Resources and NotResources; a trust policy has neither.
type Statement struct {
	Sid                     string
	Allow                   bool
	Actions, NotActions     []string
	Resources, NotResources []string
	Services                []string // of Principal
	AnyPrincipal            bool
	Principals              []string // ARNs and account ids of Principal.AWS
	Conditions              []Condition

	hasPrincipal bool
}

// Condition is one test: an operator, a key and the values it is compared with.
type Condition struct {
	Operator   string // without prefix and suffix
	Quantifier string // "", "ForAllValues" or "ForAnyValue"
	IfExists   bool
	Key        string // lower case
	Name       string // the key as it is written
	Values     []string
}

// Grant is an action on a resource that a policy names.
type Grant struct{ Action, Resource string }

// Parse reads a policy document. It is strict: an element, operator or
// variable that it does not know is an error that names it.
func Parse(doc []byte) (Policy, error) { return parsePolicy(doc, keys) }

// Check tests a policy document that is new: it refuses a member that appears
// twice, too, which documents of older records may have.
func Check(doc []byte) error {
	if err := unique(doc); err != nil {
		return fmt.Errorf("MalformedPolicyDocument: %w", err)
	}
	_, err := Parse(doc)
	return err
}

// parsePolicy reads a policy whose conditions test known keys only; nil lets
// them test any.
func parsePolicy(doc []byte, known []string) (Policy, error) {
	for _, r := range string(doc) {
		// IAM API reference: U+0009, U+000A, U+000D and U+0020 to U+00FF.
		if r != '\t' && r != '\n' && r != '\r' && (r < 0x20 || r > 0xff) {
			return Policy{}, fmt.Errorf(
				"MalformedPolicyDocument: the character %q is not allowed in a policy",
				r,
			)
		}
	}
	var raw struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if err := strict(doc, &raw); err != nil {
		return Policy{}, fmt.Errorf("MalformedPolicyDocument: %w", err)
	}
	if raw.Version != "2012-10-17" && raw.Version != "2008-10-17" && raw.Version != "" {
		return Policy{}, fmt.Errorf(
			"MalformedPolicyDocument: the version %q is neither 2012-10-17 nor 2008-10-17",
			raw.Version,
		)
	}
	var statements []json.RawMessage
	if trimmed := bytes.TrimSpace(raw.Statement); len(trimmed) > 0 && trimmed[0] == '{' {
		statements = []json.RawMessage{trimmed}
	} else if err := json.Unmarshal(raw.Statement, &statements); err != nil {
		return Policy{}, fmt.Errorf(
			"MalformedPolicyDocument: Statement must be an object or a list of objects",
		)
	}
	p := Policy{Version: raw.Version}
	for i, s := range statements {
		st, err := parseStatement(s, known)
		if err != nil {
			return Policy{}, fmt.Errorf("MalformedPolicyDocument: statement %d: %w", i+1, err)
		}
		p.Statements = append(p.Statements, st)
	}
	return p, nil
}

func strict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("there is more after the document")
	}
	return nil
}

// texts is a string or a list of strings.
type texts []string

func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = texts{one}
		return nil
	}
	var scalar any
	if err := json.Unmarshal(data, &scalar); err != nil {
		return err
	}
	switch v := scalar.(type) {
	case bool, float64:
		*t = texts{fmt.Sprint(v)}
		return nil
	case []any:
		for _, e := range v {
			switch e.(type) {
			case string, bool, float64:
				*t = append(*t, fmt.Sprint(e))
			default:
				return fmt.Errorf("%s is not a list of strings", data)
			}
		}
		return nil
	}
	return fmt.Errorf("%s is neither a string nor a list of strings", data)
}

func parseStatement(data []byte, known []string) (Statement, error) {
	var raw struct {
		Sid, Effect                              string
		Action, NotAction, Resource, NotResource texts
		Principal                                json.RawMessage
		Condition                                map[string]map[string]texts
	}
	if err := strict(data, &raw); err != nil {
		return Statement{}, err
	}
	s := Statement{
		Sid:          raw.Sid,
		Allow:        raw.Effect == "Allow",
		Actions:      raw.Action,
		NotActions:   raw.NotAction,
		Resources:    raw.Resource,
		NotResources: raw.NotResource,
		hasPrincipal: len(raw.Principal) > 0,
	}
	switch {
	case raw.Effect != "Allow" && raw.Effect != "Deny":
		return s, fmt.Errorf("the Effect must be Allow or Deny, not %q", raw.Effect)
	case (len(raw.Action) == 0) == (len(raw.NotAction) == 0):
		return s, fmt.Errorf("there must be either Action or NotAction")
	case len(raw.Resource) > 0 && len(raw.NotResource) > 0:
		return s, fmt.Errorf("there must not be both Resource and NotResource")
	case len(raw.Principal) == 0 && len(raw.Resource) == 0 && len(raw.NotResource) == 0:
		return s, fmt.Errorf("there must be Resource or NotResource")
	}
	for _, a := range slices.Concat(raw.Action, raw.NotAction) {
		if a != "*" && !strings.Contains(a, ":") {
			return s, fmt.Errorf("the action %q has no service prefix such as dynamodb:", a)
		}
	}
	for _, r := range slices.Concat(raw.Resource, raw.NotResource) {
		if strings.Contains(r, "${") {
			return s, fmt.Errorf("the local cloud does not support policy variables: %s", r)
		}
		if r != "*" && strings.Count(r, ":") < 5 {
			return s, fmt.Errorf("the resource %q is no ARN", r)
		}
	}
	if err := s.principal(raw.Principal); err != nil {
		return s, err
	}
	return s, s.conditions(raw.Condition, known)
}

func (s *Statement) principal(data json.RawMessage) error {
	if len(data) == 0 {
		return nil
	}
	var all string
	if json.Unmarshal(data, &all) == nil {
		if all != "*" {
			return fmt.Errorf("the Principal %q is neither * nor an object", all)
		}
		s.AnyPrincipal = true
		return nil
	}
	var raw struct{ Service, AWS, Federated, CanonicalUser texts }
	if err := strict(data, &raw); err != nil {
		return fmt.Errorf("Principal: %w", err)
	}
	s.Services, s.Principals = raw.Service, raw.AWS
	return nil
}

// Size counts the characters of a document without white space, which is what
// IAM's quotas count.
func Size(doc []byte) int {
	n := 0
	for _, r := range string(doc) {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// Grants returns what the policy's Allow statements name, as written.
func (p Policy) Grants() []Grant {
	var out []Grant
	for _, s := range p.Statements {
		if !s.Allow {
			continue
		}
		for _, a := range s.Actions {
			for _, r := range s.Resources {
				out = append(out, Grant{a, r})
			}
		}
	}
	return out
}
