package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"items-api/e2e/rest"
	"items-api/internal/api"
)

func TestItemLivesThroughEveryRoute(t *testing.T) {
	t.Parallel()
	in := api.ItemInput{
		Name:        "naïve ☃",
		Description: new("d"),
		Attributes:  map[string]any{"n": 1.5, "deep": map[string]any{"l": []any{true, nil, "x"}}},
	}
	made := call(t, "POST", "/items", in).Want(t, 201)
	it := rest.Decode[api.Item](t, made)
	if made.Header.Get("Location") != "/items/"+it.ID || made.Header.Get("ETag") != `"1"` || it.Version != 1 {
		t.Errorf(
			"got Location %q, ETag %q, version %d",
			made.Header.Get("Location"),
			made.Header.Get("ETag"),
			it.Version,
		)
	}
	got := rest.Decode[api.Item](t, call(t, "GET", "/items/"+it.ID, nil).Want(t, 200))
	if diff := cmp.Diff(it, got); diff != "" {
		t.Errorf("what was read differs from what was created:\n%s", diff)
	}
	if diff := cmp.Diff(in.Attributes, got.Attributes); diff != "" {
		t.Errorf("the attributes changed:\n%s", diff)
	}
	call(t, "GET", "/items/"+it.ID, nil, "If-None-Match", `"1"`).Want(t, 304)
	replaced := rest.Decode[api.Item](
		t,
		call(t, "PUT", "/items/"+it.ID, api.ItemInput{Name: "second"}, "If-Match", `"1"`).Want(t, 200),
	)
	if replaced.Version != 2 || replaced.Description != nil || replaced.CreatedAt != it.CreatedAt {
		t.Errorf("replacing gave %+v", replaced)
	}
	stale := call(t, "PUT", "/items/"+it.ID, api.ItemInput{Name: "third"}, "If-Match", `"1"`).Want(t, 412)
	if p := rest.Decode[api.Problem](
		t,
		stale,
	); p.CurrentVersion != 2 || p.Code != api.PreconditionFailed ||
		stale.Header.Get("ETag") != `"2"` {
		t.Errorf("the stale write got %+v", p)
	}
	call(t, "DELETE", "/items/"+it.ID, nil, "If-Match", `"1"`).Want(t, 412)
	call(t, "DELETE", "/items/"+it.ID, nil, "If-Match", `"2"`).Want(t, 204)
	call(t, "GET", "/items/"+it.ID, nil).Want(t, 404)
	call(t, "DELETE", "/items/"+it.ID, nil).Want(t, 404)
	call(t, "PUT", "/items/"+it.ID, api.ItemInput{Name: "x"}).Want(t, 404)
}

func TestRetryWithIdempotencyKeyReturnsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	key := "key-" + create(t, "for a key of its own").ID
	var wait sync.WaitGroup
	ids := make([]string, 4)
	for i := range ids {
		wait.Go(func() {
			a := call(t, "POST", "/items", api.ItemInput{Name: "once"}, "Idempotency-Key", key)
			if a.Status == 201 {
				ids[i] = rest.Decode[api.Item](t, a).ID
			}
		})
	}
	wait.Wait()
	first := rest.Decode[api.Item](
		t,
		call(t, "POST", "/items", api.ItemInput{Name: "once"}, "Idempotency-Key", key).Want(t, 201),
	).ID
	for _, id := range ids {
		if id != "" && id != first {
			t.Errorf("one key made the items %s and %s", first, id)
		}
	}
	p := rest.Decode[api.Problem](
		t,
		call(t, "POST", "/items", api.ItemInput{Name: "other"}, "Idempotency-Key", key).Want(t, 422),
	)
	if p.Code != api.IdempotencyKeyReused {
		t.Errorf("got the code %s", p.Code)
	}
}

