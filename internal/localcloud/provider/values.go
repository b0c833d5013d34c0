package provider

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// values are the properties of a resource as plain Go values: nil, bool,
// float64, string, []any, map[string]any, *bundle and Unknown.
type values map[string]any

// Unknown stands for a value that is not known during a preview.
type Unknown struct{}

func (v values) str(name string) string {
	s, _ := v[name].(string)
	return s
}

func (v values) boolean(name string) bool {
	b, _ := v[name].(bool)
	return b
}

func (v values) number(name string) float64 {
	n, _ := v[name].(float64)
	return n
}

func (v values) object(name string) values {
	m, _ := v[name].(map[string]any)
	return m
}

func (v values) list(name string) []any {
	l, _ := v[name].([]any)
	return l
}

func (v values) strings(name string) []string {
	var out []string
	for _, e := range v.list(name) {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func (v values) stringMap(name string) map[string]string {
	out := map[string]string{}
	for k, e := range v.object(name) {
		if s, ok := e.(string); ok {
			out[k] = s
		}
	}
	return out
}

// has reports whether a property has a value, known or not.
func (v values) has(name string) bool {
	e, ok := v[name]
	return ok && e != nil
}

// known reports whether a value holds no Unknown.
func known(v any) bool {
	switch v := v.(type) {
	case Unknown:
		return false
	case []any:
		for _, e := range v {
			if !known(e) {
				return false
			}
		}
	case map[string]any:
		for _, e := range v {
			if !known(e) {
				return false
			}
		}
	}
	return true
}

// fromPulumi turns properties of the engine into plain values.
func fromPulumi(m resource.PropertyMap) (values, error) {
	out := values{}
	for k, v := range m {
		e, err := plain(v)
		if err != nil {
			return nil, fmt.Errorf("property %s: %w", k, err)
		}
		if e != nil {
			out[string(k)] = e
		}
	}
	return out, nil
}

func plain(v resource.PropertyValue) (any, error) {
	switch {
	case v.IsNull():
		return nil, nil
	case v.IsBool():
		return v.BoolValue(), nil
	case v.IsNumber():
		return v.NumberValue(), nil
	case v.IsString():
		return v.StringValue(), nil
	case v.IsComputed():
		return Unknown{}, nil
	case v.IsOutput():
		if !v.OutputValue().Known {
			return Unknown{}, nil
		}
		return plain(v.OutputValue().Element)
	case v.IsSecret():
		return plain(v.SecretValue().Element)
	case v.IsArchive():
		return &bundle{Archive: v.ArchiveValue()}, nil
	case v.IsArray():
		out := make([]any, 0, len(v.ArrayValue()))
		for _, e := range v.ArrayValue() {
			p, err := plain(e)
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		}
		return out, nil
	case v.IsObject():
		m, err := fromPulumi(v.ObjectValue())
		return map[string]any(m), err
	default:
		return nil, fmt.Errorf("a value of the kind %s is not supported by the local cloud", v.TypeString())
	}
}

// toPulumi is the inverse of fromPulumi.
func toPulumi(v values) resource.PropertyMap {
	out := resource.PropertyMap{}
	for k, e := range v {
		out[resource.PropertyKey(k)] = engineValue(e)
	}
	return out
}

func engineValue(v any) resource.PropertyValue {
	switch v := v.(type) {
	case nil:
		return resource.NewNullProperty()
	case Unknown:
		return resource.MakeComputed(resource.NewStringProperty(""))
	case bool:
		return resource.NewBoolProperty(v)
	case float64:
		return resource.NewNumberProperty(v)
	case string:
		return resource.NewStringProperty(v)
	case *bundle:
		return resource.NewArchiveProperty(v.Archive)
	case []any:
		out := make([]resource.PropertyValue, len(v))
		for i := range v {
			out[i] = engineValue(v[i])
		}
		return resource.NewArrayProperty(out)
	case []string:
		out := make([]resource.PropertyValue, len(v))
		for i := range v {
			out[i] = resource.NewStringProperty(v[i])
		}
		return resource.NewArrayProperty(out)
	case map[string]any:
		return resource.NewObjectProperty(toPulumi(v))
	case values:
		return resource.NewObjectProperty(toPulumi(v))
	default:
		panic(fmt.Sprintf("a %T is no value of a property", v))
	}
}

// document returns the JSON text of a Document: the text itself, or the
// encoding of an object.
func document(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encoding a document: %w", err)
	}
	return string(data), nil
}

// clone copies a value down to its leaves.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = clone(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = clone(v[i])
		}
		return out
	default:
		return v
	}
}

func (v values) clone() values {
	return clone(map[string]any(v)).(map[string]any)
}
