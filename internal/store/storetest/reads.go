package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"items-api/internal/api"
	"items-api/internal/store"
)

func pagesHoldEveryItemOnce(t *testing.T, w *world) {
	var want []string
	for i := range 60 {
		want = append(want, w.create(t, w.alice, fmt.Sprint(i)).ID)
	}
	w.create(t, w.bob, "foreign")
	slices.Reverse(want)
	for _, limit := range []int{1, 7, 20, 60, 100} {
		before := w.calls.count("Query")
		got, pages := w.all(t, w.alice, limit)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d:\n%s", limit, diff)
		}
		if want := (60 + limit - 1) / limit; pages != want || w.calls.count("Query")-before != want {
			t.Errorf(
				"limit %d took %d pages and %d queries, want %d",
				limit,
				pages,
				w.calls.count("Query")-before,
				want,
			)
		}
	}
}

// fill creates items by batches and returns their ids.
func (w *world) fill(t *testing.T, owner string, n int) []string {
	t.Helper()
	var ids []string
	for len(ids) < n {
		var entries []api.BatchWriteEntry
		for range min(100, n-len(ids)) {
			entries = append(entries, api.BatchWriteEntry{Create: &api.ItemInput{Name: "x"}})
		}
		out, err := w.BatchWrite(t.Context(), owner, entries)
		if err != nil || out.Failed > 0 {
			t.Fatalf("%d failed, %v", out.Failed, err)
		}
		for _, r := range out.Results {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// All are listed once, also while others are written and deleted.
func tenThousandItems(t *testing.T, w *world) {
	const n = 10_000
	want := w.fill(t, w.alice, n)
	slices.Sort(want)
	slices.Reverse(want)
	got, pages := w.all(t, w.alice, 100)
	if !slices.Equal(got, want) || pages != n/100 {
		t.Errorf("%d of %d were listed in %d pages, or not in order", len(got), n, pages)
	}
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	written := 0
	writer.Go(func() {
		for ; ctx.Err() == nil; written++ {
			it, err := w.Create(t.Context(), w.alice, api.ItemInput{Name: "meanwhile"}, "")
			if err == nil && written%2 == 0 {
				err = w.Delete(t.Context(), w.alice, it.ID, whatever)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	got, _ = w.all(t, w.alice, 100)
	stop()
	writer.Wait()
	seen := map[string]bool{}
	for _, id := range got {
		if seen[id] {
			t.Errorf("%s was listed twice", id)
		}
		seen[id] = true
	}
	missing := 0
	for _, id := range want {
		if !seen[id] {
			missing++
		}
	}
	if missing > 0 || written == 0 {
		t.Errorf("%d items were not listed while %d others were written", missing, written)
	}
}

func cursorsBelongToTheirOwner(t *testing.T, w *world) {
	w.fill(t, w.alice, 3)
	page, err := w.List(t.Context(), w.alice, 2, "")
	if err != nil || page.NextCursor == "" {
		t.Fatalf("got %+v, %v", page, err)
	}
	if _, err := store.CheckCursor(w.bob, page.NextCursor); code(err) != api.InvalidCursor {
		t.Errorf("another owner's cursor got %v", err)
	}
	for _, bad := range []string{"", "x", page.NextCursor + "A", page.NextCursor[1:], strings.ToUpper(page.NextCursor), strings.Repeat("A", 1000)} {
		if _, err := store.CheckCursor(w.alice, bad); code(err) != api.InvalidCursor {
			t.Errorf("%q got %v", bad, err)
		}
	}
}

// large is an item of nearly the largest size that the API takes.
func large() api.ItemInput {
	return api.ItemInput{
		Name:        strings.Repeat("\U0001F600", 256),
		Description: new(strings.Repeat("\U0001F600", 4096)),
		Attributes:  map[string]any{"a": strings.Repeat("x", 65536-8)},
	}
}

// A page of DynamoDB has 1 MB at most.
func largeItemsMakeShortPages(t *testing.T, w *world) {
	var want []string
	for range 30 {
		it, err := w.Create(t.Context(), w.alice, large(), "")
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, it.ID)
	}
	slices.Reverse(want)
	got, pages := w.all(t, w.alice, 100)
	if diff := cmp.Diff(want, got); diff != "" || pages < 3 {
		t.Errorf("%d pages of 2.4 MB:\n%s", pages, diff)
	}
}

func largestItemIsKept(t *testing.T, w *world) {
	in := large()
	it, err := w.Create(t.Context(), w.alice, in, "key") // its record holds it once more
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.Get(t.Context(), w.alice, it.ID)
	if err != nil || got.Name != in.Name || *got.Description != *in.Description ||
		got.Attributes["a"] != in.Attributes["a"] {
		t.Errorf("it came back changed, %v", err)
	}
	if again, err := w.Create(t.Context(), w.alice, in, "key"); err != nil || again.ID != it.ID {
		t.Errorf("got %v, %v", again.ID, err)
	}
	if _, err := w.Replace(t.Context(), w.alice, it.ID, in, has(1)); err != nil {
		t.Error(err)
	}
}

// A hundred of the largest items are 8 MB: less than the 16 MB of a
// BatchGetItem, and more than an answer of a function may have.
func hundredLargestItems(t *testing.T, w *world) {
	var entries []api.BatchWriteEntry
	for range 100 {
		in := large()
		entries = append(entries, api.BatchWriteEntry{Create: &in})
	}
	made, err := w.BatchWrite(t.Context(), w.alice, entries)
	if err != nil || made.Failed > 0 {
		t.Fatalf("%d failed, %v", made.Failed, err)
	}
	var open []string
	for _, r := range made.Results {
		open = append(open, r.ID)
	}
	got := 0
	for rounds := 1; len(open) > 0; rounds++ {
		out, err := w.BatchGet(t.Context(), w.alice, open)
		if err != nil || len(out.Items) == 0 || len(out.Missing) > 0 || rounds > 4 ||
			w.calls.count("BatchGetItem") != rounds {
			t.Fatalf(
				"round %d: %d items, %d missing in %d calls, %v",
				rounds,
				len(out.Items),
				len(out.Missing),
				w.calls.count("BatchGetItem"),
				err,
			)
		}
		got += len(out.Items)
		open = out.Unprocessed
	}
	if got != 100 {
		t.Errorf("%d items were read", got)
	}
}

func batchGetIsOneCall(t *testing.T, w *world) {
	ids := w.fill(t, w.alice, 100)
	slices.Reverse(ids)
	missing := uuid.Must(uuid.NewV7()).String()
	out, err := w.BatchGet(t.Context(), w.alice, append(slices.Clone(ids[:99]), ids[0], missing, missing))
	if err != nil || len(out.Items) != 99 || !slices.Equal(out.Missing, []string{missing}) ||
		w.calls.count("BatchGetItem") != 1 {
		t.Fatalf(
			"got %d items and the missing %v in %d calls, %v",
			len(out.Items),
			out.Missing,
			w.calls.count("BatchGetItem"),
			err,
		)
	}
	for i, it := range out.Items {
		if it.ID != ids[i] {
			t.Fatalf("the item %d is %s, want %s", i, it.ID, ids[i])
		}
	}
}

func unprocessedKeysAreAskedForAgain(t *testing.T, w *world) {
	ids := w.fill(t, w.alice, 100)
	w.calls.divide = func(_ string, n int) bool { return n < 5 }
	out, err := w.BatchGet(t.Context(), w.alice, ids)
	if err != nil || len(out.Items) != 100 || len(out.Unprocessed)+len(out.Missing) > 0 ||
		w.calls.count("BatchGetItem") != 5 {
		t.Errorf(
			"got %d items, %v unprocessed, %v missing in %d calls, %v",
			len(out.Items),
			out.Unprocessed,
			out.Missing,
			w.calls.count("BatchGetItem"),
			err,
		)
	}
	// When the time is over, what is open is said to be open.
	w.calls.divide = func(string, int) bool { return true }
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	out, err = w.BatchGet(ctx, w.alice, ids)
	if err != nil || len(out.Unprocessed) == 0 || len(out.Items) == 0 || len(out.Missing) > 0 ||
		len(out.Items)+len(out.Unprocessed) != 100 {
		t.Errorf(
			"when time is short it got %d items, %d unprocessed, %v missing, %v",
			len(out.Items),
			len(out.Unprocessed),
			out.Missing,
			err,
		)
	}
}

// Quotes take two bytes each within the JSON text that a function returns.
func batchOfLargeItemsFitsIntoAnAnswer(t *testing.T, w *world) {
	quotes := make([]any, 21_800)
	for i := range quotes {
		quotes[i] = ""
	}
	var entries []api.BatchWriteEntry
	for range 64 {
		entries = append(entries, api.BatchWriteEntry{Create: &api.ItemInput{
			Name:       "x",
			Attributes: map[string]any{"a": quotes},
		}})
	}
	made, err := w.BatchWrite(t.Context(), w.alice, entries)
	if err != nil || made.Failed > 0 {
		t.Fatalf("%d failed, %v", made.Failed, err)
	}
	var ids []string
	for _, r := range made.Results {
		ids = append(ids, r.ID)
	}
	out, err := w.BatchGet(t.Context(), w.alice, ids)
	if err != nil || len(out.Items) == 0 || len(out.Unprocessed) == 0 ||
		len(out.Items)+len(out.Unprocessed) != len(ids) {
		t.Fatalf("%d items, %d unprocessed, %v", len(out.Items), len(out.Unprocessed), err)
	}
	data, err := json.Marshal(out)
	if err == nil {
		data, err = json.Marshal(string(data))
	}
	const limit = 6_291_556
	if n := len(data); err != nil || n > limit-10_000 || n < limit/2 {
		t.Errorf("the answer has %d bytes, %v", n, err)
	}
}
