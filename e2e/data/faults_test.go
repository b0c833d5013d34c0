package data

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"items-api/internal/api"
	"items-api/internal/localcloud/dynamodb"
	"items-api/internal/localcloud/gateway"
)

// faulted is the header with which calls of a request meet a fault.
func faulted(t *testing.T, f dynamodb.Fault) []string {
	t.Helper()
	data, err := json.Marshal([]dynamodb.Fault{f})
	if err != nil {
		t.Fatal(err)
	}
	return []string{gateway.FaultsHeader, string(data)}
}

// warm makes the gateway keep what the authorizer says of a caller, by requests
// that reach no table: faults are for the API's function.
func (c *caller) warm() *caller {
	c.t.Helper()
	for _, r := range api.Routes() {
		if r.Public {
			continue
		}
		path := strings.ReplaceAll(r.Path, "{id}", "7")
		if r.Operation == api.ListItems {
			path += "?limit=0"
		}
		c.send(r.Method, path, "no object").want(c.t, 400)
	}
	return c
}

// says compares an answer's problem, and whether it says to try again.
func (a answer) says(t *testing.T, status int, code api.Code) {
	t.Helper()
	p := decode[api.Problem](t, a)
	if a.Status != status || p.Code != code ||
		(a.Header.Get("Retry-After") != "") != (code == api.Unavailable) {
		t.Errorf("got %d with Retry-After %q: %s", a.Status, a.Header.Get("Retry-After"), a.Body)
	}
}

func faultsThatPassAreNotSeen(t *testing.T, s *site) {
	c := s.caller(t, t.Name()).warm()
	for _, kind := range []string{
		dynamodb.Throughput, dynamodb.Throttling, dynamodb.ServerError, dynamodb.DropBefore,
		dynamodb.DropAfter,
	} {
		h := faulted(t, dynamodb.Fault{Kind: kind, Times: 1})
		throttled := kind == dynamodb.Throughput || kind == dynamodb.Throttling
		it := c.create("x")
		c.send("GET", "/items/"+it.ID, nil, h...).want(t, 200)
		c.send("GET", "/items", nil, h...).want(t, 200)
		if out := decode[api.BatchGetResponse](
			t,
			c.send("POST", "/items/batch-get", api.BatchGetRequest{IDs: []string{it.ID}}, h...).want(t, 200),
		); len(
			out.Items,
		) != 1 {
			t.Errorf("%s: batch-get gave %+v", kind, out)
		}
		put := c.send(
			"PUT",
			"/items/"+it.ID,
			api.ItemInput{Name: "y"},
			append([]string{"If-Match", `"1"`}, h...)...)
		if now := decode[api.Item](t, put.want(t, 200)); now.Version != 2 || now.Name != "y" {
			t.Errorf("%s: replacing gave %+v", kind, now)
		}
		c.send("DELETE", "/items/"+it.ID, nil, h...).want(t, 204)
		c.send("GET", "/items/"+it.ID, nil).want(t, 404)
		key := append([]string{"Idempotency-Key", kind}, h...)
		first := decode[api.Item](
			t,
			c.send("POST", "/items", api.ItemInput{Name: "once"}, key...).want(t, 201),
		)
		again := decode[api.Item](
			t,
			c.send("POST", "/items", api.ItemInput{Name: "once"}, "Idempotency-Key", kind).want(t, 201),
		)
		if again.ID != first.ID {
			t.Errorf("%s: one key made two items", kind)
		}
		// What was perhaps created without a key is said to be, unless it is found.
		create := c.send("POST", "/items", api.ItemInput{Name: "no key"}, h...)
		if throttled || kind == dynamodb.DropAfter {
			create.want(t, 201)
		} else {
			create.says(t, 503, api.OutcomeUnknown)
		}
		batch := decode[api.BatchWriteResponse](
			t,
			c.send("POST", "/items/batch-write", api.BatchWriteRequest{Entries: []api.BatchWriteEntry{
				{Create: &api.ItemInput{Name: "b"}},
				{Delete: &api.ItemRef{ID: first.ID}},
			}}, h...).want(t, 200),
		)
		if want := map[bool]int{
			true:  0,
			false: 1,
		}[throttled || kind == dynamodb.DropAfter]; batch.Failed != want || batch.Results[1].Status != 204 {
			t.Errorf("%s: the batch gave %+v", kind, batch)
		}
		c.send("GET", "/items/"+first.ID, nil).want(t, 404)
	}
	// Nothing was applied twice: three items of each kind, less what was said
	// to be unknown and was not there.
	list := decode[api.ItemList](t, c.send("GET", "/items?limit=100", nil).want(t, 200))
	names := map[string]int{}
	for _, it := range list.Items {
		names[it.Name]++
	}
	if names["no key"] != 3 || names["b"] != 3 || len(list.Items) != 6 {
		t.Errorf("there are %v", names)
	}
}

