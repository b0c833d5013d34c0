package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"items-api/internal/api"
)

// Create makes an item. With an idempotency key the first answer is kept for
// 24 hours: the same body returns it, another one is the error
// IdempotencyKeyReused. Without a key it may be OutcomeUnknown.
func (s *Store) Create(ctx context.Context, owner string, in api.ItemInput, key string) (api.Item, error) {
	it, m, err := s.make(owner, in)
	if err != nil {
		return it, failed("creating an item", err)
	}
	if key != "" {
		return s.createOnce(ctx, owner, it, m, in, key)
	}
	_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:           &s.table,
		Item:                m,
		ConditionExpression: ptr("attribute_not_exists(PK)"),
	}, once)
	if err == nil {
		return it, nil
	}
	if !unclear(err) {
		return it, failed("creating an item", err)
	}
	there := func(current attributes) bool { return current != nil }
	if found, e := s.look(ctx, owner, it.ID, err, there); e != nil || found == nil {
		return it, unknown(createUnknown, errors.Join(wrap("creating an item", err), e))
	}
	return it, nil // nobody else has the id
}

// make makes an item and its attributes.
func (s *Store) make(owner string, in api.ItemInput) (api.Item, attributes, error) {
	now := s.stamp()
	it := api.Item{
		ID:        s.newID(),
		ItemInput: in,
		Version:   1,
		CreatedAt: now,
		UpdatedAt: now,
	}
	m, err := marshal(owner, it, s.write())
	return it, m, err
}

// createOnce writes the item and the record of its key in one transaction,
// which DynamoDB applies once however often it is sent.
func (s *Store) createOnce(
	ctx context.Context,
	owner string,
	it api.Item,
	m attributes,
	in api.ItemInput,
	key string,
) (api.Item, error) {
	const doing = "creating an item with an Idempotency-Key"
	sent, err := fingerprintOf(in)
	if err != nil {
		return it, failed(doing, err)
	}
	answer, err := json.Marshal(it)
	if err != nil {
		return it, failed(doing, err)
	}
	now := s.now()
	record := attributes{
		api.PartitionKey: text(partition(owner)), api.SortKey: text(keyPrefix + hash(key)),
		attrBody: text(sent.bare), attrExact: text(sent.exact),
		"answer": text(string(answer)), attrWrite: m[attrWrite],
		api.TTLAttribute: number(now.Add(keyLife).Unix() + 1), // whole seconds, and not less than the life
	}
	// A record that has expired may still be there; it counts as gone.
	fresh := types.Put{
		TableName:                           &s.table,
		Item:                                record,
		ConditionExpression:                 ptr("attribute_not_exists(PK) OR #ttl <= :now"),
		ExpressionAttributeNames:            map[string]string{"#ttl": api.TTLAttribute},
		ExpressionAttributeValues:           attributes{":now": number(now.Unix())},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	item := types.Put{
		TableName:           &s.table,
		Item:                m,
		ConditionExpression: ptr("attribute_not_exists(PK)"),
	}
	for pause := 20 * time.Millisecond; ; pause *= 2 {
		_, err = s.db.TransactWriteItems(
			ctx,
			&dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &fresh},
				{Put: &item},
			}},
			again,
		)
		var cancelled *types.TransactionCanceledException
		if err == nil {
			return it, nil
		}
		if !errors.As(err, &cancelled) {
			return it, failed(doing, err) // a retry with the key is safe
		}
		if first := cancelled.CancellationReasons; len(first) > 0 && first[0].Item != nil {
			return replay(first[0].Item, sent)
		}
		// Another request with this key is being applied: look again.
		if !contended(cancelled) || pause > 400*time.Millisecond || wait(ctx, pause) != nil {
			return it, failed(doing, unavailableIf(contended(cancelled), err))
		}
	}
}

func contended(c *types.TransactionCanceledException) bool {
	for _, r := range c.CancellationReasons {
		if r.Code != nil &&
			(*r.Code == "TransactionConflict" || *r.Code == "ThrottlingError" || *r.Code == "ProvisionedThroughputExceeded") {
			return true
		}
	}
	return false
}

func unavailableIf(yes bool, err error) error {
	if yes {
		return &api.Error{
			Code:   api.Unavailable,
			Detail: "Try again.",
			Cause:  err,
		}
	}
	return err
}

// replay returns the first answer to a key.
func replay(record attributes, sent fingerprint) (api.Item, error) {
	var it api.Item
	if !sent.of(record) {
		return it, &api.Error{
			Code: api.IdempotencyKeyReused,
			Fields: []api.FieldError{{
				Field:   "Idempotency-Key",
				Message: "use a new key for another request",
			}},
		}
	}
	if err := fromJSON(stringOf(record, "answer"), &it); err != nil {
		return it, failed("reading the first answer to an Idempotency-Key", err)
	}
	return it, nil
}
