package provider

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Checks and pieces that the descriptions of several types share.

func matching(re *regexp.Regexp, rule string) func(any) error {
	return func(v any) error {
		if s, ok := v.(string); !ok || !re.MatchString(s) {
			return fmt.Errorf("%s", rule)
		}
		return nil
	}
}

func length(low, high int) func(any) error {
	return func(v any) error {
		s, _ := v.(string)
		if n := utf8.RuneCountInString(s); n < low || n > high {
			return fmt.Errorf("it must have %d to %d characters, not %d", low, high, n)
		}
		return nil
	}
}

func oneOf(allowed ...string) func(any) error {
	return func(v any) error {
		if s, ok := v.(string); !ok || !slices.Contains(allowed, s) {
			return fmt.Errorf("it must be one of %s", strings.Join(allowed, ", "))
		}
		return nil
	}
}

func between(low, high float64) func(any) error {
	return func(v any) error {
		if n, ok := v.(float64); !ok || n < low || n > high {
			return fmt.Errorf("it must be from %v to %v", low, high)
		}
		return nil
	}
}

// tags is the property that most types have.
func tags() Property {
	return Property{
		Name:  "tags",
		Kind:  Map,
		Elem:  String,
		Level: Recorded,
		Check: checkTags,
	}
}

func checkTags(v any) error {
	m, _ := v.(map[string]any)
	if len(m) > 50 {
		return fmt.Errorf("a resource has at most 50 tags, not %d", len(m))
	}
	for k, e := range m {
		s, _ := e.(string)
		switch {
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return fmt.Errorf("the tag key %q starts with aws:, which is reserved", k)
		case utf8.RuneCountInString(k) < 1 || utf8.RuneCountInString(k) > 128:
			return fmt.Errorf("the tag key %q must have 1 to 128 characters", k)
		case utf8.RuneCountInString(s) > 256:
			return fmt.Errorf("the value of the tag %q must have at most 256 characters", k)
		}
	}
	return nil
}

// tagsOf returns all tags of a resource: its own, or with those of its provider
// if there are any.
func tagsOf(in values) map[string]any {
	from := in.object(tagsName)
	if in.has(tagsAllName) {
		from = in.object(tagsAllName)
	}
	out := map[string]any{}
	for k, v := range from {
		out[k] = v
	}
	return out
}

func tagsChanged(old, in values) bool {
	return !reflect.DeepEqual(tagsOf(old), tagsOf(in))
}

// base returns the inputs that a record keeps: all but archives and notes.
func base(in values) map[string]any {
	out := map[string]any{}
	for k, v := range in.clone() {
		switch v.(type) {
		case string, bool, float64, []any, map[string]any:
			if !strings.HasPrefix(k, "__") {
				out[k] = v
			}
		}
	}
	return out
}

func merged(m values, key string, v any) map[string]any {
	out := m.clone()
	if !out.has(key) {
		out[key] = v
	}
	return out
}