func faultsThatStaySayWhetherToTryAgain(t *testing.T, s *site) {
	c := s.caller(t, t.Name()).warm()
	it := c.create("x")
	for _, kind := range []string{dynamodb.Throttling, dynamodb.ServerError, dynamodb.DropBefore} {
		h := faulted(t, dynamodb.Fault{Kind: kind})
		write := api.OutcomeUnknown
		if kind == dynamodb.Throttling {
			write = api.Unavailable
		}
		c.send("GET", "/items/"+it.ID, nil, h...).says(t, 503, api.Unavailable)
		c.send("GET", "/items", nil, h...).says(t, 503, api.Unavailable)
		c.send("POST", "/items", api.ItemInput{Name: "y"}, h...).says(t, 503, write)
		c.send(
			"POST",
			"/items",
			api.ItemInput{Name: "y"},
			append([]string{"Idempotency-Key", "k"}, h...)...).says(
			t,
			503,
			api.Unavailable,
		)
		c.send("PUT", "/items/"+it.ID, api.ItemInput{Name: "y"}, h...).says(t, 503, write)
		c.send("DELETE", "/items/"+it.ID, nil, h...).says(t, 503, write)
	}
	if now := decode[api.Item](t, c.send("GET", "/items/"+it.ID, nil).want(t, 200)); now.Version != 1 {
		t.Errorf("the item is %+v", now)
	}
}

func partsOfBatchesAreCompletedOrNamed(t *testing.T, s *site) {
	c := s.caller(t, t.Name()).warm()
	ids := c.batch(100)
	some := faulted(t, dynamodb.Fault{Kind: dynamodb.UnprocessedKeys, Rate: 0.7})
	if out := decode[api.BatchGetResponse](
		t,
		c.send("POST", "/items/batch-get", api.BatchGetRequest{IDs: ids}, some...).want(t, 200),
	); len(out.Items) != 100 ||
		len(out.Unprocessed)+len(out.Missing) > 0 {
		t.Errorf("got %d items, %v unprocessed, %v missing", len(out.Items), out.Unprocessed, out.Missing)
	}
	// The last key is never processed, until the function's time is over.
	all := faulted(t, dynamodb.Fault{Kind: dynamodb.UnprocessedKeys})
	if out := decode[api.BatchGetResponse](
		t,
		c.send("POST", "/items/batch-get", api.BatchGetRequest{IDs: ids}, all...).want(t, 200),
	); len(out.Items) != 99 || len(out.Unprocessed) != 1 ||
		len(out.Missing) > 0 {
		t.Errorf("got %d items, %v unprocessed, %v missing", len(out.Items), out.Unprocessed, out.Missing)
	}
	var in api.BatchWriteRequest
	for i := range 100 {
		in.Entries = append(
			in.Entries,
			api.BatchWriteEntry{Create: &api.ItemInput{Name: fmt.Sprint("part ", i)}},
		)
	}
	some = faulted(t, dynamodb.Fault{Kind: dynamodb.UnprocessedItems, Rate: 0.7})
	if out := decode[api.BatchWriteResponse](
		t,
		c.send("POST", "/items/batch-write", in, some...).want(t, 200),
	); out.Failed > 0 {
		t.Errorf("%d entries failed", out.Failed)
	}
	all = faulted(t, dynamodb.Fault{Kind: dynamodb.UnprocessedItems})
	out := decode[api.BatchWriteResponse](t, c.send("POST", "/items/batch-write", in, all...).want(t, 200))
	if out.Failed == 0 || out.Failed > 4 {
		t.Errorf("%d entries failed, want one of each call", out.Failed)
	}
	for _, r := range out.Results {
		if got := c.send(
			"GET",
			"/items/"+r.ID,
			nil,
		); r.Code == "" && got.Status != 200 || r.Code == api.Unavailable && got.Status != 404 ||
			r.Code != "" && r.Code != api.Unavailable {
			t.Errorf("%+v, and reading it gave %d", r, got.Status)
		}
	}
}

