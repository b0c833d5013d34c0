package field

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Format is what a format of a string asks for.
type Format struct {
	// Pattern is what the format asks for beyond its name; "" if nothing.
	Pattern string
	valid   func(string) bool
	reason  string
}

var formats = map[string]Format{
	"uuid": {
		Pattern: "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
		valid:   UUIDv7,
		reason:  "it is no item id",
	},
	"date-time": {
		Pattern: `^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$`,
		valid:   dateTime,
		reason:  "it must be a time such as 2006-01-02T15:04:05Z (RFC 3339)",
	},
	"date": {
		valid:  date,
		reason: "it must be a day such as 2006-01-02 (RFC 3339)",
	},
}

// FormatOf returns a format.
func FormatOf(name string) Format { return formats[name] }

// dateTime tests for RFC 3339. time.Parse also takes a comma before fractions of
// a second, and hours of one digit (Go issue 54580).
func dateTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil && s[len("2006-01-02T15")] == ':' && !strings.Contains(s, ",")
}

func date(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// UUIDv7 reports whether s is a UUID of version 7 (RFC 9562), in lower case.
func UUIDv7(s string) bool {
	if len(s) != 36 || s[14] != '7' || !strings.ContainsRune("89ab", rune(s[19])) {
		return false
	}
	for i, c := range s {
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case !strings.ContainsRune("0123456789abcdef", c):
			return false
		}
	}
	return true
}

// checkText returns what is wrong with a string, or "".
func (c *Constraints) checkText(s string) string {
	if reason := between(utf8.RuneCountInString(s), c.MinLength, c.MaxLength, "characters"); reason != "" {
		return reason
	}
	if f, ok := formats[c.Format]; ok && !f.valid(s) {
		return f.reason
	}
	if c.pattern != nil && !c.pattern.MatchString(s) {
		return "it must match the pattern " + c.Pattern
	}
	if c.Enum == nil {
		return ""
	}
	quoted, err := json.Marshal(s)
	if err != nil || !slices.Contains(c.Enum, string(quoted)) {
		return "it must be one of " + strings.Join(c.Enum, ", ")
	}
	return ""
}

// checkNumber returns what is wrong with a number, or "".
func (c *Constraints) checkNumber(text string) string {
	d, _ := parseDecimal(text)
	for _, limit := range []struct {
		text  string
		words string
		holds func(int) bool
	}{
		{c.Minimum, "at least", func(n int) bool { return n >= 0 }},
		{c.Maximum, "at most", func(n int) bool { return n <= 0 }},
		{c.ExclusiveMinimum, "more than", func(n int) bool { return n > 0 }},
		{c.ExclusiveMaximum, "less than", func(n int) bool { return n < 0 }},
	} {
		if l, ok := parseDecimal(limit.text); ok && !limit.holds(d.compare(l)) {
			return fmt.Sprintf("it must be %s %s", limit.words, limit.text)
		}
	}
	same := func(v string) bool {
		e, _ := parseDecimal(v)
		return d.compare(e) == 0
	}
	if c.Enum != nil && !slices.ContainsFunc(c.Enum, same) {
		return "it must be one of " + strings.Join(c.Enum, ", ")
	}
	return ""
}

// between returns what is wrong with a count, or "".
func between(n int, low, high *int, unit string) string {
	switch {
	case low != nil && n < *low:
		return "it must have at least " + strconv.Itoa(*low) + " " + unit
	case high != nil && n > *high:
		return fmt.Sprintf("it must have at most %d %s, not %d", *high, unit, n)
	}
	return ""
}
