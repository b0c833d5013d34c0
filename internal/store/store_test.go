package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"items-api/internal/api"
	"items-api/internal/localcloud/dynamodb/databasetest"
)

var shared databasetest.Shared

func TestMain(m *testing.M) { shared.Main(m) }

// counting counts calls, and may answer instead of the database.
type counting struct {
	Database
	mu    sync.Mutex
	n     map[string]int
	batch func(*dynamodb.BatchGetItemInput) (*dynamodb.BatchGetItemOutput, error)
	after func(call string) error // what the caller gets although the call was applied
}

func (c *counting) count(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[name]++
	if c.after != nil {
		return c.after(name)
	}
	return nil
}

func (c *counting) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	if err := c.count("BatchGetItem"); err != nil {
		return nil, err
	}
	if c.batch != nil {
		if out, err := c.batch(in); out != nil || err != nil {
			return out, err
		}
	}
	return c.Database.BatchGetItem(ctx, in, o...)
}

func (c *counting) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	if err := c.count("Query"); err != nil {
		return nil, err
	}
	return c.Database.Query(ctx, in, o...)
}

// PutItem is applied, and then sent again as the SDK does when the first
// answer was lost, if after says so.
func (c *counting) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	out, err := c.Database.PutItem(ctx, in, o...)
	if c.count("PutItem") != nil {
		return c.Database.PutItem(ctx, in, o...)
	}
	return out, err
}

func (c *counting) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	out, err := c.Database.UpdateItem(ctx, in, o...)
	if c.count("UpdateItem") != nil {
		return c.Database.UpdateItem(ctx, in, o...)
	}
	return out, err
}

func newStore(t *testing.T) (*Store, *counting) {
	t.Helper()
	name := shared.Table(t, api.PartitionKey, api.SortKey)
	c := &counting{Database: shared.Client(t), n: map[string]int{}}
	return New(c, name, time.Now, func() string { return uuid.Must(uuid.NewV7()).String() }), c
}

func create(t *testing.T, s *Store, owner, name string) api.Item {
	t.Helper()
	it, err := s.Create(t.Context(), owner, api.ItemInput{Name: name}, "")
	if err != nil {
		t.Fatal(err)
	}
	return it
}

func code(err error) api.Code {
	var e *api.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return api.Code(fmt.Sprint(err))
}

func version(n int64) Version { return &n }

func TestActionsAreThoseOfTheCalls(t *testing.T) {
	t.Parallel()
	want := []string{"dynamodb:BatchGetItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"}
	if diff := cmp.Diff(want, Actions()); diff != "" {
		t.Error(diff)
	}
}

