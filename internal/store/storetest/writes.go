package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"items-api/internal/api"
	"items-api/internal/store"
)

func versionsGuardWrites(t *testing.T, w *world) {
	it := w.create(t, w.alice, "first")
	second, err := w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "second", Attributes: map[string]any{"k": "v"}}, has(1))
	if err != nil || second.Version != 2 || second.CreatedAt != it.CreatedAt || second.Attributes["k"] != "v" {
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
	if third, err := w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "third"}, existing); err != nil || third.Attributes != nil {
		t.Errorf("got %+v, %v", third, err)
	}
	if err := w.Delete(t.Context(), w.alice, it.ID, whatever); err != nil {
		t.Error(err)
	}
	for label, err := range map[string]error{"get": fails(w.Get(t.Context(), w.alice, it.ID)), "delete": w.Delete(t.Context(), w.alice, it.ID, whatever),
		"replace": fails(w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "x"}, whatever)), "guarded": w.Delete(t.Context(), w.alice, it.ID, has(1))} {
		if code(err) != api.NotFound {
			t.Errorf("%s of what is gone got %v", label, err)
		}
	}
}

// RFC 9110: If-Match holds for one of its tags, If-None-Match for none.
func severalVersionsAreOneCondition(t *testing.T, w *world) {
	both := store.Precondition{Match: &store.Versions{Of: []int64{1, 2, 3}}, None: &store.Versions{Of: []int64{2}}}
	for label, c := range map[string]struct {
		p    store.Precondition
		want bool // of version 2
	}{
		"one of several": {has(7, 2, 9), true}, "none of several": {has(1, 3), false}, "no version at all": {has(), false}, "any": {existing, true},
		"not one": {lacks(2), false}, "not others": {lacks(1, 3), true}, "not nothing": {lacks(), true}, "not any": {forbidden, false}, "both": {both, false},
	} {
		it := w.create(t, w.alice, "x")
		if _, err := w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "two"}, whatever); err != nil {
			t.Fatal(err)
		}
		calls := w.calls.count("UpdateItem")
		_, err := w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "three"}, c.p)
		if (err == nil) != c.want || err != nil && code(err) != api.PreconditionFailed || w.calls.count("UpdateItem") != calls+1 {
			t.Errorf("replacing with %s: got %v", label, err)
		}
		it = w.create(t, w.alice, "x")
		if _, err := w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "two"}, whatever); err != nil {
			t.Fatal(err)
		}
		if err = w.Delete(t.Context(), w.alice, it.ID, c.p); (err == nil) != c.want || err != nil && code(err) != api.PreconditionFailed {
			t.Errorf("deleting with %s: got %v", label, err)
		}
		// Of what does not exist nothing is made.
		if err := fails(w.Replace(t.Context(), w.bob, it.ID, api.ItemInput{Name: "x"}, c.p)); code(err) != api.NotFound {
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
		wait.Go(func() { items[i], errs[i] = w.Create(t.Context(), w.alice, api.ItemInput{Name: "once"}, "key") })
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
	if _, err := w.Create(t.Context(), w.alice, api.ItemInput{Name: "other"}, "key"); code(err) != api.IdempotencyKeyReused {
		t.Errorf("another body got %v", err)
	}
	if other, err := w.Create(t.Context(), w.bob, api.ItemInput{Name: "other"}, "key"); err != nil || other.ID == first.ID {
		t.Errorf("another owner got %+v, %v", other, err)
	}
	// The answer stays the first one, whatever became of the item.
	if err := w.Delete(t.Context(), w.alice, first.ID, whatever); err != nil {
		t.Fatal(err)
	}
	if again, err := w.Create(t.Context(), w.alice, api.ItemInput{Name: "once"}, "key"); err != nil || again.ID != first.ID {
		t.Errorf("after the deletion it got %+v, %v", again, err)
	}
	// It holds for 24 hours, to the last moment.
	later := func(d time.Duration) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.now = time.Now().Truncate(time.Second).Add(d)
	}
	later(900 * time.Millisecond)
	made, err := w.Create(t.Context(), w.alice, api.ItemInput{Name: "late"}, "late")
	if err != nil {
		t.Fatal(err)
	}
	later(24*time.Hour + 800*time.Millisecond)
	if again, err := w.Create(t.Context(), w.alice, api.ItemInput{Name: "late"}, "late"); err != nil || again.ID != made.ID {
		t.Errorf("just before 24 hours it got %+v, %v", again, err)
	}
	// A record that has expired and is still there counts as gone.
	later(25 * time.Hour)
	if again, err := w.Create(t.Context(), w.alice, api.ItemInput{Name: "other"}, "key"); err != nil || again.ID == first.ID {
		t.Errorf("after a day it got %+v, %v", again, err)
	}
}

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
	if _, err := w.Create(t.Context(), w.alice, api.ItemInput{Name: "x"}, ""); code(err) != api.OutcomeUnknown {
		t.Errorf("not applied: got %v", err)
	}
	for _, done := range []bool{true, false} {
		key := fmt.Sprint("key", done)
		w.lose("TransactWriteItems", done, 1)
		if _, err := w.Create(t.Context(), w.bob, api.ItemInput{Name: "x"}, key); code(err) != api.Unavailable {
			t.Errorf("with a key, applied %v: got %v", done, err)
		}
		first, err := w.Create(t.Context(), w.bob, api.ItemInput{Name: "x"}, key)
		if again, e := w.Create(t.Context(), w.bob, api.ItemInput{Name: "x"}, key); err != nil || e != nil || again.ID != first.ID {
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
		"applied": {true, has(1), ""}, "not applied": {false, has(1), ""}, "applied without condition": {true, whatever, ""},
		// Nobody can tell, and it must not be done twice.
		"not applied without condition": {false, whatever, api.OutcomeUnknown},
	} {
		it := w.create(t, w.alice, "x")
		w.lose("UpdateItem", c.done, 1)
		got, err := w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "y"}, c.p)
		if c.want == "" && (err != nil || got.Version != 2 || got.Name != "y") || c.want != "" && code(err) != c.want {
			t.Errorf("%s: got %+v, %v", label, got, err)
		}
		if now, err := w.Get(t.Context(), w.alice, it.ID); err != nil || c.want == "" && now.Version != 2 || now.Version > 2 {
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
		"applied": {true, whatever, ""}, "not applied": {false, whatever, ""}, "not applied with a version": {false, has(1), ""},
		"applied with a version": {true, has(1), api.OutcomeUnknown}, "with another version": {false, has(7), api.PreconditionFailed},
	} {
		it := w.create(t, w.alice, "x")
		w.lose("DeleteItem", c.done, 1)
		err := w.Delete(t.Context(), w.alice, it.ID, c.p)
		if c.want == "" && err != nil || c.want != "" && code(err) != c.want {
			t.Errorf("%s: got %v", label, err)
		}
		if _, err := w.Get(t.Context(), w.alice, it.ID); (code(err) == api.NotFound) == (c.want == api.PreconditionFailed) {
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
		if _, err := other.Replace(t.Context(), w.alice, id, api.ItemInput{Name: name}, whatever); err != nil {
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
		if _, err := w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "mine"}, p); code(err) != api.OutcomeUnknown {
			t.Errorf("a replacement that was replaced got %v", err)
		}
		if now, err := w.Get(t.Context(), w.alice, it.ID); err != nil || now.Name != "other" || now.Version != 3 {
			t.Errorf("the other's item is %+v, %v", now, err)
		}
		meanwhile("UpdateItem", func() { remove(it.ID) })
		if _, err := w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "mine"}, existing); code(err) != api.OutcomeUnknown {
			t.Errorf("a replacement that was deleted got %v", err)
		}
		if _, err := w.Get(t.Context(), w.alice, it.ID); code(err) != api.NotFound {
			t.Errorf("what the other deleted is back: %v", err)
		}
	}
	// Of several versions one may be what somebody made of it.
	it := w.create(t, w.alice, "x")
	meanwhile("UpdateItem", func() {
		if now, err := other.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "other"}, has(2)); err != nil || now.Version != 3 {
			t.Errorf("got %+v, %v", now, err)
		}
	})
	if _, err := w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "mine"}, has(1, 3)); code(err) != api.OutcomeUnknown {
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
	if _, err := w.Create(t.Context(), w.alice, api.ItemInput{Name: "mine"}, ""); code(err) != api.OutcomeUnknown {
		t.Errorf("a create that was deleted got %v", err)
	}
	if list, _ := w.all(t, w.alice, 100); len(list) > 0 {
		t.Errorf("what the other deleted is back: %v", list)
	}
	meanwhile("BatchWriteItem", func() {
		list, _ := other.all(t, w.alice, 100)
		remove(list[0])
	})
	out, err := w.BatchWrite(t.Context(), w.alice, []api.BatchWriteEntry{{Create: &api.ItemInput{Name: "mine"}}})
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
		"create": fails(w.Create(t.Context(), w.alice, api.ItemInput{Name: "x"}, "")), "create with a key": fails(w.Create(t.Context(), w.alice, api.ItemInput{Name: "x"}, "k")),
		"replace": fails(w.Replace(t.Context(), w.alice, it.ID, api.ItemInput{Name: "y"}, whatever)), "delete": w.Delete(t.Context(), w.alice, it.ID, whatever),
		"get": fails(w.Get(t.Context(), w.alice, it.ID)),
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

func ownersCannotReachEachOther(t *testing.T, w *world) {
	long := w.alice + string(make([]byte, 3000))
	for _, pair := range [][2]string{{w.alice, w.bob}, {long, long + "2"}, {w.alice, w.alice + "#ITEM"}} {
		it := w.create(t, pair[0], "mine")
		if _, err := w.Get(t.Context(), pair[0], it.ID); err != nil {
			t.Error(err)
		}
		for label, err := range map[string]error{"get": fails(w.Get(t.Context(), pair[1], it.ID)), "delete": w.Delete(t.Context(), pair[1], it.ID, whatever),
			"replace": fails(w.Replace(t.Context(), pair[1], it.ID, api.ItemInput{Name: "x"}, whatever))} {
			if code(err) != api.NotFound {
				t.Errorf("%s by another owner got %v", label, err)
			}
		}
		out, err := w.BatchGet(t.Context(), pair[1], []string{it.ID})
		if err != nil || len(out.Items) > 0 || len(out.Missing) != 1 {
			t.Errorf("got %+v, %v", out, err)
		}
		if out, err := w.BatchWrite(t.Context(), pair[1], []api.BatchWriteEntry{{Delete: &api.ItemRef{ID: it.ID}}}); err != nil || out.Failed > 0 {
			t.Errorf("got %+v, %v", out, err)
		}
		if _, err := w.Get(t.Context(), pair[0], it.ID); err != nil {
			t.Errorf("another owner's batch deleted it: %v", err)
		}
	}
}
