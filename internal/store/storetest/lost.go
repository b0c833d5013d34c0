package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"items-api/internal/api"
	"items-api/internal/store"
)

var errLost = errors.New("the connection was dropped")

// lose drops the answers of an operation: before it is done, or after.
func (w *world) lose(operation string, done bool, times int) {
	hook := func(op string, n int) error {
		if op == operation && n <= times {
			return errLost
		}
		return nil
	}
	w.calls.mu.Lock()
	defer w.calls.mu.Unlock()
	w.calls.n[operation], w.calls.before, w.calls.after = 0, nil, nil
	if done {
		w.calls.after = hook
	} else {
		w.calls.before = hook
	}
}

func lostAnswersOfCreates(t *testing.T, w *world) {
	w.lose("PutItem", true, 1)
	if it, err := w.Create(t.Context(), w.alice, api.ItemInput{Name: "x"}, ""); err != nil {
		t.Errorf("applied: got %v", err)
	} else if list, _ := w.all(t, w.alice, 100); len(list) != 1 || list[0] != it.ID {
		t.Errorf("applied: there are %v", list)
	}
	w.lose("PutItem", false, 1)
	if _, err := w.Create(
		t.Context(),
		w.alice,
		api.ItemInput{Name: "x"},
		"",
	); code(
		err,
	) != api.OutcomeUnknown {
		t.Errorf("not applied: got %v", err)
	}
	for _, done := range []bool{true, false} {
		key := fmt.Sprint("key", done)
		w.lose("TransactWriteItems", done, 1)
		if _, err := w.Create(
			t.Context(),
			w.bob,
			api.ItemInput{Name: "x"},
			key,
		); code(
			err,
		) != api.Unavailable {
			t.Errorf("with a key, applied %v: got %v", done, err)
		}
		first, err := w.Create(t.Context(), w.bob, api.ItemInput{Name: "x"}, key)
		if again, e := w.Create(
			t.Context(),
			w.bob,
			api.ItemInput{Name: "x"},
			key,
		); err != nil || e != nil ||
			again.ID != first.ID {
			t.Errorf("with a key, applied %v: got %v, %v", done, err, e)
		}
	}
	if list, _ := w.all(t, w.bob, 100); len(list) != 2 {
		t.Errorf("two keys made %v", list)
	}
}

func lostAnswersOfReplacements(t *testing.T, w *world) {
	for label, c := range map[string]struct {
		done bool
		p    store.Precondition
		want api.Code
	}{
		"applied":                   {true, has(1), ""},
		"not applied":               {false, has(1), ""},
		"applied without condition": {true, whatever, ""},
		// Nobody can tell, and it must not be done twice.
		"not applied without condition": {false, whatever, api.OutcomeUnknown},
	} {
		it := w.create(t, w.alice, "x")
		w.lose("UpdateItem", c.done, 1)
		got, err := w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "y"}, c.p)
		if c.want == "" && (err != nil || got.Version != 2 || got.Name != "y") ||
			c.want != "" && code(err) != c.want {
			t.Errorf("%s: got %+v, %v", label, got, err)
		}
		if now, err := w.Get(
			t.Context(),
			w.alice,
			it.ID,
		); err != nil || c.want == "" && now.Version != 2 ||
			now.Version > 2 {
			t.Errorf("%s: the item is %+v, %v", label, now, err)
		}
	}
}

func lostAnswersOfDeletions(t *testing.T, w *world) {
	for label, c := range map[string]struct {
		done bool
		p    store.Precondition
		want api.Code
	}{
		"applied":                    {true, whatever, ""},
		"not applied":                {false, whatever, ""},
		"not applied with a version": {false, has(1), ""},
		"applied with a version":     {true, has(1), api.OutcomeUnknown},
		// The item can get that version, and the call can be applied then.
		"with a later version": {false, has(7), api.OutcomeUnknown},
		"with no version":      {false, has(), api.PreconditionFailed},
	} {
		it := w.create(t, w.alice, "x")
		w.lose("DeleteItem", c.done, 1)
		err := w.Delete(t.Context(), w.alice, it.ID, c.p)
		if c.want == "" && err != nil || c.want != "" && code(err) != c.want {
			t.Errorf("%s: got %v", label, err)
		}
		wantGone := c.done || c.want == ""
		if _, err := w.Get(t.Context(), w.alice, it.ID); (code(err) == api.NotFound) != wantGone {
			t.Errorf("%s: the item is there or not: %v", label, err)
		}
	}
}

