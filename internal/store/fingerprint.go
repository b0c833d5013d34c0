package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"items-api/internal/api"
	"items-api/internal/field"
)

// Attributes of the record of an Idempotency-Key that say which body it is for.
const (
	attrBody  = "body"
	attrExact = "exactBody"
)

// formerlyLost are fields that were dropped when they were empty, until empty
// values were kept.
var formerlyLost = []string{"description", "attributes"}

// fingerprint is the hash of a body, twice: exactly, and without the empty
// fields that were dropped formerly. Records that the former version has made
// have the latter only, and that version reads no other: it may answer requests
// with the same keys, in a canary release and after a roll-back.
type fingerprint struct{ exact, bare string }

func fingerprintOf(in api.ItemInput) (fingerprint, error) {
	exact, err := canonical(in)
	if err != nil {
		return fingerprint{}, err
	}
	bare, err := canonical(in, formerlyLost...)
	return fingerprint{hash(exact), hash(bare)}, err
}

// canonical returns a struct as JSON without the fields that have the value of
// one that is left out, so that a key still fits when a field is declared
// between two requests. Empty strings and maps of the fields that are named are
// left out too.
func canonical(v any, dropped ...string) (string, error) {
	in := reflect.ValueOf(v)
	t, err := field.Of(in.Type())
	if err != nil {
		return "", err
	}
	absent := reflect.New(in.Type())
	// Its problems are the required fields.
	if _, err := field.Decode([]byte("{}"), absent.Interface()); err != nil {
		return "", err
	}
	var members [][]byte
	for i := range t.Fields {
		f := &t.Fields[i]
		value := in.FieldByIndex(f.Index)
		same := reflect.DeepEqual(value.Interface(), absent.Elem().FieldByIndex(f.Index).Interface())
		if same && !f.Required || slices.Contains(dropped, f.Name) && isEmpty(value) {
			continue
		}
		member, err := json.Marshal(map[string]any{f.Name: value.Interface()})
		if err != nil {
			return "", fmt.Errorf("encoding the field %s: %w", f.Name, err)
		}
		members = append(members, member[1:len(member)-1])
	}
	return "{" + string(bytes.Join(members, []byte(","))) + "}", nil
}

// isEmpty reports whether a value is an empty string or map, or points to one.
func isEmpty(v reflect.Value) bool {
	v = reflect.Indirect(v)
	return (v.Kind() == reflect.String || v.Kind() == reflect.Map) && v.Len() == 0
}

// of reports whether a record is for this body.
func (f fingerprint) of(record attributes) bool {
	if exact := stringOf(record, attrExact); exact != "" {
		return exact == f.exact
	}
	return stringOf(record, attrBody) == f.bare
}