func TestVersionsGuardWrites(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	it := create(t, s, "a", "first")
	second, err := s.Replace(t.Context(), "a", it.ID, api.ItemInput{Name: "second", Attributes: map[string]any{"k": "v"}}, version(1))
	if err != nil || second.Version != 2 || second.CreatedAt != it.CreatedAt || second.Attributes["k"] != "v" {
		t.Fatalf("got %+v, %v", second, err)
	}
	_, err = s.Replace(t.Context(), "a", it.ID, api.ItemInput{Name: "lost"}, version(1))
	var e *api.Error
	if !errors.As(err, &e) || e.Code != api.PreconditionFailed || e.CurrentVersion != 2 {
		t.Errorf("a stale write got %v", err)
	}
	if err := s.Delete(t.Context(), "a", it.ID, version(1)); code(err) != api.PreconditionFailed {
		t.Errorf("a stale deletion got %v", err)
	}
	got, err := s.Get(t.Context(), "a", it.ID)
	if diff := cmp.Diff(second, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if third, err := s.Replace(t.Context(), "a", it.ID, api.ItemInput{Name: "third"}, version(0)); err != nil || third.Attributes != nil {
		t.Errorf("got %+v, %v", third, err)
	}
	if err := s.Delete(t.Context(), "a", it.ID, nil); err != nil {
		t.Error(err)
	}
	for label, err := range map[string]error{"get": second1(s.Get(t.Context(), "a", it.ID)), "delete": s.Delete(t.Context(), "a", it.ID, nil),
		"replace": second1(s.Replace(t.Context(), "a", it.ID, api.ItemInput{Name: "x"}, nil))} {
		if code(err) != api.NotFound {
			t.Errorf("%s of a deleted item got %v", label, err)
		}
	}
}

func second1(_ api.Item, err error) error { return err }

func TestOwnersCannotReachEachOther(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	long := strings.Repeat("o", 3000)
	for _, pair := range [][2]string{{"a", "b"}, {long, long + "2"}, {"a", "a#ITEM"}} {
		it := create(t, s, pair[0], "mine")
		if _, err := s.Get(t.Context(), pair[0], it.ID); err != nil {
			t.Error(err)
		}
		for label, err := range map[string]error{"get": second1(s.Get(t.Context(), pair[1], it.ID)), "delete": s.Delete(t.Context(), pair[1], it.ID, nil),
			"replace": second1(s.Replace(t.Context(), pair[1], it.ID, api.ItemInput{Name: "x"}, nil))} {
			if code(err) != api.NotFound {
				t.Errorf("%s by another owner got %v", label, err)
			}
		}
		out, err := s.BatchGet(t.Context(), pair[1], []string{it.ID})
		if err != nil || len(out.Items) > 0 || !slices.Equal(out.Missing, []string{it.ID}) {
			t.Errorf("got %+v, %v", out, err)
		}
	}
}

func TestIdempotencyKeyKeepsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	var wait sync.WaitGroup
	items := make([]api.Item, 8)
	errs := make([]error, len(items))
	for i := range items {
		wait.Go(func() { items[i], errs[i] = s.Create(t.Context(), "a", api.ItemInput{Name: "once"}, "key") })
	}
	wait.Wait()
	first, err := s.Create(t.Context(), "a", api.ItemInput{Name: "once"}, "key")
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
	if list, err := s.List(t.Context(), "a", 100, ""); err != nil || len(list.Items) != 1 {
		t.Errorf("%d items were made, %v", len(list.Items), err)
	}
	if _, err := s.Create(t.Context(), "a", api.ItemInput{Name: "other"}, "key"); code(err) != api.IdempotencyKeyReused {
		t.Errorf("another body got %v", err)
	}
	if other, err := s.Create(t.Context(), "b", api.ItemInput{Name: "other"}, "key"); err != nil || other.ID == first.ID {
		t.Errorf("another owner got %+v, %v", other, err)
	}
	// A record that has expired and is still there counts as gone.
	s.now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	if again, err := s.Create(t.Context(), "a", api.ItemInput{Name: "other"}, "key"); err != nil || again.ID == first.ID {
		t.Errorf("after a day it got %+v, %v", again, err)
	}
}

func TestRetryOfAnAppliedWriteIsNoConflict(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	c.after = func(string) error { return errors.New("the first answer was lost") }
	it, err := s.Create(t.Context(), "a", api.ItemInput{Name: "x"}, "")
	if err != nil {
		t.Fatal(err)
	}
	replaced, err := s.Replace(t.Context(), "a", it.ID, api.ItemInput{Name: "y"}, version(1))
	if err != nil || replaced.Version != 2 || replaced.Name != "y" {
		t.Errorf("got %+v, %v", replaced, err)
	}
}

