package field

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Constraints are what holds for a value beside its kind. They are named as in
// JSON Schema. Lengths count characters, that is code points.
type Constraints struct {
	Format                             string
	Pattern                            string
	Enum                               []string // as JSON
	MinLength, MaxLength               *int
	MinItems, MaxItems                 *int
	MinProperties, MaxProperties       *int
	Minimum, Maximum                   string // numbers as JSON; "" for none
	ExclusiveMinimum, ExclusiveMaximum string
	// MaxBytes bounds the bytes of the value as JSON. JSON Schema has no such
	// word.
	MaxBytes *int

	pattern *regexp.Regexp
}

// itemTags and valueTags begin the tags for the elements of a list and of a map.
const (
	itemTags  = "items."
	valueTags = "values."
)

// words are the tags with constraints, and the kinds that they are for.
var words = map[string][]Kind{
	"format":           {String},
	"pattern":          {String},
	"minLength":        {String},
	"maxLength":        {String},
	"enum":             {String, Integer, Number},
	"minimum":          {Integer, Number},
	"maximum":          {Integer, Number},
	"exclusiveMinimum": {Integer, Number},
	"exclusiveMaximum": {Integer, Number},
	"minItems":         {List},
	"maxItems":         {List},
	"minProperties":    {Object, Map},
	"maxProperties":    {Object, Map},
	"maxBytes":         {List, Map, Any},
}

// tags are the tags of a field by name.
type tags map[string]string

// parse reads a tag as reflect.StructTag.Lookup does, but all of it.
func parse(tag reflect.StructTag) (tags, error) {
	out := tags{}
	for rest := strings.TrimSpace(string(tag)); rest != ""; rest = strings.TrimLeft(rest, " ") {
		name, after, ok := strings.Cut(rest, ":")
		quoted, err := strconv.QuotedPrefix(after)
		if !ok || err != nil || name == "" || strings.ContainsAny(name, " \"") {
			return nil, fmt.Errorf("the tag `%s` is malformed at %q", tag, rest)
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, fmt.Errorf("the tag `%s` is malformed at %q: %w", tag, rest, err)
		}
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("the tag %s appears twice", name)
		}
		out[name] = value
		rest = after[len(quoted):]
	}
	return out, nil
}

// take returns a tag and takes it away.
func (t tags) take(name string) string {
	v := t[name]
	delete(t, name)
	return v
}

// addOf adds the tags of a struct itself, which a field named "_" carries.
func (t tags) addOf(path string, of reflect.Type) error {
	for sf := range of.Fields() {
		if sf.Name != "_" {
			continue
		}
		own, err := parse(sf.Tag)
		if err != nil {
			return fmt.Errorf("the field %s._: %w", path, err)
		}
		maps.Copy(t, own)
	}
	return nil
}

// below takes the tags for elements away and returns them.
func (t tags) below(prefix string) tags {
	out := tags{}
	for name, v := range t {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			out[rest] = v
		}
	}
	for name := range out {
		delete(t, prefix+name)
	}
	return out
}

// constraints reads the tags that are left. One that is not supported, for this
// kind or at all, is an error.
func (t tags) constraints(kind Kind, of reflect.Type) (Constraints, error) {
	c := Constraints{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(t)) {
		kinds, known := words[name]
		if !known {
			errs = append(errs, fmt.Errorf("the tag %s is not supported; those for constraints are %s",
				name, strings.Join(slices.Sorted(maps.Keys(words)), ", ")))
			continue
		}
		if !slices.Contains(kinds, kind) {
			errs = append(errs, fmt.Errorf("the tag %s is not supported for the type %s", name, of))
			continue
		}
		if err := c.set(name, t[name], kind); err != nil {
			errs = append(errs, fmt.Errorf("the tag %s is %q: %w", name, t[name], err))
		}
	}
	errs = append(errs, c.bounds(kind, of))
	return c, errors.Join(errs...)
}

