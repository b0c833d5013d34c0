// Package field says which fields a declared Go type has in JSON, of which kind
// they are, and which constraints hold for them. Whoever reads, checks, keeps or
// describes values of declared types goes by it, so that a field that one of
// them knows is known to all. It imports the standard library only, and nothing
// of this project.
package field

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"unicode"
)

// Kind is what a value is in JSON.
type Kind string

// The kinds. Null is no kind of its own: it is a value of types that are
// Nullable, and of Any.
const (
	String  Kind = "string"
	Integer Kind = "integer"
	Number  Kind = "number"
	Boolean Kind = "boolean"
	List    Kind = "array"
	// Object has the fields that its type declares, Map has fields of any name.
	Object Kind = "object"
	Map    Kind = "map"
	// Any is any JSON.
	Any Kind = "any"
)

// Type describes a Go type.
type Type struct {
	Kind Kind
	// Go is the type itself, without the pointer that it may stand behind.
	Go      reflect.Type
	Pointer bool
	// Nullable: null is among the values.
	Nullable bool
	// Fields are those of an Object, in the order of the declaration. Those of
	// an embedded struct stand in its place.
	Fields []Field
	// Elem is the type of the elements of a List or a Map.
	Elem *Type
	Constraints
}

// Field is a field of an object.
type Field struct {
	Name        string
	Description string
	Example     string
	// Required: callers must send it.
	Required bool
	// Optional: it is left out of JSON while it has Go's zero value, or is
	// empty. Another one is always there.
	Optional bool
	// Default is the value of a field that callers leave out, as JSON; "" for
	// none.
	Default string
	// Index finds the field in a value, as reflect.Value.FieldByIndex does.
	Index []int
	Type  *Type
	// omitsEmpty: empty lists and maps are left out too.
	omitsEmpty bool
}

// Of describes a type. A type with a kind of field, or a tag, that is not
// supported is an error that names all such fields.
func Of(t reflect.Type) (*Type, error) {
	if known, ok := described.Load(t); ok {
		d := known.(description)
		return d.of, d.err
	}
	of, err := (&reader{}).value("", t, tags{}, false)
	described.Store(t, description{of, err})
	return of, err
}

// described keeps what was found out of each type: reading tags is the costly
// part.
var described sync.Map

type description struct {
	of  *Type
	err error
}

// Sendable tests that a value of the type can be sent and comes back as it was
// sent. A field that is left out while it is zero does not: a caller's 0, false
// or "" would be lost. It must be a pointer then, or have constraints that
// exclude that value; lists and maps need omitzero in place of omitempty.
func (t *Type) Sendable() error {
	var errs []error
	t.sendable(t.name(), &errs)
	return errors.Join(errs...)
}

func (t *Type) sendable(path string, errs *[]error) {
	if t.Elem != nil {
		t.Elem.sendable(path+"[]", errs)
	}
	for _, f := range t.Fields {
		at := path + "." + f.Name
		f.Type.sendable(at, errs)
		if !f.Optional {
			if f.unset() {
				*errs = append(*errs, fmt.Errorf("the field %s would be null when it is left out: give it "+
					"json:%q or required:\"true\"", at, f.Name+",omitzero"))
			}
			continue
		}
		switch kind := f.Type.Kind; {
		case f.Type.Pointer:
		case f.omitsEmpty && (kind == List || kind == Map):
			*errs = append(*errs, fmt.Errorf("the field %s loses a value that is empty: give it json:%q "+
				"in place of omitempty", at, f.Name+",omitzero"))
		case kind == Object, f.Default != "":
			*errs = append(
				*errs,
				fmt.Errorf("the field %s loses a value that is zero: take omitempty or omitzero "+
					"away, or make it a pointer", at),
			)
		case kind == List, kind == Map, kind == Any, f.Type.excludesZero():
		default:
			*errs = append(
				*errs,
				fmt.Errorf("the field %s loses a value that is zero: make it a pointer", at),
			)
		}
	}
}

