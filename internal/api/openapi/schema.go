package openapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"

	"items-api/internal/field"
)

type number = json.Number

// direction is who writes a value. In a request a field may be left out unless
// it is required, and unknown fields are refused; in a response what is not
// optional is there, and fields may be added one day.
type direction int

const (
	inResponse direction = iota
	inRequest
)

// schemas collects the schemas of structs, by name. Those of responses come
// first: a struct that is in requests too has "Input" at the end of its name
// there, since the two differ.
type schemas struct {
	all   map[string]schema
	names map[named]string
}

type named struct {
	of reflect.Type
	in direction
}

func newSchemas() *schemas {
	return &schemas{all: map[string]schema{}, names: map[named]string{}}
}

// of describes a type.
func (s *schemas) of(v any, d direction) (schema, error) {
	t, err := field.Of(reflect.TypeOf(v))
	if err != nil {
		return schema{}, err
	}
	return s.value(t, d)
}

func (s *schemas) value(t *field.Type, d direction) (schema, error) {
	out := schema{}
	var err error
	switch t.Kind {
	case field.Object:
		out, err = s.object(t, d)
	case field.List:
		var inner schema
		inner, err = s.value(t.Elem, d)
		out.Type, out.Items = t.Kind, &inner
	case field.Map:
		out.Type, out.AdditionalProperties = field.Object, true
		if t.Elem.Kind != field.Any {
			out.AdditionalProperties, err = s.value(t.Elem, d)
		}
	case field.Any:
		if !t.Nullable {
			out.Type = []field.Kind{field.Object, field.List, field.String, field.Number, field.Boolean}
		}
		return limited(out, t), nil
	default:
		out.Type = t.Kind
	}
	out = limited(out, t)
	if t.Nullable && out.Ref != "" {
		return schema{OneOf: []schema{out, {Type: "null"}}}, err
	}
	if t.Nullable {
		out.Type = []any{out.Type, "null"}
		if out.Enum != nil {
			out.Enum = append(out.Enum, nil)
		}
	}
	return out, err
}

// limited adds the constraints of a type.
func limited(out schema, t *field.Type) schema {
	if out.Ref != "" {
		return out
	}
	out.Format, out.Pattern = t.Format, t.Pattern
	if out.Pattern == "" {
		out.Pattern = field.FormatOf(t.Format).Pattern
	}
	for _, v := range t.Enum {
		out.Enum = append(out.Enum, json.RawMessage(v))
	}
	out.Minimum, out.Maximum = number(t.Minimum), number(t.Maximum)
	out.ExclusiveMinimum, out.ExclusiveMaximum = number(t.ExclusiveMinimum), number(t.ExclusiveMaximum)
	out.MinLength, out.MaxLength = t.MinLength, t.MaxLength
	out.MinItems, out.MaxItems = t.MinItems, t.MaxItems
	out.MinProperties, out.MaxProperties = t.MinProperties, t.MaxProperties
	if t.MaxBytes != nil {
		out.Description = fmt.Sprintf("At most %d bytes as JSON.", *t.MaxBytes)
	}
	switch t.Go.Kind() {
	case reflect.Int, reflect.Int64:
		out.Format = "int64"
	case reflect.Int32:
		out.Format = "int32"
	case reflect.Float32:
		out.Format = "float"
	case reflect.Float64:
		out.Format = "double"
	}
	return out
}

// object describes a struct once, and refers to that; one without a name is
// described where it stands.
func (s *schemas) object(t *field.Type, d direction) (schema, error) {
	if t.Go.Name() == "" {
		return s.members(t, d)
	}
	key := named{t.Go, d}
	if name, known := s.names[key]; known {
		return reference(name), nil
	}
	name := plain.ReplaceAllString(t.Go.Name(), "")
	if _, both := s.names[named{t.Go, inResponse}]; both {
		name += "Input"
	}
	if _, taken := s.all[name]; taken || name == "" {
		return schema{}, fmt.Errorf(
			"the type %s has no name of its own in the document: %q is taken",
			t.Go,
			name,
		)
	}
	s.names[key] = name
	s.all[name] = schema{} // the name is taken
	out, err := s.members(t, d)
	s.all[name] = limited(out, t)
	return reference(name), err
}

func (s *schemas) members(t *field.Type, d direction) (schema, error) {
	out := schema{Type: field.Object, Properties: map[string]schema{}}
	for _, f := range t.Fields {
		p, err := s.property(f, d)
		if err != nil {
			return schema{}, err
		}
		out.Properties[f.Name] = p
		if f.Required || d == inResponse && !f.Optional {
			out.Required = append(out.Required, f.Name)
		}
	}
	if d == inRequest {
		out.AdditionalProperties = false
	}
	return out, nil
}

func (s *schemas) property(f field.Field, d direction) (schema, error) {
	p, err := s.value(f.Type, d)
	p.Description = join(f.Description, p.Description)
	if f.Default != "" && d == inRequest {
		p.Default = json.RawMessage(f.Default)
	}
	if f.Example != "" {
		p.Examples = []any{example(f)}
	}
	return p, err
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}

// plain removes what a name in the document cannot have: the brackets of generic
// types, and the packages of what is between them.
var plain = regexp.MustCompile(`[\w./-]*\.|[^A-Za-z0-9]+`)

func reference(name string) schema { return schema{Ref: "#/components/schemas/" + name} }

func example(f field.Field) any {
	if f.Type.Kind == field.String {
		return f.Example
	}
	return json.RawMessage(f.Example)
}