// One call that is never answered costs its own time-out, and no request.
func oneHungCallIsNotSeen(t *testing.T, s *site) {
	c := s.caller(t, t.Name()).warm()
	h := faulted(t, dynamodb.Fault{Kind: dynamodb.Latency, DelayMS: 60_000, Times: 1})
	it := c.create("x")
	c.send("GET", "/items/"+it.ID, nil, h...).want(t, 200)
	c.send("GET", "/items", nil, h...).want(t, 200)
	ask := api.BatchGetRequest{IDs: []string{it.ID}}
	got := decode[api.BatchGetResponse](t, c.send("POST", "/items/batch-get", ask, h...).want(t, 200))
	if len(got.Items) != 1 {
		t.Errorf("batch-get gave %+v", got)
	}
	key := append([]string{"Idempotency-Key", "k"}, h...)
	first := decode[api.Item](t, c.send("POST", "/items", api.ItemInput{Name: "once"}, key...).want(t, 201))
	again := c.send("POST", "/items", api.ItemInput{Name: "once"}, "Idempotency-Key", "k").want(t, 201)
	if decode[api.Item](t, again).ID != first.ID {
		t.Error("one key made two items")
	}
	put := c.send(
		"PUT",
		"/items/"+it.ID,
		api.ItemInput{Name: "y"},
		append([]string{"If-Match", `"1"`}, h...)...)
	if now := decode[api.Item](t, put.want(t, 200)); now.Version != 2 {
		t.Errorf("replacing gave %+v", now)
	}
	remove := api.BatchWriteRequest{Entries: []api.BatchWriteEntry{{Delete: &api.ItemRef{ID: first.ID}}}}
	out := decode[api.BatchWriteResponse](t, c.send("POST", "/items/batch-write", remove, h...).want(t, 200))
	if out.Failed > 0 {
		t.Errorf("the batch gave %+v", out)
	}
	c.send("DELETE", "/items/"+it.ID, nil, h...).want(t, 204)
	// The gate passes a call on when its client has given it up, so that a
	// create is done, and found if that was soon.
	if create := c.send("POST", "/items", api.ItemInput{Name: "z"}, h...); create.Status != 201 {
		create.says(t, 503, api.OutcomeUnknown)
	}
}

// What takes too long is answered before the function is cut off.
func slowDatabaseIsUnavailable(t *testing.T, s *site) {
	c := s.caller(t, t.Name()).warm()
	slow := faulted(t, dynamodb.Fault{Kind: dynamodb.Latency, DelayMS: 30_000})
	c.send("GET", "/items", nil, slow...).says(t, 503, api.Unavailable)
	c.send("POST", "/items", api.ItemInput{Name: "x"}, slow...).says(t, 503, api.OutcomeUnknown)
	brief := faulted(t, dynamodb.Fault{Kind: dynamodb.Latency, DelayMS: 1})
	c.send("GET", "/items", nil, brief...).want(t, 200)
	if bad := c.send(
		"GET",
		"/items",
		nil,
		gateway.FaultsHeader,
		"nonsense",
	); bad.Status != 503 ||
		!strings.Contains(string(bad.Body), "unavailable") {
		t.Errorf("a bad header gave %d %s", bad.Status, bad.Body)
	}
}
