package field

import (
	"strconv"
	"strings"
)

// decimal is a number of JSON, exactly: 0.digits times ten to the power of exp.
// Zero has no digits. Numbers of JSON may have any size; this takes as much
// memory as their text, whatever their exponent.
type decimal struct {
	negative bool
	digits   string // without zeros at either end
	exp      int
}

// maxExponent bounds exponents, far beyond those of all numbers that are kept.
const maxExponent = 1 << 30

// parseDecimal reads a number; false if the text is none. It takes zeros before
// the first digit, which JSON does not have.
func parseDecimal(text string) (decimal, bool) {
	rest, negative := strings.CutPrefix(text, "-")
	mantissa, power, hasPower := cutAny(rest, "eE")
	whole, fraction, hasPoint := strings.Cut(mantissa, ".")
	if !allDigits(whole) || whole == "" || hasPoint && fraction == "" || !allDigits(fraction) {
		return decimal{}, false
	}
	exp := 0
	if hasPower {
		digits := strings.TrimPrefix(power, "-")
		if digits == power {
			digits = strings.TrimPrefix(power, "+")
		}
		if digits == "" || !allDigits(digits) {
			return decimal{}, false
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n > maxExponent {
			n = maxExponent
		}
		if exp = n; strings.HasPrefix(power, "-") {
			exp = -n
		}
	}
	digits := strings.TrimLeft(whole+fraction, "0")
	exp += len(whole) - (len(whole) + len(fraction) - len(digits))
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return decimal{}, true
	}
	return decimal{negative, digits, exp}, true
}

func cutAny(s, chars string) (before, after string, found bool) {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func allDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// maxDigits is more than a 64 bit integer has.
const maxDigits = 20

// integer returns a whole number of at most 20 digits as Go writes it.
func (d decimal) integer() (string, bool) {
	if d.digits == "" {
		return "0", true
	}
	if d.exp < len(d.digits) || d.exp > maxDigits {
		return "", false
	}
	out := d.digits + strings.Repeat("0", d.exp-len(d.digits))
	if d.negative {
		out = "-" + out
	}
	return out, true
}

// whole reports whether it is a whole number, however large.
func (d decimal) whole() bool { return d.digits == "" || d.exp >= len(d.digits) }

// compare returns -1, 0 or 1 as d is less than e, equal or greater.
func (d decimal) compare(e decimal) int {
	switch {
	case d.sign() != e.sign():
		if d.sign() < e.sign() {
			return -1
		}
		return 1
	case d.negative:
		return -d.compareSize(e)
	}
	return d.compareSize(e)
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}

func (d decimal) compareSize(e decimal) int {
	switch {
	case d.exp < e.exp:
		return -1
	case d.exp > e.exp:
		return 1
	}
	return strings.Compare(d.digits, e.digits)
}
