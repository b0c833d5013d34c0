package fieldtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"items-api/internal/field"
)

// Values returns values of a type as JSON, among them its limits, and what is
// zero or empty.
func Values(t *field.Type) []string {
	out := values(t)
	if t.Nullable {
		out = append(out, "null")
	}
	return out
}

func values(t *field.Type) []string {
	if t.Enum != nil {
		return slices.Clone(t.Enum)
	}
	switch t.Kind {
	case field.String:
		return texts(t)
	case field.Boolean:
		return []string{"true", "false"}
	case field.Integer:
		return within(t, integers(t))
	case field.Number:
		return within(t, fractions(t))
	case field.List:
		return lists(t)
	case field.Map:
		return maps(t)
	case field.Object:
		return objects(t)
	}
	return []string{`0`, `false`, `""`, `[]`, `{}`, `[null,[{}]]`, `{"a":{"b":[1.50,-0,1e400,null]},"":""}`}
}

func texts(t *field.Type) []string {
	switch {
	case t.Format == "uuid":
		return []string{`"01a20e01-f111-7a4a-b65a-dbd82bde526b"`}
	case t.Format == "date-time":
		return []string{`"2024-02-29T23:59:59Z"`, `"2024-01-01T00:00:00.1-23:59"`}
	case t.Format == "date":
		return []string{`"2024-02-29"`}
	case t.Pattern != "":
		return nil // there is an example
	}
	const odd = "<\u00e4&\U0001F600\"\\\u2028\u0000 \ufffd>"
	low, high := 0, 300
	if t.MinLength != nil {
		low = *t.MinLength
	}
	if t.MaxLength != nil {
		high = *t.MaxLength
	}
	var out []string
	for _, n := range []int{low, min(low+len([]rune(odd)), high), high} {
		text := []rune(strings.Repeat(odd, n/len([]rune(odd))+1))[:n]
		out = append(out, quote(string(text)))
	}
	return out
}

func quote(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string can always be written
	}
	return string(data)
}

func integers(t *field.Type) []string {
	out := []string{"0", "1", "-1", "2", "42", "-4", "4", "1.0", "10e-1", "1e2"}
	bits := t.Go.Bits()
	one := big.NewInt(1)
	for _, n := range []int{bits - 1, bits, 53} {
		power := new(big.Int).Lsh(one, uint(n))
		below, above := new(big.Int).Sub(power, one), new(big.Int).Add(power, one)
		for _, v := range []*big.Int{below, new(big.Int).Neg(power), above} {
			if v.IsInt64() && v.Int64()>>(bits-1)>>1 == v.Int64()>>63 ||
				v.IsUint64() && v.Uint64()>>(bits-1)>>1 == 0 {
				out = append(out, v.String())
			}
		}
	}
	signed := t.Go.Kind() < 7 // reflect.Uint
	return slices.DeleteFunc(out, func(text string) bool {
		r := number(text)
		low, high := new(big.Int), new(big.Int).Lsh(one, uint(bits))
		if signed {
			high.Rsh(high, 1)
			low.Neg(high)
		}
		return !r.IsInt() || r.Num().Cmp(low) < 0 || r.Num().Cmp(high) >= 0
	})
}

func fractions(t *field.Type) []string {
	out := []string{"0", "-0", "1", "-1.5", "0.5", "100", "1e2", "1.50"}
	switch {
	case t.Go.Name() == "Number":
		return append(out, "1e400", "-1E-400", "0.1", strings.Repeat("1234567890", 10)+".000")
	case t.Go.Bits() == 64:
		return append(
			out,
			"0.1",
			"1.7976931348623157e308",
			"5e-324",
			"-2.2250738585072014e-308",
			"9007199254740991",
		)
	}
	return append(out, "3.4028235e38", "16777216", "0.1")
}

// within leaves what the limits of a number let in.
func within(t *field.Type, all []string) []string {
	return slices.DeleteFunc(all, func(text string) bool {
		n := number(text)
		return t.Minimum != "" && n.Cmp(number(t.Minimum)) < 0 ||
			t.Maximum != "" && n.Cmp(number(t.Maximum)) > 0 ||
			t.ExclusiveMinimum != "" && n.Cmp(number(t.ExclusiveMinimum)) <= 0 ||
			t.ExclusiveMaximum != "" && n.Cmp(number(t.ExclusiveMaximum)) >= 0
	})
}

