package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"items-api/internal/api"
)

// Version is a precondition: nil for none, 0 for any version, else this one.
type Version = *int64

// Create makes an item. With an idempotency key the first answer is kept for
// 24 hours: the same body returns it, another one is the error
// IdempotencyKeyReused.
func (s *Store) Create(ctx context.Context, owner string, in api.ItemInput, key string) (api.Item, error) {
	now := s.stamp()
	it := api.Item{ID: s.newID(), Name: in.Name, Description: in.Description, Attributes: in.Attributes, Version: 1, CreatedAt: now, UpdatedAt: now}
	write := s.write()
	m, err := marshal(owner, it, write)
	if err != nil {
		return it, failed("creating an item", err)
	}
	if key != "" {
		return s.createOnce(ctx, owner, it, m, in, key)
	}
	_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: m, ConditionExpression: ptr("attribute_not_exists(PK)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld})
	var lost *types.ConditionalCheckFailedException
	if errors.As(err, &lost) && stringOf(lost.Item, attrWrite) == write {
		return it, nil // a retry of a write that was applied
	}
	if err != nil {
		return it, failed("creating an item", err)
	}
	return it, nil
}

// createOnce writes the item and the record of its key in one transaction.
func (s *Store) createOnce(ctx context.Context, owner string, it api.Item, m attributes, in api.ItemInput, key string) (api.Item, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return it, failed("creating an item", err)
	}
	answer, err := json.Marshal(it)
	if err != nil {
		return it, failed("creating an item", err)
	}
	now := s.now()
	record := attributes{
		api.PartitionKey: text(partition(owner)), api.SortKey: text(keyPrefix + hash(key)),
		"body": text(hash(string(body))), "answer": text(string(answer)), attrWrite: m[attrWrite],
		api.TTLAttribute: number(now.Add(keyLife).Unix()),
	}
	// A record that has expired may still be there; it counts as gone.
	fresh := types.Put{TableName: &s.table, Item: record, ConditionExpression: ptr("attribute_not_exists(PK) OR #ttl <= :now"),
		ExpressionAttributeNames: map[string]string{"#ttl": api.TTLAttribute}, ExpressionAttributeValues: attributes{":now": number(now.Unix())},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}
	item := types.Put{TableName: &s.table, Item: m, ConditionExpression: ptr("attribute_not_exists(PK)")}
	for pause := 20 * time.Millisecond; ; pause *= 2 {
		_, err = s.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Put: &fresh}, {Put: &item}}})
		var cancelled *types.TransactionCanceledException
		if err == nil {
			return it, nil
		}
		if !errors.As(err, &cancelled) {
			return it, failed("creating an item with an Idempotency-Key", err)
		}
		if first := cancelled.CancellationReasons; len(first) > 0 && first[0].Item != nil {
			return replay(first[0].Item, hash(string(body)))
		}
		// Another request with this key is being applied: look again.
		if !contended(cancelled) || pause > 400*time.Millisecond || wait(ctx, pause) != nil {
			return it, failed("creating an item with an Idempotency-Key", unavailableIf(contended(cancelled), err))
		}
	}
}

func contended(c *types.TransactionCanceledException) bool {
	for _, r := range c.CancellationReasons {
		if r.Code != nil && (*r.Code == "TransactionConflict" || *r.Code == "ThrottlingError" || *r.Code == "ProvisionedThroughputExceeded") {
			return true
		}
	}
	return false
}

func unavailableIf(yes bool, err error) error {
	if yes {
		return &api.Error{Code: api.Unavailable, Detail: "Try again.", Cause: err}
	}
	return err
}

// replay returns the first answer to a key.
func replay(record attributes, body string) (api.Item, error) {
	var it api.Item
	if stringOf(record, "body") != body {
		return it, &api.Error{Code: api.IdempotencyKeyReused, Fields: []api.FieldError{{Field: "Idempotency-Key", Message: "use a new key for another request"}}}
	}
	if err := json.Unmarshal([]byte(stringOf(record, "answer")), &it); err != nil {
		return it, failed("reading the first answer to an Idempotency-Key", err)
	}
	return it, nil
}

// Replace changes an item in one conditional write. Errors: NotFound,
// PreconditionFailed with the current version.
func (s *Store) Replace(ctx context.Context, owner, id string, in api.ItemInput, want Version) (api.Item, error) {
	write := s.write()
	update := "SET #n = :n, #v = #v + :one, #u = :u, #w = :w"
	names := map[string]string{"#n": attrName, "#v": attrVersion, "#u": attrUpdated, "#w": attrWrite, "#d": attrDescription, "#a": attrAttributes}
	vals := attributes{":n": text(in.Name), ":one": number(1), ":u": text(s.stamp()), ":w": text(write)}
	remove := ""
	if in.Description != "" {
		update += ", #d = :d"
		vals[":d"] = text(in.Description)
	} else {
		remove = "#d"
	}
	if in.Attributes != nil {
		data, err := json.Marshal(in.Attributes)
		if err != nil {
			return api.Item{}, failed("replacing an item", err)
		}
		update += ", #a = :a"
		vals[":a"] = text(string(data))
	} else if remove != "" {
		remove += ", #a"
	} else {
		remove = "#a"
	}
	if remove != "" {
		update += " REMOVE " + remove
	}
	out, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &s.table, Key: itemKey(owner, id), UpdateExpression: &update,
		ConditionExpression: condition(want, vals), ExpressionAttributeNames: names, ExpressionAttributeValues: vals,
		ReturnValues: types.ReturnValueAllNew, ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld})
	var lost *types.ConditionalCheckFailedException
	if errors.As(err, &lost) {
		if stringOf(lost.Item, attrWrite) == write {
			return read(lost.Item) // a retry of a write that was applied
		}
		return api.Item{}, refused(lost.Item)
	}
	if err != nil {
		return api.Item{}, failed("replacing an item", err)
	}
	return read(out.Attributes)
}

func read(m attributes) (api.Item, error) {
	it, err := unmarshal(m)
	if err != nil {
		return it, failed("reading an item", err)
	}
	return it, nil
}

// condition returns the condition of a write to an existing item.
func condition(want Version, vals attributes) *string {
	if want == nil || *want == 0 {
		return ptr("attribute_exists(PK)")
	}
	vals[":want"] = number(*want)
	return ptr("attribute_exists(PK) AND #v = :want")
}

// refused says why a conditional write was not applied.
func refused(current attributes) error {
	if current == nil {
		return notFound()
	}
	v := intOf(current, attrVersion)
	return &api.Error{Code: api.PreconditionFailed, CurrentVersion: v, Detail: fmt.Sprintf("The item has version %d.", v)}
}

// Delete removes an item in one conditional write. Errors as of Replace.
func (s *Store) Delete(ctx context.Context, owner, id string, want Version) error {
	in := &dynamodb.DeleteItemInput{TableName: &s.table, Key: itemKey(owner, id),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}
	vals := attributes{}
	in.ConditionExpression = condition(want, vals)
	if len(vals) > 0 {
		in.ExpressionAttributeValues, in.ExpressionAttributeNames = vals, map[string]string{"#v": attrVersion}
	}
	_, err := s.db.DeleteItem(ctx, in)
	var lost *types.ConditionalCheckFailedException
	if errors.As(err, &lost) {
		return refused(lost.Item)
	}
	if err != nil {
		return failed("deleting an item", err)
	}
	return nil
}
