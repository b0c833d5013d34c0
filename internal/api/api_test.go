package api

import (
	"reflect"
	"testing"
)

func TestDeclarationIsSound(t *testing.T) {
	t.Parallel()
	operations, keys := map[Operation]bool{}, map[string]bool{}
	for _, r := range Routes() {
		if operations[r.Operation] || keys[r.Key()] {
			t.Errorf("%s (%s) stands twice", r.Key(), r.Operation)
		}
		operations[r.Operation], keys[r.Key()] = true, true
		if r.Summary == "" || r.Status == 0 {
			t.Errorf("%s lacks a summary or a status", r.Key())
		}
		for _, c := range r.Errors {
			if c.Status() == 0 || c.Title() == "" {
				t.Errorf("%s: the code %s has no status or title", r.Key(), c)
			}
		}
		if r.Request == nil {
			continue
		}
		// Every type of a request can be decoded: no field without a rule.
		v := reflect.New(reflect.TypeOf(r.Request))
		if err := Decode([]byte(`{"name":"x","description":"x","attributes":{},"ids":["x"]}`), v.Interface()); err == nil {
			t.Errorf("%s accepts fields that it does not know", r.Key())
		}
	}
}

func TestValidID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"01a20e01-f111-7a4a-b65a-dbd82bde526b": true, "01A20E01-F111-7A4A-B65A-DBD82BDE526B": false,
		"01a20e01-f111-4a4a-b65a-dbd82bde526b": false, "01a20e01f1117a4ab65adbd82bde526b": false, "": false,
	} {
		if ValidID(id) != want {
			t.Errorf("%q: got %v", id, !want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"name":"x","attributes":{"a":[1,null,{}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var in ItemInput
		if err := Decode(data, &in); err == nil && in.Name == "" {
			t.Errorf("%q was accepted without a name", data)
		}
	})
}
