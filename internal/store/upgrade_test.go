package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"items-api/internal/api"
	"items-api/internal/store"
)

// keyed is a database that holds the record of one Idempotency-Key, or none.
type keyed struct {
	store.Database
	record attributes
}

func (k *keyed) TransactWriteItems(
	_ context.Context,
	in *dynamodb.TransactWriteItemsInput,
	_ ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	if k.record == nil {
		k.record = in.TransactItems[0].Put.Item
		return &dynamodb.TransactWriteItemsOutput{}, nil
	}
	return nil, &types.TransactionCanceledException{
		CancellationReasons: []types.CancellationReason{{Item: k.record}, {}},
	}
}

func (k *keyed) create(t *testing.T, body string) (api.Item, error) {
	t.Helper()
	var in api.ItemInput
	if err := api.Decode([]byte(body), &in); err != nil {
		t.Fatal(err)
	}
	return store.New(k, "items", time.Now, uuid.NewString).Create(t.Context(), "alice", in, "key")
}

func reused(err error) bool {
	var e *api.Error
	return errors.As(err, &e) && e.Code == api.IdempotencyKeyReused
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// Until empty fields were kept, the hash of a body was that of the body without
// them. Records live for 24 hours, and with a canary both versions answer.
const (
	bare     = `{"name":"a"}`
	emptied  = `{"name":"a","description":"","attributes":{}}`
	complete = `{"name":"a","description":"b","attributes":{"c":1.0}}`
)

func TestKeyUsedBeforeAnUpgradeMatchesTheSameBody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ sent, hashed string }{
		{bare, bare},
		{emptied, bare},
		{complete, complete},
	} {
		db := &keyed{record: attributes{
			"body":   text(hashOf(c.hashed)),
			"answer": text(`{"id":"first","name":"a","version":1,"createdAt":"","updatedAt":""}`),
		}}
		if it, err := db.create(t, c.sent); err != nil || it.ID != "first" {
			t.Errorf("%s got %+v, %v", c.sent, it, err)
		}
		if _, err := db.create(t, `{"name":"other"}`); !reused(err) {
			t.Errorf("another body than %s got %v", c.sent, err)
		}
	}
}

func TestKeyMatchesTheSameBodyAfterARollBack(t *testing.T) {
	t.Parallel()
	for sent, hashed := range map[string]string{bare: bare, emptied: bare, complete: complete} {
		db := &keyed{}
		if _, err := db.create(t, sent); err != nil {
			t.Fatal(err)
		}
		kept, ok := db.record["body"].(*types.AttributeValueMemberS)
		if !ok || kept.Value != hashOf(hashed) {
			t.Errorf("the record of %s has another hash than that of %s", sent, hashed)
		}
	}
}

func TestKeyTellsAnEmptyFieldFromOneThatWasLeftOut(t *testing.T) {
	t.Parallel()
	db := &keyed{}
	first, err := db.create(t, emptied)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := db.create(t, emptied); err != nil || again.ID != first.ID {
		t.Errorf("the same body got %+v, %v", again, err)
	}
	for _, body := range []string{bare, `{"name":"a","description":""}`, `{"name":"a","attributes":{}}`} {
		if _, err := db.create(t, body); !reused(err) {
			t.Errorf("%s after %s got %v", body, emptied, err)
		}
	}
}
