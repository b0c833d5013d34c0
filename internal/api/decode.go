package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds how deep a body may be nested.
const maxDepth = 32

// Decode reads a JSON body into the struct that v points to, strictly: unknown
// fields, wrong types, duplicate fields, text after the document and broken
// constraints are errors. All bad fields, up to 100, are reported at once, in an
// *Error with the code InvalidBody.
func Decode(data []byte, v any) error {
	if !utf8.Valid(data) {
		return Fail(InvalidBody, "", "the body is not UTF-8")
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return Fail(InvalidBody, "", "the body is missing; it must be a JSON object")
	}
	d := &decoder{json: json.NewDecoder(bytes.NewReader(data))}
	d.json.UseNumber()
	tree, err := d.value()
	if err == nil {
		if _, err = d.json.Token(); err == nil {
			err = errors.New("there is more after the JSON object")
		} else if err == io.EOF {
			err = nil
		}
	}
	if err != nil {
		return Fail(InvalidBody, "", "the body is no JSON: %v", err)
	}
	object, ok := tree.(map[string]any)
	if !ok {
		return Fail(InvalidBody, "", "the body must be a JSON object")
	}
	d.object("", object, reflect.ValueOf(v).Elem())
	if len(d.fields) > 0 {
		slices.SortFunc(d.fields, func(a, b FieldError) int { return strings.Compare(a.Field+a.Message, b.Field+b.Message) })
		return &Error{Code: InvalidBody, Fields: d.fields}
	}
	return nil
}

type decoder struct {
	json   *json.Decoder
	at     []string // where the value that is read stands
	fields []FieldError
}

const (
	// maxFields bounds how many bad fields are reported, and maxSegment how
	// many bytes of a name stand in their paths: an answer must not be larger
	// than its request.
	maxFields  = 100
	maxSegment = 64
)

func (d *decoder) fail(path, format string, args ...any) {
	if !d.full() {
		d.fields = append(d.fields, FieldError{path, fmt.Sprintf(format, args...)})
	}
}

func (d *decoder) full() bool { return len(d.fields) >= maxFields }

// segment is a name in a JSON pointer (RFC 6901), shortened if it is long.
func segment(name string) string {
	if len(name) > maxSegment {
		name = strings.ToValidUTF8(name[:maxSegment], "") + "..."
	}
	return "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// path is where the value that is read stands.
func (d *decoder) path() string {
	var b strings.Builder
	for _, name := range d.at {
		b.WriteString(segment(name))
	}
	return b.String()
}

// value reads one value, and notes fields that stand twice.
func (d *decoder) value() (any, error) {
	if len(d.at) > maxDepth {
		return nil, fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	}
	token, err := d.json.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	below := func(name string) (any, error) {
		d.at = append(d.at, name)
		v, err := d.value()
		d.at = d.at[:len(d.at)-1]
		return v, err
	}
	switch token {
	case json.Delim('{'):
		out := map[string]any{}
		for d.json.More() {
			name, err := d.json.Token()
			if err != nil {
				return nil, err
			}
			key, _ := name.(string)
			v, err := below(key)
			if err != nil {
				return nil, err
			}
			if _, twice := out[key]; twice && !d.full() {
				d.fail(d.path()+segment(key), "the field stands twice")
			}
			out[key] = v
		}
		_, err := d.json.Token()
		return out, err
	case json.Delim('['):
		out := []any{}
		for d.json.More() {
			v, err := below(strconv.Itoa(len(out)))
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		_, err := d.json.Token()
		return out, err
	}
	return token, nil
}

// object fills a struct and checks the constraints in its tags, and those of
// the struct itself in the tag of a field named "_".
func (d *decoder) object(path string, in map[string]any, out reflect.Value) {
	known := map[string]bool{}
	for i := range out.NumField() {
		field := out.Type().Field(i)
		if field.Name == "_" {
			d.between(path, len(in), field.Tag, "minProperties", "maxProperties", "fields")
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		known[name] = true
		v, given := in[name]
		switch {
		case given:
			d.field(path+"/"+name, v, field.Tag, out.Field(i))
		case field.Tag.Get("required") == "true":
			d.fail(path+"/"+name, "the field is missing")
		}
	}
	for name := range in {
		if !known[name] && !d.full() {
			d.fail(path+segment(name), "the field is not known")
		}
	}
}

func (d *decoder) field(path string, v any, tag reflect.StructTag, out reflect.Value) {
	switch out.Kind() {
	case reflect.String:
		s, ok := v.(string)
		if !ok {
			d.fail(path, "it must be a string")
			return
		}
		d.between(path, utf8.RuneCountInString(s), tag, "minLength", "maxLength", "characters")
		if tag.Get("format") == "uuid" && !ValidID(s) {
			d.fail(path, "it is no item id")
		}
		out.SetString(s)
	case reflect.Pointer, reflect.Struct:
		m, ok := v.(map[string]any)
		if !ok {
			d.fail(path, "it must be an object")
			return
		}
		if out.Kind() == reflect.Pointer {
			out.Set(reflect.New(out.Type().Elem()))
			out = out.Elem()
		}
		d.object(path, m, out)
	case reflect.Slice:
		l, ok := v.([]any)
		if !ok {
			d.fail(path, "it must be a list")
			return
		}
		if !d.between(path, len(l), tag, "minItems", "maxItems", "elements") {
			return
		}
		list := reflect.MakeSlice(out.Type(), len(l), len(l))
		inner := reflect.StructTag(`format:"` + tag.Get("items.format") + `"`)
		for i, e := range l {
			if d.full() {
				return
			}
			d.field(path+"/"+strconv.Itoa(i), e, inner, list.Index(i))
		}
		out.Set(list)
	case reflect.Map:
		m, ok := v.(map[string]any)
		if !ok {
			d.fail(path, "it must be an object")
			return
		}
		data, err := json.Marshal(m)
		if limit, _ := strconv.Atoi(tag.Get("maxBytes")); err == nil && limit > 0 && len(data) > limit {
			d.fail(path, "it must have at most %d bytes as JSON, not %d", limit, len(data))
		}
		out.Set(reflect.ValueOf(m))
	default:
		panic("no rule for a field of the kind " + out.Kind().String())
	}
}

// between tests a number against the limits in a tag.
func (d *decoder) between(path string, n int, tag reflect.StructTag, low, high, unit string) bool {
	if limit, err := strconv.Atoi(tag.Get(low)); err == nil && n < limit {
		d.fail(path, "it must have at least %d %s", limit, unit)
		return false
	}
	if limit, err := strconv.Atoi(tag.Get(high)); err == nil && n > limit {
		d.fail(path, "it must have at most %d %s, not %d", limit, unit, n)
		return false
	}
	return true
}

// ValidID reports whether s has the form of an item id: a UUID of version 7,
// in lower case.
func ValidID(s string) bool {
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
