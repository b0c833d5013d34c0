package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"items-api/internal/api"
	"items-api/internal/field"
	"items-api/internal/field/fieldtest"
)

// everyFieldComesBackAsItWasSent goes by the declared type, so that a field that
// is added there is tested.
func everyFieldComesBackAsItWasSent(t *testing.T, w *world) {
	of, err := field.Of(reflect.TypeFor[api.ItemInput]())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for part := range slices.Chunk(fieldtest.Objects(of), 50) {
		n++
		alone := &world{
			Store: w.Store,
			alice: fmt.Sprint(w.alice, n),
			bob:   fmt.Sprint(w.bob, n),
		}
		alone.fieldsComeBack(t, part)
	}
}

func (w *world) fieldsComeBack(t *testing.T, samples []fieldtest.Sample) {
	ins := make([]api.ItemInput, len(samples))
	var ids []string
	compare := func(by string, s fieldtest.Sample, it api.Item, err error) {
		t.Helper()
		data, e := json.Marshal(it)
		if err != nil || e != nil {
			t.Fatalf("%s of %s: %v, %v", by, s.JSON, err, e)
		}
		if lost := s.Lost(data); lost != "" {
			t.Errorf("%s of %s: %s", by, s.JSON, lost)
		}
	}
	for i, s := range samples {
		if err := api.Decode([]byte(s.JSON), &ins[i]); err != nil {
			t.Fatalf("%s: %v", s.JSON, err)
		}
		it, err := w.Create(t.Context(), w.alice, ins[i], "")
		compare("create", s, it, err)
		ids = append(ids, it.ID)
		got, err := w.Get(t.Context(), w.alice, it.ID)
		compare("get", s, got, err)
		key := fmt.Sprint("key ", i)
		for _, by := range []string{"create with a key", "the first answer to a key"} {
			it, err = w.Create(t.Context(), w.bob, ins[i], key)
			compare(by, s, it, err)
		}
	}
	w.compareLists(t, samples, ids, compare)
	// Each item takes the next one's place, so that fields come and go.
	for i := range samples {
		next := (i + 1) % len(samples)
		it, err := w.Replace(t.Context(), w.alice, ids[i], ins[next], whatever)
		compare("replace", samples[next], it, err)
		got, err := w.Get(t.Context(), w.alice, ids[i])
		compare("get after replace", samples[next], got, err)
	}
}

func (w *world) compareLists(t *testing.T, samples []fieldtest.Sample, ids []string,
	compare func(string, fieldtest.Sample, api.Item, error)) {
	t.Helper()
	list, err := w.List(t.Context(), w.alice, 100, "")
	if err != nil || len(list.Items) != len(samples) {
		t.Fatalf("got %d items, %v", len(list.Items), err)
	}
	some, err := w.BatchGet(t.Context(), w.alice, ids)
	if err != nil || len(some.Items) != len(samples) {
		t.Fatalf("got %d items, %v", len(some.Items), err)
	}
	var entries []api.BatchWriteEntry
	for i, s := range samples {
		compare("list", s, list.Items[len(samples)-1-i], nil)
		compare("batch-get", s, some.Items[i], nil)
		var in api.ItemInput
		if err := api.Decode([]byte(s.JSON), &in); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, api.BatchWriteEntry{Create: &in})
	}
	out, err := w.BatchWrite(t.Context(), w.bob, entries)
	if err != nil || out.Failed > 0 {
		t.Fatalf("got %+v, %v", out, err)
	}
	for i, s := range samples {
		it, err := w.Get(t.Context(), w.bob, out.Results[i].ID)
		compare("batch-write", s, it, err)
	}
}
