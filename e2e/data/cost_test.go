package data

import (
	"strings"
	"testing"

	"items-api/internal/api"
)

// cost compares what a request took of the database: these calls, and so many
// units of capacity as DynamoDB Local counts them.
func (a answer) cost(t *testing.T, calls string, read, write float64) answer {
	t.Helper()
	var r, w float64
	for _, c := range a.calls {
		r += c.ReadUnits
		w += c.WriteUnits
	}
	if got := operations(a.calls); got != calls || r != read || w != write {
		t.Errorf(
			"it took %q with %v read and %v write units, want %q with %v and %v",
			got,
			r,
			w,
			calls,
			read,
			write,
		)
	}
	return a
}

// A unit of reading is 4 KB, read consistently; one of writing is 1 KB.
// DynamoDB Local counts a transaction once, for which AWS takes twice the
// units, and nothing for a write whose condition failed, for which AWS takes one.
func routesTakeTheCallsTheySay(t *testing.T, s *site) {
	c := s.caller(t, t.Name())
	made := c.send("POST", "/items", api.ItemInput{Name: "x"}).want(t, 201).cost(t, "PutItem", 0, 1)
	item := "/items/" + decode[api.Item](t, made).ID
	for _, units := range []float64{2, 0} {
		c.send(
			"POST",
			"/items",
			api.ItemInput{Name: "x"},
			"Idempotency-Key",
			"k",
		).want(
			t,
			201,
		).cost(
			t,
			"TransactWriteItems",
			0,
			units,
		)
	}
	c.send("GET", item, nil).want(t, 200).cost(t, "GetItem", 1, 0)
	c.send("GET", item, nil, "If-None-Match", `"1"`).want(t, 304).cost(t, "GetItem", 1, 0)
	c.send(
		"PUT",
		item,
		api.ItemInput{Name: "y"},
		"If-Match",
		`"1", "2"`,
	).want(
		t,
		200,
	).cost(
		t,
		"UpdateItem",
		0,
		1,
	)
	c.send("PUT", item, api.ItemInput{Name: "y"}, "If-Match", `"1"`).want(t, 412).cost(t, "UpdateItem", 0, 0)
	c.send(
		"PUT",
		item,
		api.ItemInput{Name: "y"},
		"If-None-Match",
		`*`,
	).want(
		t,
		412,
	).cost(
		t,
		"UpdateItem",
		0,
		0,
	)
	c.send("DELETE", item, nil, "If-Match", `"1"`).want(t, 412).cost(t, "DeleteItem", 0, 0)
	c.send("DELETE", item, nil).want(t, 204).cost(t, "DeleteItem", 0, 1)
	c.send("GET", item, nil).want(t, 404).cost(t, "GetItem", 1, 0)

	ids := c.batch(100)
	c.send("GET", "/items?limit=100", nil).want(t, 200).cost(t, "Query", 7, 0)
	page := decode[api.ItemList](t, c.send("GET", "/items?limit=10", nil).want(t, 200).cost(t, "Query", 1, 0))
	c.send("GET", "/items?limit=10&cursor="+page.NextCursor, nil).want(t, 200).cost(t, "Query", 1, 0)
	c.send(
		"POST",
		"/items/batch-get",
		api.BatchGetRequest{IDs: ids},
	).want(
		t,
		200,
	).cost(
		t,
		"BatchGetItem",
		100,
		0,
	)
	var deletions api.BatchWriteRequest
	for _, id := range ids {
		deletions.Entries = append(deletions.Entries, api.BatchWriteEntry{Delete: &api.ItemRef{ID: id}})
	}
	c.send(
		"POST",
		"/items/batch-write",
		deletions,
	).want(
		t,
		200,
	).cost(
		t,
		strings.TrimSpace(strings.Repeat("BatchWriteItem ", 4)),
		0,
		100,
	)

	// Nothing is read for what cannot be answered.
	c.send("GET", "/items/7", nil).want(t, 400).cost(t, "", 0, 0)
	c.send("GET", "/items?cursor=x", nil).want(t, 400).cost(t, "", 0, 0)
	c.send(
		"GET",
		"/items?cursor="+page.NextCursor,
		nil,
		api.APIKeyHeader,
		s.caller(t, "bob").key,
	).want(
		t,
		400,
	).cost(
		t,
		"",
		0,
		0,
	)
	c.send("POST", "/items", map[string]any{"name": 1}).want(t, 400).cost(t, "", 0, 0)
	c.send("GET", "/health", nil).want(t, 200).cost(t, "", 0, 0)
	c.send("GET", "/openapi.json", nil).want(t, 200).cost(t, "", 0, 0)
}
