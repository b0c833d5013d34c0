// Package apikey makes, keeps and checks API keys. Of a key the table holds a
// hash only. A key is items_<id>_<secret>; the id is 16 characters, the secret
// 32 random bytes, so that a plain SHA-256 protects it: there is nothing to
// guess.
package apikey

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"items-api/internal/api"
)

// Reader is what checking a key calls.
type Reader interface {
	GetItem(
		context.Context,
		*dynamodb.GetItemInput,
		...func(*dynamodb.Options),
	) (*dynamodb.GetItemOutput, error)
}

// Writer is what managing keys calls.
type Writer interface {
	PutItem(
		context.Context,
		*dynamodb.PutItemInput,
		...func(*dynamodb.Options),
	) (*dynamodb.PutItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	UpdateItem(
		context.Context,
		*dynamodb.UpdateItemInput,
		...func(*dynamodb.Options),
	) (*dynamodb.UpdateItemOutput, error)
}

// Actions returns the IAM actions that checking a key needs.
func Actions() []string {
	var out []string
	for m := range reflect.TypeFor[Reader]().Methods() {
		out = append(out, "dynamodb:"+m.Name)
	}
	return out
}

// Key is what is known of an API key; never its secret.
type Key struct {
	ID        string      `json:"id"`
	Owner     string      `json:"owner"`
	Scopes    []api.Scope `json:"scopes"`
	Note      string      `json:"note,omitempty"`
	CreatedAt time.Time   `json:"createdAt"`
	// RevokedAt is zero for a key that is good.
	RevokedAt time.Time `json:"revokedAt,omitzero"`
}

var (
	// ErrInvalid means that a key does not let its bearer in.
	ErrInvalid = errors.New("the API key is not valid")
	// ErrNotFound means that there is no key with an id.
	ErrNotFound = errors.New("there is no such API key")
)

const (
	prefix      = "items_"
	idBytes     = 8
	secretBytes = 32
	// MaxOwner is the length of an owner in characters.
	MaxOwner = 256

	attrHash, attrOwner, attrScopes, attrNote = "hash", "owner", "scopes", "note"
	attrCreated, attrRevoked                  = "createdAt", "revokedAt"
)

type attributes = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func keyOf(id string) attributes {
	return attributes{api.PartitionKey: text(api.KeyPartition), api.SortKey: text(id)}
}

// parse takes a key apart.
func parse(key string) (id string, secret []byte, ok bool) {
	rest, found := strings.CutPrefix(key, prefix)
	id, encoded, cut := strings.Cut(rest, "_")
	secret, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if raw, e := hex.DecodeString(id); e != nil || len(raw) != idBytes || id != strings.ToLower(id) {
		return "", nil, false
	}
	return id, secret, found && cut && err == nil && len(secret) == secretBytes
}

// Check returns the record of a key that is good. A key that is malformed,
// unknown, wrong or revoked is ErrInvalid; a malformed one reads nothing.
func Check(ctx context.Context, db Reader, table, key string) (Key, error) {
	id, secret, ok := parse(key)
	if !ok {
		return Key{}, ErrInvalid
	}
	out, err := db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &table,
		Key:            keyOf(id),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return Key{}, fmt.Errorf("reading the API key %s: %w", id, err)
	}
	sum := sha256.Sum256(secret)
	// Compared also if there is no record, so that both take the same time.
	right := subtle.ConstantTimeCompare(
		[]byte(stringOf(out.Item[attrHash])),
		[]byte(hex.EncodeToString(sum[:])),
	) == 1
	k, err := decode(out.Item)
	if !right || err != nil || !k.RevokedAt.IsZero() || k.Owner == "" {
		return Key{}, ErrInvalid
	}
	return k, nil
}

