package store

import (
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
	exact, err := json.Marshal(in)
	if err != nil {
		return fingerprint{}, fmt.Errorf("encoding the body: %w", err)
	}
	if err := dropEmpty(reflect.ValueOf(&in).Elem()); err != nil {
		return fingerprint{}, err
	}
	bare, err := json.Marshal(in)
	return fingerprint{hash(string(exact)), hash(string(bare))}, err
}

// dropEmpty takes away the fields that were dropped formerly.
func dropEmpty(in reflect.Value) error {
	t, err := field.Of(in.Type())
	if err != nil {
		return err
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		v := in.FieldByIndex(f.Index)
		if !f.Optional || !slices.Contains(formerlyLost, f.Name) {
			continue
		}
		content := reflect.Indirect(v)
		switch content.Kind() {
		case reflect.String, reflect.Map:
			if content.Len() == 0 {
				v.SetZero()
			}
		}
	}
	return nil
}

// of reports whether a record is for this body.
func (f fingerprint) of(record attributes) bool {
	if exact := stringOf(record, attrExact); exact != "" {
		return exact == f.exact
	}
	return stringOf(record, attrBody) == f.bare
}