// unset reports whether a value may be without the field, and JSON cannot.
func (f Field) unset() bool {
	kind := f.Type.Kind
	return !f.Required && !f.Type.Pointer && (kind == List || kind == Map)
}

func (t *Type) name() string {
	if t.Go.Name() == "" {
		return t.Go.String()
	}
	return t.Go.Name()
}

// reader reads declarations. It knows on the way which structs it is in: a type
// that contains itself has no end.
type reader struct {
	within []reflect.Type
}

var (
	numberType    = reflect.TypeFor[json.Number]()
	rawType       = reflect.TypeFor[json.RawMessage]()
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()
)

// value describes a value of the type t. Optional values are left out of JSON
// while they are nil, so that a pointer is no way to say null for them.
func (r *reader) value(path string, t reflect.Type, own tags, optional bool) (*Type, error) {
	out := &Type{Go: t}
	if t.Kind() == reflect.Pointer {
		out.Go, out.Pointer, out.Nullable = t.Elem(), true, !optional
	}
	if path == "" {
		path = out.name()
	}
	kind, err := kindOf(out.Go)
	if err != nil {
		return nil, fmt.Errorf("the field %s: %w", path, err)
	}
	out.Kind = kind
	var errs []error
	switch kind {
	case Any:
		if out.Pointer {
			return nil, fmt.Errorf("the field %s: the type %s is not supported: any JSON has null already, "+
				"so declare %s", path, t, out.Go)
		}
		out.Nullable = !optional || out.Go == rawType
	case Object:
		out.Fields, err = r.fields(path, out.Go)
		errs = append(errs, err, own.addOf(path, out.Go))
	case List:
		out.Elem, err = r.value(path+"[]", out.Go.Elem(), own.below(itemTags), false)
		errs = append(errs, err)
	case Map:
		out.Elem, err = r.value(path+"[]", out.Go.Elem(), own.below(valueTags), false)
		errs = append(errs, err)
	}
	out.Constraints, err = own.constraints(kind, out.Go)
	if err != nil {
		errs = append(errs, fmt.Errorf("the field %s: %w", path, err))
	}
	return out, errors.Join(errs...)
}

func kindOf(t reflect.Type) (Kind, error) {
	switch {
	case t == numberType:
		return Number, nil
	case t == rawType:
		return Any, nil
	case t.Kind() == reflect.Interface && t.NumMethod() == 0:
		return Any, nil
	case t.Implements(marshaler), reflect.PointerTo(t).Implements(marshaler),
		t.Implements(textMarshaler), reflect.PointerTo(t).Implements(textMarshaler):
		return "", fmt.Errorf("the type %s is not supported: it makes its JSON itself", t)
	}
	switch t.Kind() {
	case reflect.String:
		return String, nil
	case reflect.Bool:
		return Boolean, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return Integer, nil
	case reflect.Float32, reflect.Float64:
		return Number, nil
	case reflect.Struct:
		return Object, nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "", fmt.Errorf("the type %s is not supported: JSON has no bytes; declare a string", t)
		}
		return List, nil
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return "", fmt.Errorf("the type %s is not supported: names in JSON are strings", t)
		}
		return Map, nil
	}
	return "", fmt.Errorf("the type %s, of the kind %s, is not supported", t, t.Kind())
}

// fields describes the fields of a struct. A field named "_" carries the
// constraints of the struct itself and is none of them.
func (r *reader) fields(path string, t reflect.Type) ([]Field, error) {
	for _, outer := range r.within {
		if outer == t {
			return nil, fmt.Errorf("the field %s: the type %s contains itself", path, t)
		}
	}
	r.within = append(r.within, t)
	defer func() { r.within = r.within[:len(r.within)-1] }()
	var out []Field
	var errs []error
	seen := map[string]bool{}
	add := func(f Field) {
		if seen[f.Name] {
			errs = append(errs, fmt.Errorf("the field %s.%s is declared twice", path, f.Name))
		}
		seen[f.Name] = true
		out = append(out, f)
	}
	for i := range t.NumField() {
		sf := t.Field(i)
		switch {
		case sf.Name == "_":
		case sf.Anonymous:
			inner, err := r.embedded(path, sf)
			errs = append(errs, err)
			for _, f := range inner {
				f.Index = append([]int{i}, f.Index...)
				add(f)
			}
		default:
			f, err := r.field(path, sf)
			errs = append(errs, err)
			if err == nil {
				f.Index = []int{i}
				add(f)
			}
		}
	}
	return out, errors.Join(errs...)
}

