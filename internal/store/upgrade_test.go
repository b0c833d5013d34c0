package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"items-api/internal/api"
	"items-api/internal/field"
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

// A field that is declared between two requests changes nothing for a body that
// does not have it.
func TestKeyMatchesTheSameBodyAfterAFieldIsDeclared(t *testing.T) {
	t.Parallel()
	type before struct {
		Name string   `json:"name"           required:"true"`
		Note *string  `json:"note,omitempty"`
		List []string `json:"list,omitzero"`
	}
	type after struct {
		Level int            `json:"level"          default:"3"`
		Name  string         `json:"name"                       required:"true"`
		Done  bool           `json:"done"`
		Note  *string        `json:"note,omitempty"`
		List  []string       `json:"list,omitzero"`
		Tags  map[string]any `json:"tags,omitzero"`
		Due   *string        `json:"due"`
	}
	written := func(v any, body string) string {
		problems, err := field.Decode([]byte(body), v)
		if err != nil || len(problems) > 0 {
			t.Fatal(body, problems, err)
		}
		out, err := store.Canonical(reflect.ValueOf(v).Elem().Interface())
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, body := range []string{
		`{"name":""}`,
		`{"name":"<a>","note":"","list":[]}`,
		`{"list":["b"],"name":"a"}`,
	} {
		was, is := written(&before{}, body), written(&after{}, body)
		if was != is {
			t.Errorf("%s was %s and is %s", body, was, is)
		}
		// Until then it was what encoding/json writes.
		var v before
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		if data, err := json.Marshal(v); err != nil || string(data) != was {
			t.Errorf("%s was %s, %v, and is %s", body, data, err, was)
		}
	}
	for _, body := range []string{
		`{"name":"","done":true}`,
		`{"name":"","level":0}`,
		`{"name":"","tags":{}}`,
		`{"name":"","due":""}`,
	} {
		if written(&after{}, body) == written(&after{}, `{"name":""}`) {
			t.Errorf("%s is the same as without the field", body)
		}
	}
}

// Entries are what they were before fields were read from the declaration, both
// to read and to write.
func TestEntriesAreThoseOfTheFormerVersion(t *testing.T) {
	t.Parallel()
	number := func(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }
	for want, entry := range map[string]attributes{
		`{"id":"i","name":"a","version":1,"createdAt":"c","updatedAt":"u"}`: {
			"id":        text("i"),
			"name":      text("a"),
			"version":   number("1"),
			"createdAt": text("c"),
			"updatedAt": text("u"),
		},
		`{"id":"i","name":"a","description":"d","attributes":{"k":-0,"m":1e400,"n":1.0,"z":null},` +
			`"version":9007199254740993,"createdAt":"c","updatedAt":"u"}`: {
			"id":          text("i"),
			"name":        text("a"),
			"description": text("d"),
			"attributes":  text(`{"k":-0,"m":1e400,"n":1.0,"z":null}`),
			"version":     number("9007199254740993"),
			"createdAt":   text("c"),
			"updatedAt":   text("u"),
		},
	} {
		var it api.Item
		if err := store.GetFields(entry, &it); err != nil {
			t.Fatal(err)
		}
		if data, err := json.Marshal(it); err != nil || string(data) != want {
			t.Errorf("read as %s, %v, want %s", data, err, want)
		}
		written := attributes{}
		if err := store.PutFields(written, it); err != nil || !reflect.DeepEqual(written, entry) {
			t.Errorf("written as %v, %v, want %v", written, err, entry)
		}
	}
}
