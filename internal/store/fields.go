package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"items-api/internal/api"
	"items-api/internal/field"
)

// The fields of an item are attributes of the same names. A string is an S, a
// boolean a BOOL and a whole number an N: they lose nothing. All else is JSON
// text in an S. Numbers that may have a fraction are among that: those of JSON
// are not those of DynamoDB, which keeps 38 digits, from 1E-130 to 9.99E+125,
// no sign of a zero, and not the way in which one was written.

// reserved are attributes that the table itself needs. A field with such a name
// would overwrite a key, or make items expire.
var reserved = []string{api.PartitionKey, api.SortKey, api.TTLAttribute, attrWrite}

// Check tests that the fields of an item can be attributes.
func Check() error { return checkFields(reflect.TypeFor[api.Item]()) }

func checkFields(of reflect.Type) error {
	t, err := field.Of(of)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range t.Fields {
		if slices.Contains(reserved, f.Name) {
			errs = append(
				errs,
				fmt.Errorf("the field %s of %s has the name of an attribute of the table's own",
					f.Name, of),
			)
		}
	}
	return errors.Join(errs...)
}

// putFields adds the fields of a struct to attributes. One that is not set has
// no attribute.
func putFields(out attributes, v any) error {
	in := reflect.ValueOf(v)
	t, err := field.Of(in.Type())
	if err != nil {
		return err
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		a, err := attributeOf(f, in.FieldByIndex(f.Index))
		if err != nil {
			return fmt.Errorf("encoding the field %s: %w", f.Name, err)
		}
		if a != nil {
			out[f.Name] = a
		}
	}
	return nil
}

// attributeOf returns the attribute for a value, nil for one that is not set.
func attributeOf(f *field.Field, v reflect.Value) (types.AttributeValue, error) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		if v.IsNil() {
			return nil, nil
		}
	}
	if f.Type.Pointer {
		v = v.Elem()
	}
	switch f.Type.Kind {
	case field.String:
		return text(v.String()), nil
	case field.Boolean:
		return &types.AttributeValueMemberBOOL{Value: v.Bool()}, nil
	case field.Integer:
		if v.CanUint() {
			return &types.AttributeValueMemberN{Value: strconv.FormatUint(v.Uint(), 10)}, nil
		}
		return number(v.Int()), nil
	}
	data, err := json.Marshal(v.Interface())
	return text(string(data)), err
}

// getFields reads the fields of the struct that v points to from attributes. A
// field without an attribute, as in items that were made before it was declared,
// stays as it is; a required list or map is empty then, and not null.
func getFields(m attributes, v any) error {
	out := reflect.ValueOf(v).Elem()
	t, err := field.Of(out.Type())
	if err != nil {
		return err
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		to := out.FieldByIndex(f.Index)
		a, ok := m[f.Name]
		if !ok {
			setEmpty(f, to)
			continue
		}
		if f.Type.Pointer {
			to.Set(reflect.New(f.Type.Go))
			to = to.Elem()
		}
		if err := setField(f, to, a); err != nil {
			return fmt.Errorf("the attribute %s: %w", f.Name, err)
		}
	}
	return nil
}

func setEmpty(f *field.Field, to reflect.Value) {
	if f.Optional || f.Type.Pointer {
		return
	}
	switch f.Type.Kind {
	case field.List:
		to.Set(reflect.MakeSlice(f.Type.Go, 0, 0))
	case field.Map:
		to.Set(reflect.MakeMap(f.Type.Go))
	}
}

// setField sets a value from its attribute.
func setField(f *field.Field, to reflect.Value, a types.AttributeValue) error {
	switch a := a.(type) {
	case *types.AttributeValueMemberBOOL:
		if f.Type.Kind == field.Boolean {
			to.SetBool(a.Value)
			return nil
		}
	case *types.AttributeValueMemberN:
		if f.Type.Kind == field.Integer {
			return fromJSON(a.Value, to.Addr().Interface())
		}
	case *types.AttributeValueMemberS:
		switch f.Type.Kind {
		case field.String:
			to.SetString(a.Value)
			return nil
		case field.Boolean, field.Integer:
		default:
			return fromJSON(a.Value, to.Addr().Interface())
		}
	}
	return fmt.Errorf("it is a %T, which is no %s", a, f.Type.Kind)
}

// fromJSON reads JSON that the store wrote. Numbers of any JSON stay as they
// were written.
func fromJSON(text string, v any) error {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	return d.Decode(v)
}

// assignments returns the parts of an update that set the fields of a struct,
// and those that remove the ones that are not set. Names and values begin with
// #f and :f.
func assignments(v any, names map[string]string, vals attributes) (sets, removes []string, err error) {
	in := reflect.ValueOf(v)
	t, err := field.Of(in.Type())
	if err != nil {
		return nil, nil, err
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		place := "f" + strconv.Itoa(i)
		names["#"+place] = f.Name
		a, err := attributeOf(f, in.FieldByIndex(f.Index))
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("encoding the field %s: %w", f.Name, err)
		case a == nil:
			removes = append(removes, "#"+place)
		default:
			vals[":"+place] = a
			sets = append(sets, "#"+place+" = :"+place)
		}
	}
	return sets, removes, nil
}
