// Package store keeps items in DynamoDB. Every call that it can make stands in
// the Database interface, from which the role's actions follow. It must not
// import anything of HTTP handling or Pulumi.
//
// Table: PK is OWNER#<owner>, SK is ITEM#<id>. Idempotency records stand beside
// the items with SK IDEMPOTENCY#<hash of the key> and a time to live.
package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"items-api/internal/api"
)

// Database is what the store calls.
type Database interface {
	BatchGetItem(
		context.Context,
		*dynamodb.BatchGetItemInput,
		...func(*dynamodb.Options),
	) (*dynamodb.BatchGetItemOutput, error)
	BatchWriteItem(
		context.Context,
		*dynamodb.BatchWriteItemInput,
		...func(*dynamodb.Options),
	) (*dynamodb.BatchWriteItemOutput, error)
	DeleteItem(
		context.Context,
		*dynamodb.DeleteItemInput,
		...func(*dynamodb.Options),
	) (*dynamodb.DeleteItemOutput, error)
	GetItem(
		context.Context,
		*dynamodb.GetItemInput,
		...func(*dynamodb.Options),
	) (*dynamodb.GetItemOutput, error)
	PutItem(
		context.Context,
		*dynamodb.PutItemInput,
		...func(*dynamodb.Options),
	) (*dynamodb.PutItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	// TransactWriteItems holds puts only.
	TransactWriteItems(
		context.Context,
		*dynamodb.TransactWriteItemsInput,
		...func(*dynamodb.Options),
	) (*dynamodb.TransactWriteItemsOutput, error)
	UpdateItem(
		context.Context,
		*dynamodb.UpdateItemInput,
		...func(*dynamodb.Options),
	) (*dynamodb.UpdateItemOutput, error)
}

var _ Database = (*dynamodb.Client)(nil)

// contained lists the actions that a transaction needs: those of what it
// contains; it has none of its own. Source: DynamoDB developer guide, "Using
// IAM with DynamoDB transactions".
var contained = map[string][]string{"TransactWriteItems": {"PutItem"}}

// Actions returns the IAM actions of all calls that the store can make.
func Actions() []string {
	var out []string
	for m := range reflect.TypeFor[Database]().Methods() {
		names := []string{m.Name}
		if c, ok := contained[m.Name]; ok {
			names = c
		}
		for _, n := range names {
			out = append(out, "dynamodb:"+n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Store keeps items. It is safe for concurrent use.
type Store struct {
	db    Database
	table string
	now   func() time.Time
	newID func() string // UUIDv7 of an item
	write func() string // id of a write
}

// New returns a store on a table. newID makes item ids that sort by time.
func New(db Database, table string, now func() time.Time, newID func() string) *Store {
	return &Store{
		db:    db,
		table: table,
		now:   now,
		newID: newID,
		write: newID,
	}
}

const (
	itemPrefix = "ITEM#"
	keyPrefix  = "IDEMPOTENCY#"
	// keyLife is how long the answer to an Idempotency-Key is kept.
	keyLife = 24 * time.Hour
	// maxOwner is how many bytes of an owner stand in the partition key, which
	// may have 2,048; a longer one is replaced by its hash.
	maxOwner = 1024
	hashed   = "sha256:"
)

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue { return &types.AttributeValueMemberN{Value: fmt.Sprint(n)} }

type attributes = map[string]types.AttributeValue

func partition(owner string) string {
	// An owner that looks like a hash is hashed too, or else it could be
	// another one's.
	if len(owner) > maxOwner || strings.HasPrefix(owner, hashed) {
		owner = hashed + hash(owner)
	}
	return api.OwnerPartitions + owner
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func itemKey(owner, id string) attributes {
	return attributes{api.PartitionKey: text(partition(owner)), api.SortKey: text(itemPrefix + id)}
}

// Names of attributes besides the keys and the fields of an item, which have
// their own names.
const (
	attrID, attrVersion, attrUpdated = "id", "version", "updatedAt"
	// attrWrite is the id of the last write, by which a retry recognises that
	// the first try was applied.
	attrWrite = "writeId"
)

// marshal returns the attributes of an item.
func marshal(owner string, it api.Item, write string) (attributes, error) {
	out := itemKey(owner, it.ID)
	out[attrWrite] = text(write)
	return out, putFields(out, it)
}

func stringOf(m attributes, name string) string {
	v, _ := m[name].(*types.AttributeValueMemberS)
	if v == nil {
		return ""
	}
	return v.Value
}

func intOf(m attributes, name string) int64 {
	v, _ := m[name].(*types.AttributeValueMemberN)
	var n int64
	if v != nil {
		if err := json.Unmarshal([]byte(v.Value), &n); err != nil {
			return 0
		}
	}
	return n
}

// unmarshal reads an item from its attributes.
func unmarshal(m attributes) (api.Item, error) {
	var it api.Item
	if err := getFields(m, &it); err != nil {
		return it, fmt.Errorf("reading the item %s: %w", stringOf(m, api.SortKey), err)
	}
	if it.ID == "" || it.Version == 0 {
		return it, fmt.Errorf("the item %s in the table has no id or version", stringOf(m, api.SortKey))
	}
	return it, nil
}

func (s *Store) stamp() string { return s.now().UTC().Format("2006-01-02T15:04:05.000Z") }

func ptr(s string) *string { return aws.String(s) }
