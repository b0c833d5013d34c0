package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"items-api/internal/api"
)

// Replace changes an item in one conditional write. Errors: NotFound,
// PreconditionFailed with the current version, OutcomeUnknown.
func (s *Store) Replace(
	ctx context.Context,
	owner, id string,
	in api.ItemInput,
	p Precondition,
) (api.Item, error) {
	write := s.write()
	update, names, vals, err := replacement(in, write, s.stamp())
	if err != nil {
		return api.Item{}, failed("replacing an item", err)
	}
	request := &dynamodb.UpdateItemInput{
		TableName:                           &s.table,
		Key:                                 itemKey(owner, id),
		UpdateExpression:                    &update,
		ConditionExpression:                 p.condition(vals),
		ExpressionAttributeNames:            names,
		ExpressionAttributeValues:           vals,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	for try := 1; ; try++ {
		out, err := s.db.UpdateItem(ctx, request, once)
		var lost *types.ConditionalCheckFailedException
		switch {
		case err == nil:
			return read(out.Attributes)
		case errors.As(err, &lost):
			if try > 1 {
				return s.settled(lost.Item, write, p, err)
			}
			return api.Item{}, refused(lost.Item)
		case !unclear(err) && try > 1:
			return api.Item{}, unknown(
				lookFirst,
				wrap("replacing an item", err),
			) // an earlier try may be applied yet
		case !unclear(err):
			return api.Item{}, failed("replacing an item", err)
		}
		// It was not applied if the item still has the one version that the
		// write asks for: each write makes another. Of several versions one
		// could be somebody else's that was written over this one.
		untouched := func(current attributes) bool {
			oneVersion := p.Match != nil && len(p.Match.Of) == 1
			return oneVersion && current != nil && p.met(intOf(current, attrVersion))
		}
		current, e := s.look(ctx, owner, id, err, func(current attributes) bool {
			return current == nil || stringOf(current, attrWrite) == write || untouched(current)
		})
		if e != nil {
			return api.Item{}, unknown(lookFirst, errors.Join(err, e))
		}
		if !untouched(current) || try == attempts {
			return s.settled(current, write, p, err)
		}
	}
}

// settled says what became of a replacement by the item as it is now.
func (s *Store) settled(current attributes, write string, p Precondition, cause error) (api.Item, error) {
	if stringOf(current, attrWrite) == write {
		return read(current)
	}
	return api.Item{}, unknown(lookFirst, wrap("replacing an item", cause))
}

// replacement returns the update of an item: all fields that callers send are
// set, or removed if they were left out.
func replacement(in api.ItemInput, write, now string) (string, map[string]string, attributes, error) {
	update := []string{"#v = #v + :one", "#u = :u", "#w = :w"}
	names := map[string]string{"#v": attrVersion, "#u": attrUpdated, "#w": attrWrite}
	vals := attributes{":one": number(1), ":u": text(now), ":w": text(write)}
	sets, removes, err := assignments(in, names, vals)
	if err != nil {
		return "", nil, nil, err
	}
	expression := "SET " + strings.Join(append(update, sets...), ", ")
	if len(removes) > 0 {
		expression += " REMOVE " + strings.Join(removes, ", ")
	}
	return expression, names, vals, nil
}

func read(m attributes) (api.Item, error) {
	it, err := unmarshal(m)
	if err != nil {
		return it, failed("reading an item", err)
	}
	return it, nil
}

// condition returns the condition of a write to an existing item; #v is its
// version. One expression tests all versions.
func (p Precondition) condition(vals attributes) *string {
	out := "attribute_exists(PK)"
	list := func(prefix string, versions []int64) string {
		var names []string
		for i, v := range versions {
			name := fmt.Sprint(":", prefix, i)
			vals[name] = number(v)
			names = append(names, name)
		}
		return "#v IN (" + strings.Join(names, ", ") + ")"
	}
	never := " AND attribute_not_exists(PK)"
	switch {
	case p.Match == nil || p.Match.Any:
	case len(p.Match.Of) == 0:
		out += never
	default:
		out += " AND " + list("m", p.Match.Of)
	}
	switch {
	case p.None == nil:
	case p.None.Any:
		out += never
	case len(p.None.Of) > 0:
		out += " AND NOT " + list("n", p.None.Of)
	}
	return &out
}

// Delete removes an item in one conditional write. Errors as of Replace.
func (s *Store) Delete(ctx context.Context, owner, id string, p Precondition) error {
	in := &dynamodb.DeleteItemInput{TableName: &s.table, Key: itemKey(owner, id),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}
	vals := attributes{}
	in.ConditionExpression = p.condition(vals)
	if len(vals) > 0 {
		in.ExpressionAttributeValues, in.ExpressionAttributeNames = vals, map[string]string{"#v": attrVersion}
	}
	for try := 1; ; try++ {
		_, err := s.db.DeleteItem(ctx, in, once)
		var lost *types.ConditionalCheckFailedException
		switch {
		case err == nil:
			return nil
		case errors.As(err, &lost) && try == 1:
			return refused(lost.Item)
		case errors.As(err, &lost) && lost.Item != nil:
			return s.kept(lost.Item, p, err)
		case errors.As(err, &lost):
			return s.gone(p, err)
		case !unclear(err) && try > 1:
			return unknown(lookFirst, wrap("deleting an item", err))
		case !unclear(err):
			return failed("deleting an item", err)
		}
		current, e := s.peek(ctx, owner, id)
		switch {
		case e != nil || try == attempts:
			return unknown(lookFirst, errors.Join(wrap("deleting an item", err), e))
		case current == nil:
			return s.gone(p, err)
		case !p.met(intOf(current, attrVersion)):
			return s.kept(current, p, err)
		}
	}
}

// kept says what became of a deletion when the item is still there and does not
// fulfil its condition. It was not applied, since an id is never used again. It
// may be on its way yet, and be applied when the item has another version.
func (s *Store) kept(current attributes, p Precondition, cause error) error {
	if p.metAfter(intOf(current, attrVersion)) {
		return unknown(lookFirst, wrap("deleting an item", cause))
	}
	return refused(current)
}

// gone says what became of a deletion when the item is not there any more. It
// is what the caller wanted, unless only some versions were to be deleted.
func (s *Store) gone(p Precondition, cause error) error {
	if p == (Precondition{}) {
		return nil
	}
	return unknown(lookFirst, wrap("deleting an item", cause))
}