func number(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(fmt.Sprintf("%q is not a number", text))
	}
	return r
}

func lists(t *field.Type) []string {
	elements := Values(t.Elem)
	low, high := 0, len(elements)
	if t.MinItems != nil {
		low = *t.MinItems
	}
	if t.MaxItems != nil {
		high = *t.MaxItems
	}
	var out []string
	for _, n := range []int{low, high} {
		var list []string
		for i := range n {
			list = append(list, elements[i%len(elements)])
		}
		out = append(out, "["+strings.Join(list, ",")+"]")
	}
	return out
}

// names of the fields of a map: among them those that JSON pointers escape, and
// one that looks like a key of the table.
var names = []string{"", "a", "a/b", "~", "PK", "\u00e4\U0001F600\"", "__proto__", "0"}

func maps(t *field.Type) []string {
	elements := Values(t.Elem)
	low, high := 0, len(names)
	if t.MinProperties != nil {
		low = *t.MinProperties
	}
	if t.MaxProperties != nil {
		high = min(high, *t.MaxProperties)
	}
	var out []string
	for _, n := range []int{low, high} {
		var members []string
		for i := range n {
			members = append(members, quote(names[i])+":"+elements[i%len(elements)])
		}
		out = append(out, "{"+strings.Join(members, ",")+"}")
	}
	return out
}

func objects(t *field.Type) []string {
	var out []string
	for _, o := range Objects(t) {
		out = append(out, o.JSON)
	}
	return out
}

// Sample is an object in which one field has a value.
type Sample struct {
	Field string
	Value string
	JSON  string
}

// Objects returns an object for each value of each field. It has that field and
// the ones that are required.
func Objects(t *field.Type) []Sample {
	var out []Sample
	for i, f := range t.Fields {
		for _, v := range ofField(f) {
			members := []string{quote(f.Name) + ":" + v}
			for j, other := range t.Fields {
				if i != j && other.Required {
					members = append(members, quote(other.Name)+":"+ofField(other)[0])
				}
			}
			out = append(out, Sample{f.Name, v, "{" + strings.Join(members, ",") + "}"})
		}
	}
	return out
}

func ofField(f field.Field) []string {
	out := Values(f.Type)
	if f.Example != "" {
		out = append(out, quote(f.Example))
	}
	return out
}

// Lost says what of a sample is not in an answer, or is not the same there; ""
// if all is. Numbers are the same if their values are.
func (s Sample) Lost(answer []byte) string {
	sent, err := tree([]byte(s.JSON))
	if err != nil {
		return err.Error()
	}
	got, err := tree(answer)
	if err != nil {
		return err.Error()
	}
	members, ok := got.(map[string]any)
	if !ok {
		return "the answer is not an object"
	}
	for name, want := range sent.(map[string]any) {
		v, ok := members[name]
		if !ok {
			return fmt.Sprintf("the field %s is missing, sent as %v", name, want)
		}
		if !same(want, v) {
			return fmt.Sprintf("the field %s is %v, sent as %v", name, v, want)
		}
	}
	return ""
}

func tree(data []byte) (any, error) {
	var out any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	err := d.Decode(&out)
	return out, err
}

// same compares what was sent with what came back. Objects with declared fields
// may have come back with more: those that are null or have a default.
func same(want, got any) bool {
	switch want := want.(type) {
	case json.Number:
		n, ok := got.(json.Number)
		return ok && number(string(want)).Cmp(number(string(n))) == 0
	case []any:
		l, ok := got.([]any)
		return ok && slices.EqualFunc(want, l, same)
	case map[string]any:
		m, ok := got.(map[string]any)
		for name, v := range want {
			if w, has := m[name]; !has || !same(v, w) {
				return false
			}
		}
		return ok
	}
	return want == got
}

// Incomparable reports whether a text may have a number that is too large to be
// compared by its value.
func Incomparable(data []byte) bool {
	text := strings.ToLower(string(data))
	for {
		i := strings.IndexByte(text, 'e')
		if i < 0 {
			return false
		}
		digits := strings.TrimLeft(text[i+1:], "+-0")
		n := 0
		for n < len(digits) && digits[n] >= '0' && digits[n] <= '9' {
			n++
		}
		if n > 3 {
			return true
		}
		text = text[i+1:]
	}
}
