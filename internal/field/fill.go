package field

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
)

// object fills a struct from the fields of a JSON object.
func (d *decoder) object(path string, in map[string]any, t *Type, out reflect.Value) {
	d.count(path, len(in), t.MinProperties, t.MaxProperties, "fields")
	known := 0
	for i := range t.Fields {
		f := &t.Fields[i]
		v, given := in[f.Name]
		switch {
		case given:
			known++
			d.value(path+"/"+escaper.Replace(f.Name), v, f.Type, out.FieldByIndex(f.Index))
		case f.Required:
			d.fail(path+"/"+escaper.Replace(f.Name), "the %s is missing", d.called(path))
		case f.Default != "":
			d.setDefault(f, out.FieldByIndex(f.Index))
		}
	}
	if known == len(in) {
		return
	}
	for name := range in {
		if !t.has(name) && !d.full() {
			d.fail(path+segment(name), "the %s is not known", d.called(path))
		}
	}
}

// called is what a field of the object at a path is called.
func (d *decoder) called(path string) string {
	if path == "" && d.noun != "" {
		return d.noun
	}
	return "field"
}

func (t *Type) has(name string) bool {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return true
		}
	}
	return false
}

// setDefault sets a default, which was tested when the type was read.
func (d *decoder) setDefault(f *Field, out reflect.Value) {
	if v, err := (&decoder{}).read([]byte(f.Default)); err == nil {
		d.value("", v, f.Type, out)
	}
}

// value fills a value of any kind.
func (d *decoder) value(path string, v any, t *Type, out reflect.Value) {
	if v == nil && t.Nullable {
		if t.Go == rawType {
			out.SetBytes([]byte("null"))
			return
		}
		out.SetZero()
		return
	}
	if t.Pointer {
		out.Set(reflect.New(t.Go))
		out = out.Elem()
	}
	switch t.Kind {
	case String:
		s, ok := v.(string)
		if !ok {
			d.fail(path, "it must be a string")
			return
		}
		d.reason(path, t.checkText(s))
		out.SetString(s)
	case Boolean:
		b, ok := v.(bool)
		if !ok {
			d.fail(path, "it must be true or false")
			return
		}
		out.SetBool(b)
	case Integer, Number:
		n, ok := v.(json.Number)
		if !ok && t.Kind == Integer {
			d.fail(path, "it must be a whole number")
			return
		}
		if !ok {
			d.fail(path, "it must be a number")
			return
		}
		d.number(path, string(n), t, out)
	case Object:
		if m, ok := d.asObject(path, v); ok {
			d.object(path, m, t, out)
		}
	case List:
		d.list(path, v, t, out)
	case Map:
		d.dictionary(path, v, t, out)
	case Any:
		d.any(path, v, t, out)
	}
}

func (d *decoder) reason(path, reason string) bool {
	if reason != "" {
		d.fail(path, "%s", reason)
	}
	return reason == ""
}

func (d *decoder) count(path string, n int, low, high *int, unit string) bool {
	return d.reason(path, between(n, low, high, unit))
}

func (d *decoder) asObject(path string, v any) (map[string]any, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		d.fail(path, "it must be an object")
	}
	return m, ok
}

func (d *decoder) list(path string, v any, t *Type, out reflect.Value) {
	l, ok := v.([]any)
	if !ok {
		d.fail(path, "it must be a list")
		return
	}
	if !d.count(path, len(l), t.MinItems, t.MaxItems, "elements") || !d.size(path, v, t) {
		return
	}
	out.Set(reflect.MakeSlice(t.Go, len(l), len(l)))
	for i, e := range l {
		if d.full() {
			return
		}
		d.value(path+"/"+strconv.Itoa(i), e, t.Elem, out.Index(i))
	}
}

func (d *decoder) dictionary(path string, v any, t *Type, out reflect.Value) {
	m, ok := d.asObject(path, v)
	if !ok || !d.count(path, len(m), t.MinProperties, t.MaxProperties, "fields") || !d.size(path, v, t) {
		return
	}
	if t.Go == reflect.TypeOf(m) && t.Elem.Constraints.none() {
		out.Set(reflect.ValueOf(m))
		return
	}
	out.Set(reflect.MakeMapWithSize(t.Go, len(m)))
	for name, e := range m {
		if d.full() {
			return
		}
		v := reflect.New(t.Go.Elem()).Elem()
		d.value(path+segment(name), e, t.Elem, v)
		out.SetMapIndex(reflect.ValueOf(name).Convert(t.Go.Key()), v)
	}
}

// none reports whether nothing is asked of a value.
func (c *Constraints) none() bool { return c.MaxBytes == nil }

// any keeps any JSON, as text or as a tree.
func (d *decoder) any(path string, v any, t *Type, out reflect.Value) {
	if v == nil {
		d.fail(path, "it must not be null")
		return
	}
	if !d.size(path, v, t) {
		return
	}
	if t.Go != rawType {
		out.Set(reflect.ValueOf(v))
		return
	}
	// What was read from JSON can be written as JSON.
	data, err := json.Marshal(v)
	if err != nil {
		d.fail(path, "it cannot be written: %v", err)
		return
	}
	out.SetBytes(data)
}

// size tests how many bytes a value has as JSON.
func (d *decoder) size(path string, v any, t *Type) bool {
	if t.MaxBytes == nil {
		return true
	}
	data, err := json.Marshal(v)
	if err == nil && len(data) > *t.MaxBytes {
		d.fail(path, "it must have at most %d bytes as JSON, not %d", *t.MaxBytes, len(data))
		return false
	}
	return true
}

// number keeps a number, and refuses one that its type cannot keep: nothing is
// rounded in silence.
func (d *decoder) number(path, text string, t *Type, out reflect.Value) {
	n, _ := parseDecimal(text)
	if t.Kind == Integer && !n.whole() {
		d.fail(path, "it must be a whole number")
		return
	}
	if !d.reason(path, t.checkNumber(text)) {
		return
	}
	switch {
	case t.Go == numberType:
		out.SetString(text)
	case t.Kind == Number:
		f, err := strconv.ParseFloat(text, t.Go.Bits())
		kept, _ := parseDecimal(strconv.FormatFloat(f, 'g', -1, t.Go.Bits()))
		if err != nil || math.IsInf(f, 0) || kept.compare(n) != 0 {
			d.fail(
				path,
				"it has more digits, or is larger or smaller, than a number of %d bits keeps",
				t.Go.Bits(),
			)
			return
		}
		out.SetFloat(f)
	default:
		d.integer(path, n, t, out)
	}
}

func (d *decoder) integer(path string, n decimal, t *Type, out reflect.Value) {
	text, ok := n.integer()
	if signed(t.Go) {
		if i, err := strconv.ParseInt(text, 10, t.Go.Bits()); ok && err == nil {
			out.SetInt(i)
			return
		}
	} else if u, err := strconv.ParseUint(text, 10, t.Go.Bits()); ok && err == nil {
		out.SetUint(u)
		return
	}
	d.fail(path, "it is larger or smaller than a whole number of %d bits", t.Go.Bits())
}
