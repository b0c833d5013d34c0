package provider

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

const constraintsName = "constraints.json"

func TestConstraintsAreThoseOfTheModels(t *testing.T) {
	t.Parallel()
	found := mapTypes(readModels(t))
	for _, problem := range found.problems {
		t.Error(problem)
	}
	var want bytes.Buffer
	encoder := json.NewEncoder(&want)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(found.constraints); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(constraintsName, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(want.Bytes(), constraintsFile) {
		t.Errorf("%s is not what the models say: run go generate in this directory", constraintsName)
	}
}

// outside returns values just outside of a constraint. An empty text is one
// only for what cannot be left out.
func outside(c constraint, numeric, counted, needed bool) []any {
	var out []any
	switch {
	case numeric:
		if c.Min != nil && !slices.Contains(c.Also, *c.Min-1) {
			out = append(out, *c.Min-1)
		}
		if c.Min != nil && slices.Contains(c.Also, *c.Min-1) {
			out = append(out, *c.Min-2)
		}
		if c.Max != nil {
			out = append(out, *c.Max+1)
		}
		return out
	case counted:
		if c.Max != nil {
			out = append(out, int(*c.Max)+1)
		}
		return out
	}
	if c.Max != nil {
		out = append(out, strings.Repeat("a", int(*c.Max)+1))
	}
	if c.Min != nil && (*c.Min > 1 || needed) {
		out = append(out, strings.Repeat("a", int(*c.Min)-1))
	}
	if len(c.Enum) > 0 {
		out = append(out, "no-value-of-it")
	}
	if c.expression != nil {
		out = append(out, mismatch(c))
	}
	return out
}

// mismatch returns a text of the right length that a pattern does not match.
func mismatch(c constraint) string {
	for _, unit := range []string{"*", "{", " ", "é", "\n", "\x00", "a", "/"} {
		n := 3
		if c.Min != nil {
			n = max(n, int(*c.Min))
		}
		if c.Max != nil {
			n = min(n, int(*c.Max))
		}
		if s := strings.Repeat(unit, n); !c.expression.MatchString(s) {
			return s
		}
	}
	panic("no text does not match " + c.Pattern)
}