func TestListGivesEveryItemOnceNewestFirst(t *testing.T) {
	t.Parallel()
	var made []string
	for i := range 25 {
		made = append(made, create(t, fmt.Sprint("listed ", i)).ID)
	}
	var listed []string
	for cursor := ""; ; {
		page := rest.Decode[api.ItemList](t, call(t, "GET", "/items?limit=7"+cursor, nil).Want(t, 200))
		for _, it := range page.Items {
			listed = append(listed, it.ID)
		}
		if page.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + page.NextCursor
	}
	if !slices.IsSortedFunc(listed, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Error("the items are not in order, newest first")
	}
	if n := len(slices.Compact(slices.Clone(listed))); n != len(listed) {
		t.Errorf("%d items were listed twice", len(listed)-n)
	}
	for _, id := range made {
		if !slices.Contains(listed, id) {
			t.Errorf("the item %s is missing", id)
		}
	}
}

func TestBatchGetKeepsOrderFoldsDuplicatesAndNamesMissing(t *testing.T) {
	t.Parallel()
	a, b, gone := create(t, "a"), create(t, "b"), create(t, "gone")
	call(t, "DELETE", "/items/"+gone.ID, nil).Want(t, 204)
	out := rest.Decode[api.BatchGetResponse](
		t,
		call(
			t,
			"POST",
			"/items/batch-get",
			api.BatchGetRequest{IDs: []string{b.ID, gone.ID, a.ID, b.ID}},
		).Want(
			t,
			200,
		),
	)
	if diff := cmp.Diff(api.BatchGetResponse{
		Items:   []api.Item{b, a},
		Missing: []string{gone.ID},
	}, out); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestBatchWriteTellsOfEachEntry(t *testing.T) {
	t.Parallel()
	gone := create(t, "gone")
	in := api.BatchWriteRequest{Entries: []api.BatchWriteEntry{
		{Create: &api.ItemInput{Name: "a"}},
		{Delete: &api.ItemRef{ID: gone.ID}},
		{Create: &api.ItemInput{Name: "b"}},
		{Delete: &api.ItemRef{ID: gone.ID}},
	}}
	out := rest.Decode[api.BatchWriteResponse](t, call(t, "POST", "/items/batch-write", in).Want(t, 200))
	if len(out.Results) != len(in.Entries) || out.Failed != 0 {
		t.Fatalf("got %+v", out)
	}
	for i, r := range out.Results {
		if e := in.Entries[i]; e.Create != nil {
			if it := rest.Decode[api.Item](
				t,
				call(t, "GET", "/items/"+r.ID, nil).Want(t, 200),
			); r.Status != 201 || it.Name != e.Create.Name ||
				it.Version != 1 {
				t.Errorf("entry %d: %+v made %+v", i, r, it)
			}
		} else if r.Status != 204 || r.ID != gone.ID {
			t.Errorf("entry %d: %+v", i, r)
		}
	}
	call(t, "GET", "/items/"+gone.ID, nil).Want(t, 404)
}

func TestPreconditionsOfReads(t *testing.T) {
	t.Parallel()
	it := create(t, "read")
	call(t, "GET", "/items/"+it.ID, nil, "If-Match", `"1"`).Want(t, 200)
	call(t, "GET", "/items/"+it.ID, nil, "If-Match", `"2"`).Want(t, 412)
	call(t, "GET", "/items/"+it.ID, nil, "If-None-Match", `"2", W/"1"`).Want(t, 304)
	call(t, "PUT", "/items/"+it.ID, api.ItemInput{Name: "x"}, "If-None-Match", "*").Want(t, 412)
	call(t, "DELETE", "/items/"+it.ID, nil, "If-None-Match", `"1"`).Want(t, 412)
	call(t, "DELETE", "/items/"+it.ID, nil, "If-Match", `"7", "1"`).Want(t, 204)
}

func TestPublicRoutes(t *testing.T) {
	t.Parallel()
	if h := rest.Decode[api.Health](t, call(t, "GET", "/health", nil).Want(t, 200)); h.Status != "ok" {
		t.Errorf("got %+v", h)
	}
	if doc := call(t, "GET", "/openapi.json", nil).Want(t, 200); string(doc.Body) != string(api.OpenAPI) {
		t.Error("the document is not the one that is built in")
	}
}

func TestBadRequestsGiveProblemsThatNameTheField(t *testing.T) {
	t.Parallel()
	id := create(t, "target").ID
	many := make([]string, 101)
	for i := range many {
		many[i] = id
	}
	cases := []struct {
		name, method, path string
		body               any
		status             int
		code               api.Code
		field              string
	}{
		{"broken JSON", "POST", "/items", `{"name":`, 400, api.InvalidBody, ""},
		{"wrong type", "POST", "/items", `{"name":1}`, 400, api.InvalidBody, "/name"},
		{"unknown field", "POST", "/items", `{"name":"x","colour":"red"}`, 400, api.InvalidBody, "/colour"},
		{"missing field", "POST", "/items", `{}`, 400, api.InvalidBody, "/name"},
		{
			"too long",
			"POST",
			"/items",
			api.ItemInput{Name: strings.Repeat("ä", 257)},
			400,
			api.InvalidBody,
			"/name",
		},
		{
			"too large",
			"PUT",
			"/items/" + id,
			`{"name":"` + strings.Repeat("x", api.MaxBody) + `"}`,
			413,
			api.TooLarge,
			"",
		},
		{"bad id", "GET", "/items/7", nil, 400, api.InvalidID, "id"},
		{"bad cursor", "GET", "/items?cursor=x", nil, 400, api.InvalidCursor, "cursor"},
		{"bad limit", "GET", "/items?limit=101", nil, 400, api.InvalidQuery, "limit"},
		{"no ids", "POST", "/items/batch-get", `{"ids":[]}`, 400, api.InvalidBody, "/ids"},
		{
			"bad entry", "POST", "/items/batch-write", `{"entries":[{"create":{"name":""}}]}`, 400,
			api.InvalidBody, "/entries/0/create/name",
		},
		{
			"too many ids",
			"POST",
			"/items/batch-get",
			api.BatchGetRequest{IDs: many},
			400,
			api.InvalidBody,
			"/ids",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := call(t, c.method, c.path, c.body).Want(t, c.status)
			p := rest.Decode[api.Problem](t, a)
			if a.Header.Get("Content-Type") != "application/problem+json" || p.Code != c.code ||
				p.RequestID == "" ||
				p.RequestID != a.Header.Get("Apigw-Requestid") {
				t.Errorf("got %s %+v", a.Header.Get("Content-Type"), p)
			}
			if len(p.Errors) != 1 || p.Errors[0].Field != c.field {
				t.Errorf("got the fields %+v, want %q", p.Errors, c.field)
			}
		})
	}
}

func TestUnknownRouteIsTheGatewaysAnswer(t *testing.T) {
	t.Parallel()
	if a := call(t, "PATCH", "/items", nil).Want(t, 404); string(a.Body) != `{"message":"Not Found"}` {
		t.Errorf("got %s", a.Body)
	}
}

func TestPreflightOfAllowedOrigin(t *testing.T) {
	t.Parallel()
	a := call(
		t,
		http.MethodOptions,
		"/items",
		nil,
		"Origin",
		"http://localhost:3000",
		"Access-Control-Request-Method",
		"POST",
	).Want(
		t,
		204,
	)
	if a.Header.Get("Access-Control-Allow-Origin") != "http://localhost:3000" ||
		!strings.Contains(a.Header.Get("Access-Control-Allow-Methods"), "PUT") {
		t.Errorf("got %v", a.Header)
	}
	if other := call(
		t,
		http.MethodOptions,
		"/items",
		nil,
		"Origin",
		"http://evil.example",
		"Access-Control-Request-Method",
		"POST",
	).Want(
		t,
		204,
	); other.Header.Get(
		"Access-Control-Allow-Origin",
	) != "" {
		t.Error("a foreign origin was let in")
	}
}
