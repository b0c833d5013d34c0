package store

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"items-api/internal/api"
)

// maxChunk is how many writes a BatchWriteItem takes. Source: DynamoDB quotas.
const maxChunk = 25

// entry is one write of a batch on its way.
type entry struct {
	id      string
	create  attributes // nil: delete
	places  []int      // among the results; several if an id is deleted twice
	unclear bool       // a call that it was part of may have been applied
	outcome api.BatchWriteResult
}

// BatchWrite creates and deletes items, in chunks that are sent at the same
// time, and returns a result for each entry. Writes that DynamoDB left
// unprocessed are sent again until little is left of the context's time. The
// entries are independent: some may fail.
func (s *Store) BatchWrite(
	ctx context.Context,
	owner string,
	in []api.BatchWriteEntry,
) (api.BatchWriteResponse, error) {
	out := api.BatchWriteResponse{Results: make([]api.BatchWriteResult, len(in))}
	var all []*entry
	deletes := map[string]*entry{}
	for i, e := range in {
		switch {
		case e.Create != nil:
			it, m, err := s.make(owner, *e.Create)
			if err != nil {
				return out, failed("creating items", err)
			}
			all = append(all, &entry{
				id:     it.ID,
				create: m,
				places: []int{i},
			})
		case e.Delete != nil && deletes[e.Delete.ID] != nil:
			d := deletes[e.Delete.ID]
			d.places = append(d.places, i)
		case e.Delete != nil:
			d := &entry{id: e.Delete.ID, places: []int{i}}
			deletes[d.id] = d
			all = append(all, d)
		}
	}
	var chunks sync.WaitGroup
	for chunk := range slices.Chunk(all, maxChunk) {
		chunks.Go(func() { s.writeChunk(ctx, owner, chunk) })
	}
	chunks.Wait()
	for _, e := range all {
		for _, i := range e.places {
			if out.Results[i] = e.outcome; e.outcome.Code != "" {
				out.Failed++
			}
		}
	}
	return out, nil
}

// writeChunk writes the entries and sets their outcomes.
func (s *Store) writeChunk(ctx context.Context, owner string, open []*entry) {
	for pause := firstPause; len(open) > 0; pause = min(2*pause, lastPause) {
		left, err := s.send(ctx, owner, open)
		switch {
		case err == nil:
		case deferred(err):
			left = open // nothing was done
		case unclear(err):
			left = s.settle(ctx, owner, open, err)
		default:
			finish(open, http.StatusInternalServerError, api.Internal)
			return
		}
		for _, e := range open {
			if e.outcome.Status == 0 && !slices.Contains(left, e) {
				e.done()
			}
		}
		if open = left; len(open) > 0 && wait(ctx, pause) != nil {
			finish(open, http.StatusServiceUnavailable, api.Unavailable)
			return
		}
	}
}

func (e *entry) done() {
	e.outcome = api.BatchWriteResult{Status: http.StatusNoContent, ID: e.id}
	if e.create != nil {
		e.outcome.Status = http.StatusCreated
	}
}

// finish ends entries that were not done, as far as is known.
func finish(open []*entry, status int, code api.Code) {
	for _, e := range open {
		e.outcome = api.BatchWriteResult{
			Status: status,
			ID:     e.id,
			Code:   code,
		}
		if e.unclear {
			e.outcome.Status, e.outcome.Code = http.StatusServiceUnavailable, api.OutcomeUnknown
		}
	}
}

// send makes one call, and returns what it left unprocessed.
func (s *Store) send(ctx context.Context, owner string, open []*entry) ([]*entry, error) {
	var writes []types.WriteRequest
	byKey := map[string]*entry{}
	for _, e := range open {
		w := types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: itemKey(owner, e.id)}}
		if e.create != nil {
			w = types.WriteRequest{PutRequest: &types.PutRequest{Item: e.create}}
		}
		writes = append(writes, w)
		byKey[itemPrefix+e.id] = e
	}
	out, err := s.db.BatchWriteItem(
		ctx,
		&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{s.table: writes}},
		alone,
	)
	if err != nil {
		return nil, err
	}
	var left []*entry
	for _, w := range out.UnprocessedItems[s.table] {
		key := attributes{}
		switch {
		case w.PutRequest != nil:
			key = w.PutRequest.Item
		case w.DeleteRequest != nil:
			key = w.DeleteRequest.Key
		}
		if e := byKey[stringOf(key, api.SortKey)]; e != nil {
			left = append(left, e)
		}
	}
	return left, nil
}

// settle finds out what a call that failed with a cause did. Deletes are sent
// again; creates that are not found have an unknown outcome, since sending them
// again could bring back what somebody deleted meanwhile.
func (s *Store) settle(ctx context.Context, owner string, open []*entry, cause error) (left []*entry) {
	var created []*entry
	for _, e := range open {
		e.unclear = true
		if e.create == nil {
			left = append(left, e)
		} else {
			created = append(created, e)
		}
	}
	for pause := firstLook; len(created) > 0; pause *= 2 {
		created = s.unseen(ctx, owner, created)
		if len(created) == 0 || !timedOut(cause) || pause > lastLook || wait(ctx, pause) != nil {
			break
		}
	}
	finish(created, http.StatusServiceUnavailable, api.OutcomeUnknown)
	return left
}

// unseen reads created entries, sets the outcome of those that are there, and
// returns the others.
func (s *Store) unseen(ctx context.Context, owner string, created []*entry) (left []*entry) {
	var ids []string
	for _, e := range created {
		ids = append(ids, e.id)
	}
	found, unread, err := s.fetch(ctx, owner, ids)
	for _, e := range created {
		if _, ok := found[e.id]; ok && err == nil && !unread[e.id] {
			e.done()
		} else {
			left = append(left, e)
		}
	}
	return left
}