// takenByJSON reports whether encoding/json takes a name from a tag. Source:
// isValidTag of encoding/json.
func takenByJSON(name string) bool {
	return strings.IndexFunc(name, func(c rune) bool {
		punctuation := strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c)
		return !punctuation && !unicode.IsLetter(c) && !unicode.IsDigit(c)
	}) < 0
}

func (r *reader) embedded(path string, sf reflect.StructField) ([]Field, error) {
	if sf.Type.Kind() != reflect.Struct || sf.Tag != "" || !sf.IsExported() {
		return nil, fmt.Errorf(
			"the field %s.%s: only exported structs can be embedded, without a tag",
			path,
			sf.Name,
		)
	}
	if own, _ := sf.Type.FieldByName("_"); own.Tag != "" {
		return nil, fmt.Errorf("the field %s.%s: the constraints `%s` of an embedded struct would be lost: "+
			"they belong to the struct that it is embedded in", path, sf.Name, own.Tag)
	}
	return r.fields(path, sf.Type)
}

func (r *reader) field(path string, sf reflect.StructField) (Field, error) {
	path += "." + sf.Name
	own, err := parse(sf.Tag)
	if err != nil {
		return Field{}, fmt.Errorf("the field %s: %w", path, err)
	}
	name, options, _ := strings.Cut(own.take("json"), ",")
	switch {
	case !sf.IsExported():
		return Field{}, fmt.Errorf("the field %s is not exported, so that JSON does not have it", path)
	case name == "" || name == "-":
		return Field{}, fmt.Errorf("the field %s needs a name: a tag such as json:\"colour\"", path)
	case !takenByJSON(name):
		return Field{}, fmt.Errorf(
			"the field %s cannot be named %q: encoding/json would take the name of Go; "+
				"use letters, digits and punctuation other than quotes, backslash and comma",
			path,
			name,
		)
	case options != "" && options != "omitempty" && options != "omitzero":
		return Field{}, fmt.Errorf(
			"the field %s: the option %q of the tag json is not supported",
			path,
			options,
		)
	}
	f := Field{
		Name:        name,
		Description: own.take("description"),
		Example:     own.take("example"),
		Default:     own.take("default"),
		Optional:    options != "",
		omitsEmpty:  options == "omitempty",
	}
	if required := own.take("required"); required != "" && required != "true" {
		return Field{}, fmt.Errorf(
			"the field %s: the tag required is %q; it can be \"true\" only",
			path,
			required,
		)
	} else {
		f.Required = required != ""
	}
	if f.Type, err = r.value(path, sf.Type, own, f.Optional); err != nil {
		return Field{}, err
	}
	return f, f.checkDefault(path)
}

// checkDefault tests a default as if a caller sent it.
func (f *Field) checkDefault(path string) error {
	if f.Default == "" {
		return nil
	}
	if f.Required {
		return fmt.Errorf("the field %s is required: its default is never used", path)
	}
	if f.Type.Kind == String {
		text, err := json.Marshal(f.Default)
		if err != nil {
			return err
		}
		f.Default = string(text)
	}
	d := &decoder{}
	v, err := d.read([]byte(f.Default))
	if err == nil {
		d.value("", v, f.Type, reflect.New(f.Type.holder()).Elem())
	}
	if err != nil || len(d.problems) > 0 {
		return fmt.Errorf(
			"the field %s: its default %s is not a value of it: %v %v",
			path,
			f.Default,
			err,
			d.problems,
		)
	}
	return nil
}

// holder is the Go type with its pointer.
func (t *Type) holder() reflect.Type {
	if t.Pointer {
		return reflect.PointerTo(t.Go)
	}
	return t.Go
}
