package iam

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// keys are the condition keys that requests carry; another is refused.
var keys = []string{
	"dynamodb:leadingkeys", "dynamodb:attributes", "dynamodb:select", "dynamodb:returnvalues",
	"dynamodb:returnconsumedcapacity", "dynamodb:enclosingoperation", "dynamodb:fulltablescan",
	SourceFunction,
}

// SourceFunction is the key that calls of a function's own code carry, and
// calls that Lambda makes by the function's role do not: the function's ARN,
// without a version. Source: Lambda developer guide, "Working with Lambda
// execution environment credentials".
const SourceFunction = "lambda:sourcefunctionarn"

var operators = []string{
	"StringEquals",
	"StringNotEquals",
	"StringEqualsIgnoreCase",
	"StringNotEqualsIgnoreCase",
	"StringLike",
	"StringNotLike",
	"ArnEquals",
	"ArnLike",
	"ArnNotEquals",
	"ArnNotLike",
	"Bool",
	"Null",
	"NumericEquals",
	"NumericNotEquals",
	"NumericLessThan",
	"NumericLessThanEquals",
	"NumericGreaterThan",
	"NumericGreaterThanEquals",
}

func (s *Statement) conditions(raw map[string]map[string]texts, known []string) error {
	for _, op := range slices.Sorted(maps.Keys(raw)) {
		c := Condition{Operator: op}
		if q, rest, ok := strings.Cut(op, ":"); ok {
			if q != "ForAllValues" && q != "ForAnyValue" {
				return fmt.Errorf("the local cloud does not support the condition operator %s", op)
			}
			c.Quantifier, c.Operator = q, rest
		}
		c.Operator, c.IfExists = strings.CutSuffix(c.Operator, "IfExists")
		if !slices.Contains(operators, c.Operator) {
			return fmt.Errorf(
				"the local cloud does not support the condition operator %s; it supports %v",
				op,
				operators,
			)
		}
		for _, key := range slices.Sorted(maps.Keys(raw[op])) {
			c.Key, c.Name, c.Values = strings.ToLower(key), key, raw[op][key]
			if known != nil && !slices.Contains(known, c.Key) {
				return fmt.Errorf(
					"the local cloud does not support the condition key %s; it supports %v",
					key,
					known,
				)
			}
			for _, v := range c.Values {
				if strings.Contains(v, "${") {
					return fmt.Errorf("the local cloud does not support policy variables: %s", v)
				}
			}
			s.Conditions = append(s.Conditions, c)
		}
	}
	return nil
}

// holds evaluates one condition against the request's context.
func (c Condition) holds(context map[string][]string) bool {
	got, present := context[c.Key]
	present = present && len(got) > 0
	if c.Operator == "Null" {
		want := len(c.Values) > 0 && strings.EqualFold(c.Values[0], "true")
		return want == !present
	}
	if !present {
		// ForAllValues is true for a key that is absent; a negated operator
		// matches when the key is absent. Source: IAM user guide, "Condition
		// operators" and "Multivalued context keys".
		return c.IfExists || c.Quantifier == "ForAllValues" || (c.Quantifier == "" && c.negated())
	}
	switch c.Quantifier {
	case "ForAllValues":
		return !slices.ContainsFunc(got, func(v string) bool { return !c.matches(v) })
	default:
		if c.negated() && c.Quantifier == "" {
			return !slices.ContainsFunc(got, func(v string) bool { return !c.matches(v) })
		}
		return slices.ContainsFunc(got, c.matches)
	}
}

func (c Condition) negated() bool { return strings.Contains(c.Operator, "Not") }

func (c Condition) matches(v string) bool {
	hit := slices.ContainsFunc(
		c.Values,
		func(want string) bool { return compare(strings.Replace(c.Operator, "Not", "", 1), v, want) },
	)
	return hit != c.negated()
}

func compare(op, got, want string) bool {
	switch op {
	case "StringEquals":
		return got == want
	case "StringEqualsIgnoreCase", "Bool":
		return strings.EqualFold(got, want)
	case "StringLike":
		return Match(want, got)
	case "ArnEquals", "ArnLike":
		return matchARN(want, got)
	}
	a, err := strconv.ParseFloat(got, 64)
	b, err2 := strconv.ParseFloat(want, 64)
	if err != nil || err2 != nil {
		return false
	}
	switch op {
	case "NumericEquals":
		return a == b
	case "NumericLessThan":
		return a < b
	case "NumericLessThanEquals":
		return a <= b
	case "NumericGreaterThan":
		return a > b
	case "NumericGreaterThanEquals":
		return a >= b
	}
	return false
}

// Match reports whether s matches a pattern in which * stands for any text
// and ? for any one character.
func Match(pattern, s string) bool {
	p, t := []rune(pattern), []rune(s)
	star, mark, i, j := -1, 0, 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// matchARN compares the six parts of an ARN one by one; a wildcard does not
// reach over a colon, except in the last part.
func matchARN(pattern, arn string) bool {
	p, a := strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6)
	if len(p) != 6 || len(a) != 6 {
		return Match(pattern, arn)
	}
	for i := range p {
		if !Match(p[i], a[i]) {
			return false
		}
	}
	return true
}
