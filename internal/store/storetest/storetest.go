// Package storetest is what every database behind the store must pass: run
// against DynamoDB Local, and against a table on AWS when there is one. All
// tests share a table, and each has owners of its own.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/uuid"

	"items-api/internal/api"
	"items-api/internal/store"
)

// tests are run in parallel.
var tests = []func(*testing.T, *world){
	everyFieldComesBackAsItWasSent,
	versionsGuardWrites,
	severalVersionsAreOneCondition,
	racesHaveOneWinner,
	ownersCannotReachEachOther,
	idempotencyKeyKeepsTheFirstAnswer,
	lostAnswersOfCreates,
	lostAnswersOfReplacements,
	lostAnswersOfDeletions,
	lateDeletionsWereNotSaidToBeUndone,
	retriesDoNotUndoWhatOthersDid,
	refusalsAfterLostAnswersAreUnknown,
	throttledWritesAreTriedAgain,
	pagesHoldEveryItemOnce,
	tenThousandItems,
	cursorsBelongToTheirOwner,
	largeItemsMakeShortPages,
	batchGetIsOneCall,
	unprocessedKeysAreAskedForAgain,
	batchWriteIsFourCalls,
	unprocessedItemsAreSentAgain,
	lostAnswersOfBatches,
	lostAnswersOfBatchesToTheEnd,
	batchOfLargeItemsFitsIntoAnAnswer,
	hundredLargestItems,
	largestItemIsKept,
}

// Run runs the suite on a table whose keys are those of the declaration.
func Run(t *testing.T, db store.Database, table string) {
	for _, test := range tests {
		t.Run(name(test), func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(db, table))
		})
	}
}

// name is the test's function, as in versionsGuardWrites.
func name(test func(*testing.T, *world)) string {
	full := runtime.FuncForPC(reflect.ValueOf(test).Pointer()).Name()
	return full[strings.LastIndex(full, ".")+1:]
}

// world is a store with owners that nobody else has.
type world struct {
	*store.Store
	calls      *calls
	alice, bob string
	mu         sync.Mutex
	now        time.Time // the real time if zero
	table      string
}

func newWorld(db store.Database, table string) *world {
	id := uuid.NewString()
	w := &world{
		calls: &calls{Database: db, n: map[string]int{}},
		alice: "alice-" + id,
		bob:   "bob-" + id,
		table: table,
	}
	w.Store = store.New(w.calls, table, w.clock, func() string { return uuid.Must(uuid.NewV7()).String() })
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.now.IsZero() {
		return time.Now()
	}
	return w.now
}

