package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"items-api/internal/api"
	"items-api/internal/store"
)

func versionsGuardWrites(t *testing.T, w *world) {
	it := w.create(t, w.alice, "first")
	second, err := w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{
		Name:       "second",
		Attributes: map[string]any{"k": "v"},
	}, has(1))
	if err != nil || second.Version != 2 || second.CreatedAt != it.CreatedAt ||
		second.Attributes["k"] != "v" {
		t.Fatalf("got %+v, %v", second, err)
	}
	_, err = w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "lost"}, has(1))
	var e *api.Error
	if !errors.As(err, &e) || e.Code != api.PreconditionFailed || e.CurrentVersion != 2 {
		t.Errorf("a stale write got %v", err)
	}
	if err := w.Delete(t.Context(), w.alice, it.ID, has(1)); code(err) != api.PreconditionFailed {
		t.Errorf("a stale deletion got %v", err)
	}
	got, err := w.Get(t.Context(), w.alice, it.ID)
	if diff := cmp.Diff(second, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if third, err := w.Replace(
		t.Context(),
		w.alice,
		it.ID,
		api.ItemInput{Name: "third"},
		existing,
	); err != nil ||
		third.Attributes != nil {
		t.Errorf("got %+v, %v", third, err)
	}
	if err := w.Delete(t.Context(), w.alice, it.ID, whatever); err != nil {
		t.Error(err)
	}
	for label, err := range map[string]error{
		"get":     fails(w.Get(t.Context(), w.alice, it.ID)),
		"delete":  w.Delete(t.Context(), w.alice, it.ID, whatever),
		"replace": fails(w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "x"}, whatever)),
		"guarded": w.Delete(t.Context(), w.alice, it.ID, has(1)),
	} {
		if code(err) != api.NotFound {
			t.Errorf("%s of what is gone got %v", label, err)
		}
	}
}

// RFC 9110: If-Match holds for one of its tags, If-None-Match for none.
func severalVersionsAreOneCondition(t *testing.T, w *world) {
	both := store.Precondition{
		Match: &store.Versions{Of: []int64{1, 2, 3}},
		None:  &store.Versions{Of: []int64{2}},
	}
	for label, c := range map[string]struct {
		p    store.Precondition
		want bool // of version 2
	}{
		"one of several":    {has(7, 2, 9), true},
		"none of several":   {has(1, 3), false},
		"no version at all": {has(), false},
		"any":               {existing, true},
		"not one":           {lacks(2), false},
		"not others":        {lacks(1, 3), true},
		"not nothing":       {lacks(), true},
		"not any":           {forbidden, false},
		"both":              {both, false},
	} {
		it := w.create(t, w.alice, "x")
		if _, err := w.Replace(
			t.Context(),
			w.alice,
			it.ID,
			api.ItemInput{Name: "two"},
			whatever,
		); err != nil {
			t.Fatal(err)
		}
		calls := w.calls.count("UpdateItem")
		_, err := w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "three"}, c.p)
		if (err == nil) != c.want || err != nil && code(err) != api.PreconditionFailed ||
			w.calls.count("UpdateItem") != calls+1 {
			t.Errorf("replacing with %s: got %v", label, err)
		}
		it = w.create(t, w.alice, "x")
		if _, err := w.Replace(
			t.Context(),
			w.alice,
			it.ID,
			api.ItemInput{Name: "two"},
			whatever,
		); err != nil {
			t.Fatal(err)
		}
		if err = w.Delete(
			t.Context(),
			w.alice,
			it.ID,
			c.p,
		); (err == nil) != c.want ||
			err != nil && code(err) != api.PreconditionFailed {
			t.Errorf("deleting with %s: got %v", label, err)
		}
		// Of what does not exist nothing is made.
		if err := fails(
			w.Replace(t.Context(), w.bob, it.ID, api.ItemInput{Name: "x"}, c.p),
		); code(
			err,
		) != api.NotFound {
			t.Errorf("replacing what is not there with %s: got %v", label, err)
		}
	}
	if w.calls.count("GetItem") > 0 {
		t.Error("a write read before")
	}
}

func racesHaveOneWinner(t *testing.T, w *world) {
	it := w.create(t, w.alice, "x")
	const n = 8
	var wait sync.WaitGroup
	errs := make([]error, n)
	for i := range errs {
		wait.Go(func() {
			_, errs[i] = w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: fmt.Sprint(i)}, has(1))
		})
	}
	wait.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case code(err) != api.PreconditionFailed:
			t.Errorf("a loser got %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d won", won, n)
	}
}

