package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"items-api/internal/api"
	"items-api/internal/store"
)

// late keeps the first deletion back: its caller gets no answer, and it is
// applied when the test says so.
type late struct {
	store.Database
	held *dynamodb.DeleteItemInput
}

func (l *late) DeleteItem(
	ctx context.Context,
	in *dynamodb.DeleteItemInput,
	o ...func(*dynamodb.Options),
) (*dynamodb.DeleteItemOutput, error) {
	if l.held == nil {
		l.held = in
		return nil, errLost
	}
	return l.Database.DeleteItem(ctx, in, o...)
}

// deletes reports whether the deletion that was kept back deletes the item now.
func (l *late) deletes(t *testing.T) bool {
	t.Helper()
	_, err := l.Database.DeleteItem(t.Context(), l.held)
	var refused *types.ConditionalCheckFailedException
	if err != nil && !errors.As(err, &refused) {
		t.Error(err)
	}
	return err == nil
}

// A deletion whose answer was lost may be applied later, when the item has
// another version: 412 says that it never will.
func lateDeletionsWereNotSaidToBeUndone(t *testing.T, w *world) {
	both := func(match, none int64) store.Precondition {
		return store.Precondition{Match: has(match).Match, None: lacks(none).None}
	}
	for label, c := range map[string]struct {
		p       store.Precondition
		version int64 // when it is asked for
		want    api.Code
	}{
		"not this version":            {lacks(1), 1, api.OutcomeUnknown},
		"none of two versions":        {lacks(1, 2), 1, api.OutcomeUnknown},
		"the next version":            {has(2), 1, api.OutcomeUnknown},
		"an earlier and a later one":  {has(1, 3), 2, api.OutcomeUnknown},
		"an earlier version":          {has(1), 2, api.PreconditionFailed},
		"no version":                  {has(), 1, api.PreconditionFailed},
		"not any":                     {forbidden, 1, api.PreconditionFailed},
		"the next one, which is not":  {both(2, 2), 1, api.PreconditionFailed},
		"the next one, and not this":  {both(2, 1), 1, api.OutcomeUnknown},
		"an earlier one and not this": {both(1, 2), 2, api.PreconditionFailed},
	} {
		for replaced := range 3 {
			name := fmt.Sprintf("%s, replaced %d times", label, replaced)
			db := &late{Database: w.calls.Database}
			mine := newWorld(db, w.table)
			it := w.create(t, w.alice, "x")
			w.replaceUpTo(t, it.ID, c.version)
			err := mine.Delete(t.Context(), w.alice, it.ID, c.p)
			if code(err) != c.want {
				t.Errorf("%s: got %v", name, err)
			}
			w.replaceUpTo(t, it.ID, c.version+int64(replaced))
			if db.deletes(t) && code(err) == api.PreconditionFailed {
				t.Errorf("%s: it was deleted after the answer 412", name)
			}
		}
	}
}

// replaceUpTo replaces an item of alice's until it has a version.
func (w *world) replaceUpTo(t *testing.T, id string, version int64) {
	t.Helper()
	for {
		now, err := w.Get(t.Context(), w.alice, id)
		if err != nil {
			t.Fatal(err)
		}
		if now.Version >= version {
			return
		}
		next := api.ItemInput{Name: "other"}
		if _, err := w.Replace(t.Context(), w.alice, id, next, has(now.Version)); err != nil {
			t.Fatal(err)
		}
	}
}
