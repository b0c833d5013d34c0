package provider

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// What AWS's own API models say of the values of properties, by type and by
// property. A test makes the file from the models and fails when it is not
// what the models say; the table in modelmap_test.go says which member of which
// operation a property is.
//
//go:generate go test . -run TestConstraintsAreThoseOfTheModels -update
//go:embed constraints.json
var constraintsFile []byte

// A constraint is what an API model says of a value. Min and Max bound a
// number, the characters of a text, or the elements of a list or a map.
type constraint struct {
	// From is the operation's input and the member that the value is sent as.
	From    string   `json:"from"`
	Min     *float64 `json:"min,omitempty"`
	Max     *float64 `json:"max,omitempty"`
	Pattern string   `json:"pattern,omitempty"`
	Enum    []string `json:"enum,omitempty"`
	// Also are numbers outside of the bounds that the AWS provider takes for
	// something else, such as 0 for a value that is not given.
	Also []float64 `json:"also,omitempty"`

	expression *regexp.Regexp
}

// Suffixes of a property in the file: the elements of a list or set, and the
// keys and the values of a map.
const (
	elementOf = "[]"
	keyOf     = "{key}"
	valueOf   = "{value}"
)

var constraints = sync.OnceValue(func() map[string]map[string]constraint {
	out := map[string]map[string]constraint{}
	if err := json.Unmarshal(constraintsFile, &out); err != nil {
		panic(fmt.Sprintf("constraints.json is part of the program and cannot be read: %v", err))
	}
	for _, of := range out {
		for name, c := range of {
			if c.Pattern != "" {
				c.expression = regexp.MustCompile("^(?:" + c.Pattern + ")$")
				of[name] = c
			}
		}
	}
	return out
})

// schemaPath returns the path of a property without the places in lists.
func schemaPath(path string) string { return places.ReplaceAllString(path, "") }

var places = regexp.MustCompile(`\[\d+\]`)

// counted tests how many elements a list or a map has.
func (c *checker) counted(path string, p Property, v any) error {
	n := 0
	switch v := v.(type) {
	case []any:
		n = len(v)
	case map[string]any:
		n = len(v)
	}
	of := constraints()[c.token][schemaPath(path)]
	if n == 0 || p.Kind == Object || of.within(float64(n)) {
		return nil
	}
	return fmt.Errorf("it must have %s elements, not %d", of.bounds(), n)
}

// constrain tests a value of a property, and what it consists of, against the
// API models. What is not known yet passes. An empty value passes where the
// property may be left out: the AWS provider does not send it then.
func (c *checker) constrain(path string, p Property, v any) error {
	of := constraints()[c.token]
	name := schemaPath(path)
	switch v := v.(type) {
	case []any:
		return nil // see elements
	case map[string]any:
		if p.Kind != Map {
			return nil
		}
		return constrainMap(of, name, v)
	case string:
		if v != "" || p.Required || path == c.named {
			return of[name].scalar(v)
		}
	default:
		return of[name].scalar(v)
	}
	return nil
}

// tags tests all tags of a resource.
func (c *checker) tags(all map[string]any) error {
	p := tags()
	if err := c.counted(p.Name, p, all); err != nil {
		return err
	}
	return c.constrain(p.Name, p, all)
}

// elements tests each element of a list or a set that is known.
func (c *checker) elements(path string, p Property, l []any) {
	of := constraints()[c.token][schemaPath(path)+elementOf]
	for i, e := range l {
		if !known(e) {
			continue
		}
		err := of.scalar(e)
		if p.Each != nil {
			err = cmp.Or(p.Each(e), err)
		}
		if err != nil {
			where := fmt.Sprintf("%s[%d]", path, i)
			c.fail(where, "%s is invalid: %v; got %s", where, err, text(e))
		}
	}
}

func constrainMap(of map[string]constraint, name string, m map[string]any) error {
	for key, e := range m {
		if err := of[name+keyOf].scalar(key); err != nil {
			return fmt.Errorf("the key %q: %w", key, err)
		}
		if err := of[name+valueOf].scalar(e); err != nil {
			return fmt.Errorf("the value of %q: %w", key, err)
		}
	}
	return nil
}

// scalar tests a text or a number.
func (c constraint) scalar(v any) error {
	switch v := v.(type) {
	case string:
		return c.text(v)
	case float64:
		if c.within(v) || slices.Contains(c.Also, v) {
			return nil
		}
		if c.Min != nil && c.Max != nil {
			return fmt.Errorf("it must be from %s", c.bounds())
		}
		return fmt.Errorf("it must be %s", c.bounds())
	}
	return nil
}

func (c constraint) text(s string) error {
	if n := utf8.RuneCountInString(s); !c.within(float64(n)) {
		return fmt.Errorf("it must have %s characters, not %d", c.bounds(), n)
	}
	if len(c.Enum) > 0 && !slices.Contains(c.Enum, s) {
		return fmt.Errorf("it must be one of %s", strings.Join(c.Enum, ", "))
	}
	if c.expression != nil && !c.expression.MatchString(s) {
		return fmt.Errorf("it must match the regular expression %s", c.Pattern)
	}
	return nil
}

func (c constraint) within(n float64) bool {
	return (c.Min == nil || n >= *c.Min) && (c.Max == nil || n <= *c.Max)
}

// bounds says what Min and Max allow.
func (c constraint) bounds() string {
	text := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	switch {
	case c.Min == nil:
		return "at most " + text(*c.Max)
	case c.Max == nil:
		return "at least " + text(*c.Min)
	case *c.Min == *c.Max:
		return "exactly " + text(*c.Min)
	}
	return text(*c.Min) + " to " + text(*c.Max)
}
