package field

import (
	"encoding/json"
	"math/big"
	"testing"
)

func TestDecimalsAreNotLimitedByTheirExponents(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"0", "-0.00e5", 0},
		{"1", "1.0", 0},
		{"10e-1", "1", 0},
		{"-1e99999999999999999999", "1e-99999999999999999999", -1},
		{"1e-99999999999999999999", "0", 1},
		{"0.1", "0.10000000000000000000000000000001", -1},
		{"-2", "-10", 1},
	} {
		a, okA := parseDecimal(c.a)
		b, okB := parseDecimal(c.b)
		if got := a.compare(b); got != c.want || !okA || !okB {
			t.Errorf("%s compared with %s is %d", c.a, c.b, got)
		}
	}
	for _, text := range []string{"", "-", ".", "1.", ".1", "1e", "1e+", "+1", "0x1", "1_0", " 1", "NaN",
		"--1", "1e--1", "1e1.0"} {
		if _, ok := parseDecimal(text); ok {
			t.Errorf("%q was read as a number", text)
		}
	}
}

func FuzzDecimal(f *testing.F) {
	f.Add("1.50", "15e-1")
	f.Add("-0.001e+3", "9223372036854775808")
	f.Fuzz(func(t *testing.T, a, b string) {
		var valid json.Number
		isNumber := json.Unmarshal([]byte(a), &valid) == nil && valid != "" && a[0] != '"' &&
			string(valid) == a
		x, ok := parseDecimal(a)
		if isNumber && !ok {
			t.Fatalf("%q was refused", a)
		}
		y, both := parseDecimal(b)
		if !ok || !both || max(x.exp, y.exp) > 1000 || min(x.exp, y.exp) < -1000 {
			return
		}
		r, _ := new(big.Rat).SetString(a)
		s, _ := new(big.Rat).SetString(b)
		if r == nil || s == nil {
			return // zeros at the beginning, or an exponent that Rat does not take
		}
		if x.compare(y) != r.Cmp(s) {
			t.Errorf("%q compared with %q is %d", a, b, x.compare(y))
		}
		if text, whole := x.integer(); whole && (!r.IsInt() || r.Num().String() != text) {
			t.Errorf("%q is the whole number %s", a, text)
		}
		if x.whole() != r.IsInt() {
			t.Errorf("%q is a whole number: %v", a, x.whole())
		}
	})
}
