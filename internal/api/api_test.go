package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"items-api/internal/seeds"
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
		if err := Decode(
			[]byte(`{"name":"x","description":"x","attributes":{},"ids":["x"]}`),
			v.Interface(),
		); err == nil {
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

// What is wrong is reported within bounds, in little time and memory. Not
// parallel: it counts what is allocated.
func TestReportsOfBadBodiesAreBounded(t *testing.T) {
	long := strings.Repeat("k", 30_000)
	for name, c := range map[string]struct {
		body string
		into any
	}{
		"many wrong elements":     {`{"ids":[` + strings.TrimSuffix(strings.Repeat("0,", 130_000), ",") + `]}`, &BatchGetRequest{}},
		"many empty entries":      {`{"entries":[` + strings.TrimSuffix(strings.Repeat("{},", 500_000), ",") + `]}`, &BatchWriteRequest{}},
		"many duplicates":         {`{"name":"x","attributes":{"` + long + `":{` + strings.TrimSuffix(strings.Repeat(`"a":1,`, 30_000), ",") + `}}}`, &ItemInput{}},
		"many unknown fields":     {`{"name":"x",` + unknown(20_000) + `}`, &ItemInput{}},
		"long name over a list":   {`{"name":"x","` + long + `":[` + strings.TrimSuffix(strings.Repeat("0,", 70_000), ",") + `]}`, &ItemInput{}},
		"long name that is odd":   {`{"name":"x","` + strings.Repeat("ä/~", 20_000) + `":1}`, &ItemInput{}},
		"hundred bad ids at most": {`{"ids":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 100), ",") + `]}`, &BatchGetRequest{}},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := Decode([]byte(c.body), c.into)
		runtime.ReadMemStats(&after)
		var e *Error
		if !errors.As(err, &e) || len(e.Fields) == 0 || len(e.Fields) > 100 {
			t.Fatalf("%s: got %v", name, err)
		}
		if data, err := json.Marshal(e.Fields); err != nil || len(data) > 30_000 {
			t.Errorf("%s: the report has %d bytes, %v", name, len(data), err)
		}
		// Most of it is the body itself, read into a tree.
		if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 400 {
			t.Errorf("%s: it took %d MB", name, used)
		}
	}
}

func unknown(n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(`"u%d":1`, i))
	}
	return strings.Join(out, ",")
}

func FuzzDecode(f *testing.F) {
	seeds.Add(f)
	f.Add([]byte(`{"name":"x","attributes":{"a":[1,null,{}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var in ItemInput
		if err := Decode(data, &in); err == nil && in.Name == "" {
			t.Errorf("%q was accepted without a name", data)
		}
	})
}