func (w *world) create(t *testing.T, owner, name string) api.Item {
	t.Helper()
	it, err := w.Create(t.Context(), owner, api.ItemInput{Name: name}, "")
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// all lists everything of an owner by pages.
func (w *world) all(t *testing.T, owner string, limit int) (ids []string, pages int) {
	t.Helper()
	for after := ""; ; {
		page, err := w.List(t.Context(), owner, limit, after)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for _, it := range page.Items {
			ids = append(ids, it.ID)
		}
		if page.NextCursor == "" {
			return ids, pages
		}
		if after, err = store.CheckCursor(owner, page.NextCursor); err != nil {
			t.Fatal(err)
		}
	}
}

func code(err error) api.Code {
	var e *api.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return api.Code(fmt.Sprint(err))
}

func fails(_ api.Item, err error) error { return err }

// has is the precondition If-Match with versions.
func has(versions ...int64) store.Precondition {
	return store.Precondition{Match: &store.Versions{Of: versions}}
}

// lacks is the precondition If-None-Match with versions.
func lacks(versions ...int64) store.Precondition {
	return store.Precondition{None: &store.Versions{Of: versions}}
}

var (
	whatever  = store.Precondition{}
	existing  = store.Precondition{Match: &store.Versions{Any: true}}
	forbidden = store.Precondition{None: &store.Versions{Any: true}}
)

// calls counts calls by operation. before may fail a call that then is not
// made, after one that was.
type calls struct {
	store.Database
	mu            sync.Mutex
	n             map[string]int
	before, after func(operation string, n int) error
	// divide may hold back a part of a batch.
	divide func(operation string, n int) bool
}

func (c *calls) count(operation string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[operation]
}

func call[In, Out any](
	c *calls,
	operation string,
	do func(context.Context, In, ...func(*dynamodb.Options)) (Out, error),
	ctx context.Context,
	in In,
	o []func(*dynamodb.Options),
) (Out, error) {
	c.mu.Lock()
	c.n[operation]++
	n, before, after := c.n[operation], c.before, c.after
	c.mu.Unlock()
	var none Out
	if before != nil {
		if err := before(operation, n); err != nil {
			return none, err
		}
	}
	out, err := do(ctx, in, o...)
	if err == nil && after != nil {
		if lost := after(operation, n); lost != nil {
			return none, lost
		}
	}
	return out, err
}

func (c *calls) GetItem(
	ctx context.Context,
	in *dynamodb.GetItemInput,
	o ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	return call(c, "GetItem", c.Database.GetItem, ctx, in, o)
}

func (c *calls) PutItem(
	ctx context.Context,
	in *dynamodb.PutItemInput,
	o ...func(*dynamodb.Options),
) (*dynamodb.PutItemOutput, error) {
	return call(c, "PutItem", c.Database.PutItem, ctx, in, o)
}

func (c *calls) UpdateItem(
	ctx context.Context,
	in *dynamodb.UpdateItemInput,
	o ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	return call(c, "UpdateItem", c.Database.UpdateItem, ctx, in, o)
}

func (c *calls) DeleteItem(
	ctx context.Context,
	in *dynamodb.DeleteItemInput,
	o ...func(*dynamodb.Options),
) (*dynamodb.DeleteItemOutput, error) {
	return call(c, "DeleteItem", c.Database.DeleteItem, ctx, in, o)
}

func (c *calls) Query(
	ctx context.Context,
	in *dynamodb.QueryInput,
	o ...func(*dynamodb.Options),
) (*dynamodb.QueryOutput, error) {
	return call(c, "Query", c.Database.Query, ctx, in, o)
}

func (c *calls) TransactWriteItems(
	ctx context.Context,
	in *dynamodb.TransactWriteItemsInput,
	o ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	return call(c, "TransactWriteItems", c.Database.TransactWriteItems, ctx, in, o)
}

func (c *calls) BatchGetItem(
	ctx context.Context,
	in *dynamodb.BatchGetItemInput,
	o ...func(*dynamodb.Options),
) (*dynamodb.BatchGetItemOutput, error) {
	if c.divide != nil && c.divide("BatchGetItem", c.count("BatchGetItem")+1) {
		return call(c, "BatchGetItem", c.half, ctx, in, o)
	}
	return call(c, "BatchGetItem", c.Database.BatchGetItem, ctx, in, o)
}

func (c *calls) BatchWriteItem(
	ctx context.Context,
	in *dynamodb.BatchWriteItemInput,
	o ...func(*dynamodb.Options),
) (*dynamodb.BatchWriteItemOutput, error) {
	if c.divide != nil && c.divide("BatchWriteItem", c.count("BatchWriteItem")+1) {
		return call(c, "BatchWriteItem", c.halfOfWrites, ctx, in, o)
	}
	return call(c, "BatchWriteItem", c.Database.BatchWriteItem, ctx, in, o)
}

// half reads every other key and leaves the rest unprocessed.
func (c *calls) half(
	ctx context.Context,
	in *dynamodb.BatchGetItemInput,
	o ...func(*dynamodb.Options),
) (*dynamodb.BatchGetItemOutput, error) {
	now := *in
	now.RequestItems = copyOf(in.RequestItems)
	out := &dynamodb.BatchGetItemOutput{UnprocessedKeys: copyOf(in.RequestItems)}
	for table, part := range in.RequestItems {
		kept, left := part, part
		kept.Keys, left.Keys = nil, nil
		for i, k := range part.Keys {
			if i%2 == 0 {
				left.Keys = append(left.Keys, k)
			} else {
				kept.Keys = append(kept.Keys, k)
			}
		}
		if len(kept.Keys) == 0 {
			return &dynamodb.BatchGetItemOutput{UnprocessedKeys: in.RequestItems}, nil
		}
		now.RequestItems[table], out.UnprocessedKeys[table] = kept, left
	}
	got, err := c.Database.BatchGetItem(ctx, &now, o...)
	if err != nil {
		return nil, err
	}
	out.Responses = got.Responses
	return out, nil
}

func copyOf[V any](m map[string]V) map[string]V {
	out := map[string]V{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

// halfOfWrites does every other write and leaves the rest unprocessed.
func (c *calls) halfOfWrites(
	ctx context.Context,
	in *dynamodb.BatchWriteItemInput,
	o ...func(*dynamodb.Options),
) (*dynamodb.BatchWriteItemOutput, error) {
	now := *in
	now.RequestItems = copyOf(in.RequestItems)
	out := &dynamodb.BatchWriteItemOutput{UnprocessedItems: copyOf(in.RequestItems)}
	for table, writes := range in.RequestItems {
		kept, left := writes[:0:0], writes[:0:0]
		for i, w := range writes {
			if i%2 == 0 {
				left = append(left, w)
			} else {
				kept = append(kept, w)
			}
		}
		if len(kept) == 0 {
			return &dynamodb.BatchWriteItemOutput{UnprocessedItems: in.RequestItems}, nil
		}
		now.RequestItems[table], out.UnprocessedItems[table] = kept, left
	}
	if _, err := c.Database.BatchWriteItem(ctx, &now, o...); err != nil {
		return nil, err
	}
	return out, nil
}