// Between a write whose answer is lost and its retry others write.
func retriesDoNotUndoWhatOthersDid(t *testing.T, w *world) {
	meanwhile := func(operation string, do func()) {
		w.calls.mu.Lock()
		defer w.calls.mu.Unlock()
		w.calls.n[operation], w.calls.before = 0, nil
		w.calls.after = func(op string, n int) error {
			if op != operation || n > 1 {
				return nil
			}
			do()
			return errLost
		}
	}
	other := newWorld(w.calls.Database, w.table)
	replace := func(id, name string) {
		if _, err := other.Replace(
			t.Context(),
			w.alice,
			id,
			api.ItemInput{Name: name},
			whatever,
		); err != nil {
			t.Error(err)
		}
	}
	remove := func(id string) {
		if err := other.Delete(t.Context(), w.alice, id, whatever); err != nil {
			t.Error(err)
		}
	}
	for _, p := range []store.Precondition{whatever, has(1)} {
		it := w.create(t, w.alice, "x")
		meanwhile("UpdateItem", func() { replace(it.ID, "other") })
		if _, err := w.Replace(
			t.Context(),
			w.alice,
			it.ID,
			api.ItemInput{Name: "mine"},
			p,
		); code(
			err,
		) != api.OutcomeUnknown {
			t.Errorf("a replacement that was replaced got %v", err)
		}
		if now, err := w.Get(
			t.Context(),
			w.alice,
			it.ID,
		); err != nil || now.Name != "other" ||
			now.Version != 3 {
			t.Errorf("the other's item is %+v, %v", now, err)
		}
		meanwhile("UpdateItem", func() { remove(it.ID) })
		if _, err := w.Replace(
			t.Context(),
			w.alice,
			it.ID,
			api.ItemInput{Name: "mine"},
			existing,
		); code(
			err,
		) != api.OutcomeUnknown {
			t.Errorf("a replacement that was deleted got %v", err)
		}
		if _, err := w.Get(t.Context(), w.alice, it.ID); code(err) != api.NotFound {
			t.Errorf("what the other deleted is back: %v", err)
		}
	}
	// Of several versions one may be what somebody made of it.
	it := w.create(t, w.alice, "x")
	meanwhile("UpdateItem", func() {
		if now, err := other.Replace(
			t.Context(),
			w.alice,
			it.ID,
			api.ItemInput{Name: "other"},
			has(2),
		); err != nil ||
			now.Version != 3 {
			t.Errorf("got %+v, %v", now, err)
		}
	})
	if _, err := w.Replace(
		t.Context(),
		w.alice,
		it.ID,
		api.ItemInput{Name: "mine"},
		has(1, 3),
	); code(
		err,
	) != api.OutcomeUnknown {
		t.Errorf("a replacement of one of several versions got %v", err)
	}
	if now, err := w.Get(t.Context(), w.alice, it.ID); err != nil || now.Name != "other" || now.Version != 3 {
		t.Errorf("the other's item is %+v, %v", now, err)
	}
	remove(it.ID)
	meanwhile("PutItem", func() {
		list, _ := other.all(t, w.alice, 100)
		remove(list[0])
	})
	if _, err := w.Create(
		t.Context(),
		w.alice,
		api.ItemInput{Name: "mine"},
		"",
	); code(
		err,
	) != api.OutcomeUnknown {
		t.Errorf("a create that was deleted got %v", err)
	}
	if list, _ := w.all(t, w.alice, 100); len(list) > 0 {
		t.Errorf("what the other deleted is back: %v", list)
	}
	meanwhile("BatchWriteItem", func() {
		list, _ := other.all(t, w.alice, 100)
		remove(list[0])
	})
	out, err := w.BatchWrite(
		t.Context(),
		w.alice,
		[]api.BatchWriteEntry{{Create: &api.ItemInput{Name: "mine"}}},
	)
	if err != nil || out.Failed != 1 || out.Results[0].Code != api.OutcomeUnknown {
		t.Errorf("a batch of which something was deleted got %+v, %v", out, err)
	}
	if list, _ := w.all(t, w.alice, 100); len(list) > 0 {
		t.Errorf("what the other deleted is back: %v", list)
	}
}

// After a lost answer a refusal does not tell that nothing was done.
func refusalsAfterLostAnswersAreUnknown(t *testing.T, w *world) {
	for operation, do := range map[string]func(id string) error{
		"UpdateItem": func(id string) error {
			return fails(w.Replace(t.Context(), w.alice, id, api.ItemInput{Name: "y"}, has(1)))
		},
		"DeleteItem": func(id string) error { return w.Delete(t.Context(), w.alice, id, has(1)) },
	} {
		it := w.create(t, w.alice, "x")
		w.calls.mu.Lock()
		w.calls.before = func(op string, n int) error {
			switch {
			case op == operation && n == 1:
				return errLost
			case op == operation:
				return &types.ProvisionedThroughputExceededException{Message: aws.String("x")}
			}
			return nil
		}
		w.calls.mu.Unlock()
		if err := do(it.ID); code(err) != api.OutcomeUnknown {
			t.Errorf("%s got %v", operation, err)
		}
	}
}

func throttledWritesAreTriedAgain(t *testing.T, w *world) {
	throttle := func(string, int) error {
		return &types.ProvisionedThroughputExceededException{Message: aws.String("x")}
	}
	it := w.create(t, w.alice, "x")
	w.calls.before = throttle
	for label, err := range map[string]error{
		"create":            fails(w.Create(t.Context(), w.alice, api.ItemInput{Name: "x"}, "")),
		"create with a key": fails(w.Create(t.Context(), w.alice, api.ItemInput{Name: "x"}, "k")),
		"replace":           fails(w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "y"}, whatever)),
		"delete":            w.Delete(t.Context(), w.alice, it.ID, whatever),
		"get":               fails(w.Get(t.Context(), w.alice, it.ID)),
	} {
		if code(err) != api.Unavailable {
			t.Errorf("%s: got %v", label, err)
		}
	}
	w.calls.before = nil
	if now, err := w.Get(t.Context(), w.alice, it.ID); err != nil || now.Version != 1 {
		t.Errorf("the item is %+v, %v", now, err)
	}
}
