package dynamodb

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// expressions are the members of a request that name attributes.
type expressions struct {
	Projection, Condition, Filter, KeyCondition, Update string
	Names                                               map[string]string
	// Legacy members name attributes in ways that are not read.
	legacy bool
}

func parseExpressions(data []byte) (expressions, error) {
	var e expressions
	var toGet, updates, expected, query, scan json.RawMessage
	err := members(data, map[string]any{
		"ProjectionExpression":     &e.Projection,
		"ConditionExpression":      &e.Condition,
		"FilterExpression":         &e.Filter,
		"KeyConditionExpression":   &e.KeyCondition,
		"UpdateExpression":         &e.Update,
		"ExpressionAttributeNames": &e.Names,
		"AttributesToGet":          &toGet,
		"AttributeUpdates":         &updates,
		"Expected":                 &expected,
		"QueryFilter":              &query,
		"ScanFilter":               &scan,
	})
	e.legacy = len(toGet)+len(updates)+len(expected)+len(query)+len(scan) > 0
	return e, err
}

// everything reports whether a read returns all attributes.
func (e expressions) everything() bool { return e.Projection == "" }

// attributes returns the top-level attributes that a request names, with those
// of its keys and items: the condition key dynamodb:Attributes. A read that
// returns everything, or legacy members, add one that no policy can allow.
// Source: DynamoDB developer guide, "Using IAM policy conditions for
// fine-grained access control".
func (e expressions) attributes(reading bool, more ...map[string]json.RawMessage) []string {
	found := map[string]bool{}
	for _, text := range []string{e.Projection, e.Condition, e.Filter, e.KeyCondition, e.Update} {
		for _, name := range named(text, e.Names) {
			found[name] = true
		}
	}
	for _, m := range more {
		for name := range m {
			found[name] = true
		}
	}
	if e.legacy || reading && e.everything() {
		found[unreadable] = true
	}
	return slices.Sorted(maps.Keys(found))
}

var (
	token    = regexp.MustCompile(`(\.\s*#?|[:#])?[A-Za-z0-9_]+(\s*\()?`)
	keywords = []string{"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"}
	number   = regexp.MustCompile(`^-?[0-9]+$`)
)

// named returns the top-level attributes in an expression.
func named(expression string, names map[string]string) []string {
	var out []string
	for _, t := range token.FindAllString(expression, -1) {
		switch {
		case strings.HasPrefix(t, ":"),
			strings.HasPrefix(t, "."),
			strings.HasSuffix(t, "("),
			number.MatchString(t),
			slices.Contains(keywords, strings.ToUpper(t)):
			// a value, a nested part, a function, an index, a word of the language
		case strings.HasPrefix(t, "#"):
			name, ok := names[t]
			if !ok {
				name = unreadable
			}
			out = append(out, name)
		default:
			out = append(out, t)
		}
	}
	return out
}