func (c *Constraints) set(name, text string, kind Kind) error {
	counts := map[string]**int{
		"minLength":     &c.MinLength,
		"maxLength":     &c.MaxLength,
		"minItems":      &c.MinItems,
		"maxItems":      &c.MaxItems,
		"minProperties": &c.MinProperties,
		"maxProperties": &c.MaxProperties,
		"maxBytes":      &c.MaxBytes,
	}
	if to, ok := counts[name]; ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return errors.New("it must be a whole number from 0")
		}
		*to = &n
		return nil
	}
	limits := map[string]*string{
		"minimum":          &c.Minimum,
		"maximum":          &c.Maximum,
		"exclusiveMinimum": &c.ExclusiveMinimum,
		"exclusiveMaximum": &c.ExclusiveMaximum,
	}
	if to, ok := limits[name]; ok {
		d, ok := parseDecimal(text)
		if _, whole := d.integer(); !ok || kind == Integer && !whole {
			return fmt.Errorf("it must be a number, as the field's type %s can have", kind)
		}
		*to = text
		return nil
	}
	switch name {
	case "format":
		if _, ok := formats[text]; !ok {
			return fmt.Errorf("the formats are %s", strings.Join(slices.Sorted(maps.Keys(formats)), ", "))
		}
		c.Format = text
	case "pattern":
		return c.setPattern(text)
	case "enum":
		return c.setEnum(text, kind)
	}
	return nil
}

// setEnum reads values between commas.
func (c *Constraints) setEnum(text string, kind Kind) error {
	for _, v := range strings.Split(text, ",") {
		if kind == String {
			quoted, err := json.Marshal(v)
			if err != nil {
				return err
			}
			c.Enum = append(c.Enum, string(quoted))
			continue
		}
		if d, ok := parseDecimal(v); !ok {
			return fmt.Errorf("%q is not a number", v)
		} else if _, whole := d.integer(); kind == Integer && !whole {
			return fmt.Errorf("%q is not a whole number", v)
		}
		c.Enum = append(c.Enum, v)
	}
	return nil
}

// unequal are parts of patterns that Go and ECMA-262, which JSON Schema refers
// to, do not read alike, or that one of them does not have. It is compiled when a
// pattern is declared: the function starts without.
const unequal = `\(\?[^:]|\[\[:|\\[^dDwWbBtnrfv.\-/^$|?*+()\[\]{}\\]`

func (c *Constraints) setPattern(text string) error {
	if part := regexp.MustCompile(unequal).FindString(text); part != "" {
		return fmt.Errorf("%q does not mean the same everywhere", part)
	}
	p, err := regexp.Compile(text)
	if err != nil {
		return err
	}
	c.Pattern, c.pattern = text, p
	return nil
}

// bounds adds the limits of the small integers of Go unless those of the tags
// are narrower, so that all that is enforced can be seen. Those of 64 bits are
// told by their format. An enum with a value beyond them is an error.
func (c *Constraints) bounds(kind Kind, of reflect.Type) error {
	if kind != Integer {
		return nil
	}
	bits := of.Bits()
	low, high := "0", strconv.FormatUint(1<<(bits-1)-1+1<<(bits-1), 10)
	if signed(of) {
		low, high = strconv.FormatInt(-1<<(bits-1), 10), strconv.FormatUint(1<<(bits-1)-1, 10)
	}
	for _, v := range c.Enum {
		if less(v, low) || less(high, v) {
			return fmt.Errorf("the tag enum has %s, which is beyond the type %s", v, of)
		}
	}
	if bits == 64 && signed(of) {
		return nil
	}
	if c.Minimum == "" && c.ExclusiveMinimum == "" || less(c.Minimum, low) || less(c.ExclusiveMinimum, low) {
		c.Minimum = low
	}
	wide := c.Maximum == "" && c.ExclusiveMaximum == "" || less(high, c.Maximum) ||
		less(high, c.ExclusiveMaximum)
	if wide && bits < 64 {
		c.Maximum = high
	}
	return nil
}

// less reports whether one number is below another; false if one of them is "".
func less(a, b string) bool {
	x, is := parseDecimal(a)
	y, are := parseDecimal(b)
	return is && are && x.compare(y) < 0
}

func signed(t reflect.Type) bool { return t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64 }

// excludesZero reports whether Go's zero value breaks the constraints.
func (t *Type) excludesZero() bool {
	switch t.Kind {
	case String:
		return t.checkText("") != ""
	case Integer, Number:
		return t.checkNumber("0") != ""
	}
	return false
}