// Issue makes a key and returns it; it cannot be shown again.
func Issue(ctx context.Context, db Writer, table string, k Key) (string, Key, error) {
	if n := utf8.RuneCountInString(k.Owner); n < 1 || n > MaxOwner {
		return "", k, fmt.Errorf("the owner of a key has 1 to %d characters", MaxOwner)
	}
	if !utf8.ValidString(k.Owner) || strings.ContainsRune(k.Owner, utf8.RuneError) {
		return "", k, fmt.Errorf("the owner of a key must be Unicode text without U+FFFD, not %q", k.Owner)
	}
	if len(k.Scopes) == 0 {
		return "", k, errors.New("a key needs at least one scope")
	}
	for _, s := range k.Scopes {
		if _, ok := api.Scopes()[s]; !ok {
			return "", k, fmt.Errorf(
				"there is no scope %q; the scopes are %v",
				s,
				slices.Sorted(maps.Keys(api.Scopes())),
			)
		}
	}
	raw := make([]byte, idBytes+secretBytes)
	if _, err := rand.Read(raw); err != nil {
		return "", k, fmt.Errorf("making a key: %w", err)
	}
	k.ID = hex.EncodeToString(raw[:idBytes])
	secret := raw[idBytes:]
	sum := sha256.Sum256(secret)
	item := keyOf(k.ID)
	item[attrHash], item[attrOwner], item[attrNote] = text(
		hex.EncodeToString(sum[:]),
	), text(
		k.Owner,
	), text(
		k.Note,
	)
	item[attrCreated] = text(k.CreatedAt.UTC().Format(time.RFC3339))
	var scopes []string
	for _, s := range k.Scopes {
		scopes = append(scopes, string(s))
	}
	item[attrScopes] = text(strings.Join(scopes, " "))
	if _, err := db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:           &table,
		Item:                item,
		ConditionExpression: aws.String("attribute_not_exists(PK)"),
	}); err != nil {
		return "", k, fmt.Errorf("keeping the API key: %w", err)
	}
	return prefix + k.ID + "_" + base64.RawURLEncoding.EncodeToString(secret), k, nil
}

// List returns all keys.
func List(ctx context.Context, db Writer, table string) ([]Key, error) {
	var out []Key
	in := &dynamodb.QueryInput{
		TableName:                 &table,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String("PK = :pk"),
		ExpressionAttributeValues: attributes{":pk": text(api.KeyPartition)},
	}
	for {
		page, err := db.Query(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("listing the API keys: %w", err)
		}
		for _, item := range page.Items {
			k, err := decode(item)
			if err != nil {
				return nil, err
			}
			out = append(out, k)
		}
		if in.ExclusiveStartKey = page.LastEvaluatedKey; len(in.ExclusiveStartKey) == 0 {
			return out, nil
		}
	}
}

// Revoke makes a key worthless. The gateway may keep what it decided for as
// long as it was configured to.
func Revoke(ctx context.Context, db Writer, table, id string, now time.Time) error {
	_, err := db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &table,
		Key:                       keyOf(id),
		ConditionExpression:       aws.String("attribute_exists(PK)"),
		UpdateExpression:          aws.String("SET revokedAt = if_not_exists(revokedAt, :now)"),
		ExpressionAttributeValues: attributes{":now": text(now.UTC().Format(time.RFC3339))},
	})
	var missing *types.ConditionalCheckFailedException
	if errors.As(err, &missing) {
		return fmt.Errorf("%w with the id %s", ErrNotFound, id)
	}
	if err != nil {
		return fmt.Errorf("revoking the API key %s: %w", id, err)
	}
	return nil
}

func stringOf(v types.AttributeValue) string {
	s, ok := v.(*types.AttributeValueMemberS)
	if !ok {
		return ""
	}
	return s.Value
}

func decode(item attributes) (Key, error) {
	k := Key{
		ID:    stringOf(item[api.SortKey]),
		Owner: stringOf(item[attrOwner]),
		Note:  stringOf(item[attrNote]),
	}
	for _, s := range strings.Fields(stringOf(item[attrScopes])) {
		k.Scopes = append(k.Scopes, api.Scope(s))
	}
	var err error
	if k.CreatedAt, err = time.Parse(time.RFC3339, stringOf(item[attrCreated])); err != nil {
		return k, fmt.Errorf("the record of the API key %s is damaged: %w", k.ID, err)
	}
	if s := stringOf(item[attrRevoked]); s != "" {
		if k.RevokedAt, err = time.Parse(time.RFC3339, s); err != nil {
			return k, fmt.Errorf("the record of the API key %s is damaged: %w", k.ID, err)
		}
	}
	return k, nil
}
