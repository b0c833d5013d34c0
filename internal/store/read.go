package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"items-api/internal/api"
)

// All reads are strongly consistent, so that a caller reads what it wrote; they
// cost twice as much as eventually consistent ones.

// maxAnswer bounds the items of one answer in bytes, below Lambda's limit of
// 6 MB for a response. There they stand as a JSON text, in which quotes and the
// like take more.
const maxAnswer = 5 << 20

// Get returns an item. Error: NotFound.
func (s *Store) Get(ctx context.Context, owner, id string) (api.Item, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &s.table,
		Key:            itemKey(owner, id),
		ConsistentRead: aws.Bool(true),
	}, again)
	if err != nil {
		return api.Item{}, failed("getting an item", err)
	}
	if out.Item == nil {
		return api.Item{}, notFound()
	}
	return read(out.Item)
}

// cursor says where a page ends and whose it is. The partition never comes
// from it.
type cursor struct {
	Owner string `json:"o"` // hash
	ID    string `json:"i"`
}

// maxCursor is the longest cursor that is looked at, in characters.
const maxCursor = 512

func encodeCursor(owner, id string) (string, error) {
	data, err := json.Marshal(cursor{hash("cursor of " + owner)[:16], id})
	return base64.RawURLEncoding.EncodeToString(data), err
}

// CheckCursor tests a cursor of the owner's and returns the id that it stands
// at. Error: InvalidCursor.
func CheckCursor(owner, text string) (string, error) {
	bad := api.Fail(
		api.InvalidCursor,
		"cursor",
		"use nextCursor of the page before, unchanged and with the same credentials",
	)
	if len(text) > maxCursor {
		return "", bad
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return "", bad
	}
	var c cursor
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	if d.Decode(&c) != nil || d.More() || c.Owner != hash("cursor of " + owner)[:16] || !api.ValidID(c.ID) {
		return "", bad
	}
	return c.ID, nil
}

// List returns a page of the owner's items, newest first, after the item with
// the id given; "" starts at the newest. A page may hold fewer items than
// asked when they are large.
func (s *Store) List(ctx context.Context, owner string, limit int, after string) (api.ItemList, error) {
	list := api.ItemList{Items: []api.Item{}}
	in := &dynamodb.QueryInput{
		TableName:                 &s.table,
		ConsistentRead:            aws.Bool(true),
		ScanIndexForward:          aws.Bool(false),
		KeyConditionExpression:    ptr("#pk = :pk AND begins_with(#sk, :item)"),
		ExpressionAttributeNames:  map[string]string{"#pk": api.PartitionKey, "#sk": api.SortKey},
		ExpressionAttributeValues: attributes{":pk": text(partition(owner)), ":item": text(itemPrefix)},
		// One more tells whether there is a next page.
		Limit: aws.Int32(int32(limit) + 1),
	}
	if after != "" {
		in.ExclusiveStartKey = itemKey(owner, after)
	}
	out, err := s.db.Query(ctx, in, again)
	if err != nil {
		return list, failed("listing items", err)
	}
	more := out.LastEvaluatedKey != nil
	for i, m := range out.Items {
		if i == limit {
			more = true
			break
		}
		it, err := read(m)
		if err != nil {
			return list, err
		}
		list.Items = append(list.Items, it)
	}
	if more && len(list.Items) > 0 {
		if list.NextCursor, err = encodeCursor(owner, list.Items[len(list.Items)-1].ID); err != nil {
			return list, failed("listing items", err)
		}
	}
	return list, nil
}

// BatchGet returns items in the order asked, with one request for up to 100.
// Keys that DynamoDB left unprocessed are asked for again with jittered
// backoff until little is left of the context's time; what is then still open
// is listed as unprocessed.
func (s *Store) BatchGet(ctx context.Context, owner string, ids []string) (api.BatchGetResponse, error) {
	out := api.BatchGetResponse{Items: []api.Item{}, Missing: []string{}}
	var unique []string
	seen := map[string]bool{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			unique = append(unique, id)
		}
	}
	found, open, err := s.fetch(ctx, owner, unique)
	if err != nil {
		return out, err
	}
	size := 0
	for _, id := range unique {
		it, ok := found[id]
		if ok {
			n, err := textSize(it)
			if err != nil {
				return out, failed("getting items", err)
			}
			size += n
		}
		switch {
		case open[id] || ok && size > maxAnswer:
			out.Unprocessed = append(out.Unprocessed, id)
		case ok:
			out.Items = append(out.Items, it)
		default:
			out.Missing = append(out.Missing, id)
		}
	}
	return out, nil
}

// textSize returns the bytes of a value as JSON within a JSON text.
func textSize(v any) (int, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return 0, err
	}
	data, err = json.Marshal(string(data))
	return len(data), err
}

var errStopped = errors.New("little is left of the time")

const (
	firstPause = 25 * time.Millisecond
	lastPause  = 800 * time.Millisecond
	// reserve is what is kept of the time for the answer.
	reserve = 500 * time.Millisecond
)

// fetch reads the items, and returns the ids that are still open.
func (s *Store) fetch(
	ctx context.Context,
	owner string,
	ids []string,
) (map[string]api.Item, map[string]bool, error) {
	keys := make([]map[string]types.AttributeValue, 0, len(ids))
	for _, id := range ids {
		keys = append(keys, itemKey(owner, id))
	}
	request := map[string]types.KeysAndAttributes{s.table: {Keys: keys, ConsistentRead: aws.Bool(true)}}
	found := map[string]api.Item{}
	answered := false
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		out, err := s.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request}, alone)
		switch {
		case err == nil:
			answered = true
			for _, m := range out.Responses[s.table] {
				it, err := read(m)
				if err != nil {
					return nil, nil, err
				}
				found[it.ID] = it
			}
			request = out.UnprocessedKeys
		case !deferred(err) && !unclear(err):
			return nil, nil, failed("getting items", err)
		}
		open := map[string]bool{}
		for _, k := range request[s.table].Keys {
			open[strings.TrimPrefix(stringOf(k, api.SortKey), itemPrefix)] = true
		}
		if len(open) > 0 && wait(ctx, pause) == nil {
			continue
		}
		if !answered {
			return nil, nil, failed("getting items", err)
		}
		return found, open, nil
	}
}

// wait pauses for a random part of at most pause ("full jitter"), unless
// less than the reserve would be left of the context's time.
func wait(ctx context.Context, pause time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < pause+reserve {
		return errStopped
	}
	d, err := jitter(pause)
	if err != nil {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// jitter returns a random part of a pause.
func jitter(pause time.Duration) (time.Duration, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(pause)))
	if err != nil {
		return 0, err
	}
	return time.Duration(n.Int64()), nil
}