func TestPagesHoldEveryItemOnce(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	var want []string
	for i := range 60 {
		want = append(want, create(t, s, "a", fmt.Sprint(i)).ID)
	}
	create(t, s, "b", "foreign")
	slices.Reverse(want)
	for _, limit := range []int{1, 7, 20, 60, 100} {
		c.n["Query"] = 0
		var got []string
		pages := 0
		for after := ""; ; pages++ {
			page, err := s.List(t.Context(), "a", limit, after)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range page.Items {
				got = append(got, it.ID)
			}
			if page.NextCursor == "" {
				break
			}
			if after, err = CheckCursor("a", page.NextCursor); err != nil {
				t.Fatal(err)
			}
			if _, err := CheckCursor("b", page.NextCursor); code(err) != api.InvalidCursor {
				t.Errorf("another owner's cursor got %v", err)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d:\n%s", limit, diff)
		}
		if want := (60 + limit - 1) / limit; pages+1 != want || c.n["Query"] != want {
			t.Errorf("limit %d took %d pages and %d queries, want %d", limit, pages+1, c.n["Query"], want)
		}
	}
}

func TestBatchGetIsOneCall(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	var ids []string
	for i := range 100 {
		ids = append(ids, create(t, s, "a", fmt.Sprint(i)).ID)
	}
	slices.Reverse(ids)
	out, err := s.BatchGet(t.Context(), "a", append(ids, ids[0]))
	if err != nil || len(out.Items) != 100 || c.n["BatchGetItem"] != 1 {
		t.Fatalf("got %d items in %d calls, %v", len(out.Items), c.n["BatchGetItem"], err)
	}
	for i, it := range out.Items {
		if it.ID != ids[i] {
			t.Fatalf("the item %d is %s, want %s", i, it.ID, ids[i])
		}
	}
}

func TestUnprocessedKeysAreAskedForAgainWhileThereIsTime(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	a, b := create(t, s, "a", "a"), create(t, s, "a", "b")
	left := 3
	c.batch = func(in *dynamodb.BatchGetItemInput) (*dynamodb.BatchGetItemOutput, error) {
		if left == 0 {
			return nil, nil
		}
		left--
		return &dynamodb.BatchGetItemOutput{UnprocessedKeys: in.RequestItems}, nil
	}
	out, err := s.BatchGet(t.Context(), "a", []string{a.ID, b.ID})
	if err != nil || len(out.Items) != 2 || c.n["BatchGetItem"] != 4 {
		t.Errorf("got %+v in %d calls, %v", out, c.n["BatchGetItem"], err)
	}
	left = 1 << 30
	ctx, cancel := context.WithTimeout(t.Context(), reserve+200*time.Millisecond)
	defer cancel()
	out, err = s.BatchGet(ctx, "a", []string{a.ID, b.ID})
	if err != nil || !slices.Equal(out.Unprocessed, []string{a.ID, b.ID}) || len(out.Missing) > 0 {
		t.Errorf("when time is short it got %+v, %v", out, err)
	}
}

func TestThrottlingIsUnavailableAndTheRestInternal(t *testing.T) {
	t.Parallel()
	s, c := newStore(t)
	for want, err := range map[api.Code]error{api.Unavailable: &types.ProvisionedThroughputExceededException{Message: aws.String("x")}, api.Internal: errors.New("x")} {
		c.after = func(string) error { return err }
		if _, got := s.List(t.Context(), "a", 1, ""); code(got) != want {
			t.Errorf("%v became %v", err, got)
		}
	}
}

// Quotes take two bytes each within the JSON text that a function returns.
func TestBatchOfLargeItemsFitsIntoAnAnswerOfLambda(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	quotes := make([]any, 21_800)
	for i := range quotes {
		quotes[i] = ""
	}
	var ids []string
	for range 64 {
		it, err := s.Create(t.Context(), "a", api.ItemInput{Name: "x", Attributes: map[string]any{"a": quotes}}, "")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, it.ID)
	}
	out, err := s.BatchGet(t.Context(), "a", ids)
	if err != nil || len(out.Items) == 0 || len(out.Unprocessed) == 0 || len(out.Items)+len(out.Unprocessed) != len(ids) {
		t.Fatalf("%d items, %d unprocessed, %v", len(out.Items), len(out.Unprocessed), err)
	}
	const limit = 6_291_556
	if n, err := textSize(out); err != nil || n > limit-10_000 || n < limit/2 {
		t.Errorf("the answer has %d bytes, %v", n, err)
	}
}

func FuzzCursor(f *testing.F) {
	text, err := encodeCursor("a", uuid.Must(uuid.NewV7()).String())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := CheckCursor("a", text); err == nil && !api.ValidID(id) {
			t.Errorf("%q gave %q", text, id)
		}
	})
}
