package storetest

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"items-api/internal/api"
)

// mixed deletes half of some items, one of them twice, and creates others.
func (w *world) mixed(t *testing.T) (entries []api.BatchWriteEntry, deleted []string) {
	t.Helper()
	deleted = w.fill(t, w.alice, 49)
	for i := range 50 {
		entries = append(
			entries,
			api.BatchWriteEntry{Create: &api.ItemInput{Name: "new"}},
			api.BatchWriteEntry{Delete: &api.ItemRef{ID: deleted[i%len(deleted)]}},
		)
	}
	return entries, deleted
}

// check compares the results with what is there.
func (w *world) check(t *testing.T, entries []api.BatchWriteEntry, out api.BatchWriteResponse) {
	t.Helper()
	there := map[string]bool{}
	list, _ := w.all(t, w.alice, 100)
	for _, id := range list {
		there[id] = true
	}
	failed := 0
	for i, r := range out.Results {
		switch {
		case r.Code != "":
			failed++
		case entries[i].Create != nil:
			if r.Status != http.StatusCreated || !there[r.ID] {
				t.Errorf("entry %d is %+v, and there: %v", i, r, there[r.ID])
			}
			delete(there, r.ID)
		case r.Status != http.StatusNoContent || there[r.ID] || r.ID != entries[i].Delete.ID:
			t.Errorf("entry %d is %+v, and there: %v", i, r, there[r.ID])
		}
	}
	if failed != out.Failed {
		t.Errorf("%d failed, and it says %d", failed, out.Failed)
	}
	// What is there besides was not said to be gone.
	for id := range there {
		known := false
		for _, r := range out.Results {
			known = known || r.ID == id && r.Code != ""
		}
		if !known {
			t.Errorf("%s is there, and no result says so", id)
		}
	}
}

func batchWriteIsFourCalls(t *testing.T, w *world) {
	entries, _ := w.mixed(t)
	before := w.calls.count("BatchWriteItem")
	out, err := w.BatchWrite(t.Context(), w.alice, entries)
	if n := w.calls.count("BatchWriteItem") - before; err != nil || out.Failed > 0 || n != 4 {
		t.Errorf("%d failed in %d calls, %v", out.Failed, n, err)
	}
	w.check(t, entries, out)
	// What does not exist can be deleted.
	out, err = w.BatchWrite(
		t.Context(),
		w.alice,
		[]api.BatchWriteEntry{{Delete: &api.ItemRef{ID: uuid.Must(uuid.NewV7()).String()}}},
	)
	if err != nil || out.Failed > 0 || out.Results[0].Status != http.StatusNoContent {
		t.Errorf("got %+v, %v", out, err)
	}
}

func unprocessedItemsAreSentAgain(t *testing.T, w *world) {
	entries, _ := w.mixed(t)
	w.calls.divide = func(_ string, n int) bool { return n%3 != 0 }
	out, err := w.BatchWrite(t.Context(), w.alice, entries)
	if err != nil || out.Failed > 0 {
		t.Errorf("%d failed, %v", out.Failed, err)
	}
	w.check(t, entries, out)
	// When the time is over, what was not done is said not to be done.
	w.calls.divide = nil
	entries, _ = w.mixed(t)
	w.calls.divide = func(string, int) bool { return true }
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	out, err = w.BatchWrite(ctx, w.alice, entries)
	if err != nil || out.Failed == 0 || out.Failed == len(entries) {
		t.Errorf("%d failed, %v", out.Failed, err)
	}
	// A call that a busy machine did not get done in time was perhaps applied.
	cut := ctx.Err() != nil
	for i, r := range out.Results {
		if r.Code != "" && r.Code != api.Unavailable && !(cut && r.Code == api.OutcomeUnknown) {
			t.Errorf("entry %d is %+v", i, r)
		}
	}
}

func lostAnswersOfBatches(t *testing.T, w *world) {
	for _, done := range []bool{true, false} {
		entries, _ := w.mixed(t)
		for i := range entries {
			if c := entries[i].Create; c != nil {
				c.Description = new("done or not")
			}
		}
		w.lose("BatchWriteItem", done, 2)
		out, err := w.BatchWrite(t.Context(), w.alice, entries)
		if err != nil || done && out.Failed > 0 || !done && out.Failed == 0 {
			t.Errorf("applied %v: %d failed, %v", done, out.Failed, err)
		}
		for i, r := range out.Results {
			if r.Code != "" && (r.Code != api.OutcomeUnknown || entries[i].Create == nil) {
				t.Errorf("applied %v: entry %d is %+v", done, i, r)
			}
		}
		w.calls.before, w.calls.after = nil, nil
		// Of this round everything that succeeded is there, and nothing twice.
		list, _ := w.all(t, w.alice, 100)
		there := map[string]int{}
		for _, id := range list {
			there[id]++
		}
		for i, r := range out.Results {
			if want := entries[i].Create != nil &&
				r.Code == ""; want && there[r.ID] != 1 ||
				entries[i].Delete != nil && there[r.ID] > 0 {
				t.Errorf("applied %v: entry %d is %+v, and there %d times", done, i, r, there[r.ID])
			}
		}
		for _, id := range list {
			if _, err := w.Get(t.Context(), w.alice, id); err != nil {
				t.Error(err)
			}
		}
		out, err = w.BatchWrite(t.Context(), w.alice, deletions(list))
		if err != nil || out.Failed > 0 {
			t.Errorf("tidying: %d failed, %v", out.Failed, err)
		}
	}
}

// A deletion that was perhaps done is not said to be undone.
func lostAnswersOfBatchesToTheEnd(t *testing.T, w *world) {
	ids := w.fill(t, w.alice, 3)
	w.lose("BatchWriteItem", true, 1000)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	out, err := w.BatchWrite(ctx, w.alice, deletions(ids))
	if err != nil || out.Failed != len(ids) {
		t.Fatalf("got %+v, %v", out, err)
	}
	for _, r := range out.Results {
		if r.Code != api.OutcomeUnknown {
			t.Errorf("got %+v", r)
		}
	}
}

func deletions(ids []string) []api.BatchWriteEntry {
	var out []api.BatchWriteEntry
	for _, id := range ids {
		out = append(out, api.BatchWriteEntry{Delete: &api.ItemRef{ID: id}})
	}
	return out
}