func idempotencyKeyKeepsTheFirstAnswer(t *testing.T, w *world) {
	var wait sync.WaitGroup
	items := make([]api.Item, 8)
	errs := make([]error, len(items))
	for i := range items {
		wait.Go(
			func() { items[i], errs[i] = w.Create(t.Context(), w.alice, api.ItemInput{Name: "once"}, "key") },
		)
	}
	wait.Wait()
	first, err := w.Create(t.Context(), w.alice, api.ItemInput{Name: "once"}, "key")
	if err != nil {
		t.Fatal(err)
	}
	for i, it := range items {
		if errs[i] == nil && it.ID != first.ID {
			t.Errorf("one key made %s and %s", first.ID, it.ID)
		}
		if errs[i] != nil && code(errs[i]) != api.Unavailable {
			t.Errorf("got %v", errs[i])
		}
	}
	if list, _ := w.all(t, w.alice, 100); len(list) != 1 {
		t.Errorf("%d items were made", len(list))
	}
	if _, err := w.Create(
		t.Context(),
		w.alice,
		api.ItemInput{Name: "other"},
		"key",
	); code(
		err,
	) != api.IdempotencyKeyReused {
		t.Errorf("another body got %v", err)
	}
	if other, err := w.Create(
		t.Context(),
		w.bob,
		api.ItemInput{Name: "other"},
		"key",
	); err != nil ||
		other.ID == first.ID {
		t.Errorf("another owner got %+v, %v", other, err)
	}
	// The answer stays the first one, whatever became of the item.
	if err := w.Delete(t.Context(), w.alice, first.ID, whatever); err != nil {
		t.Fatal(err)
	}
	if again, err := w.Create(
		t.Context(),
		w.alice,
		api.ItemInput{Name: "once"},
		"key",
	); err != nil ||
		again.ID != first.ID {
		t.Errorf("after the deletion it got %+v, %v", again, err)
	}
	// It holds for 24 hours, to the last moment.
	begin := time.Now().Truncate(time.Second)
	later := func(d time.Duration) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.now = begin.Add(d)
	}
	later(900 * time.Millisecond)
	made, err := w.Create(t.Context(), w.alice, api.ItemInput{Name: "late"}, "late")
	if err != nil {
		t.Fatal(err)
	}
	later(24*time.Hour + 800*time.Millisecond)
	if again, err := w.Create(
		t.Context(),
		w.alice,
		api.ItemInput{Name: "late"},
		"late",
	); err != nil ||
		again.ID != made.ID {
		t.Errorf("just before 24 hours it got %+v, %v", again, err)
	}
	// A record that has expired and is still there counts as gone.
	later(25 * time.Hour)
	if again, err := w.Create(
		t.Context(),
		w.alice,
		api.ItemInput{Name: "other"},
		"key",
	); err != nil ||
		again.ID == first.ID {
		t.Errorf("after a day it got %+v, %v", again, err)
	}
}

func ownersCannotReachEachOther(t *testing.T, w *world) {
	long := w.alice + string(make([]byte, 3000))
	for _, pair := range [][2]string{{w.alice, w.bob}, {long, long + "2"}, {w.alice, w.alice + "#ITEM"}} {
		it := w.create(t, pair[0], "mine")
		if _, err := w.Get(t.Context(), pair[0], it.ID); err != nil {
			t.Error(err)
		}
		for label, err := range map[string]error{
			"get":     fails(w.Get(t.Context(), pair[1], it.ID)),
			"delete":  w.Delete(t.Context(), pair[1], it.ID, whatever),
			"replace": fails(w.Replace(t.Context(), pair[1], it.ID, api.ItemInput{Name: "x"}, whatever)),
		} {
			if code(err) != api.NotFound {
				t.Errorf("%s by another owner got %v", label, err)
			}
		}
		out, err := w.BatchGet(t.Context(), pair[1], []string{it.ID})
		if err != nil || len(out.Items) > 0 || len(out.Missing) != 1 {
			t.Errorf("got %+v, %v", out, err)
		}
		if out, err := w.BatchWrite(
			t.Context(),
			pair[1],
			[]api.BatchWriteEntry{{Delete: &api.ItemRef{ID: it.ID}}},
		); err != nil ||
			out.Failed > 0 {
			t.Errorf("got %+v, %v", out, err)
		}
		if _, err := w.Get(t.Context(), pair[0], it.ID); err != nil {
			t.Errorf("another owner's batch deleted it: %v", err)
		}
	}
}
