package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"items-api/internal/api"
	"items-api/internal/seeds"
	"items-api/internal/store"
)

const id = "01a20e01-f111-7a4a-b65a-dbd82bde526b"

// fake counts calls and answers with one item.
type fake struct {
	calls int
	err   error
	want  *store.Precondition
	panic bool
}

func (f *fake) item() (api.Item, error) {
	f.calls++
	if f.panic {
		panic("secret")
	}
	return api.Item{ID: id, ItemInput: api.ItemInput{Name: "x"}, Version: 3}, f.err
}
func (f *fake) Create(context.Context, string, api.ItemInput, string) (api.Item, error) {
	return f.item()
}
func (f *fake) Get(context.Context, string, string) (api.Item, error) { return f.item() }
func (f *fake) List(context.Context, string, int, string) (api.ItemList, error) {
	_, err := f.item()
	return api.ItemList{}, err
}

func (f *fake) Replace(
	_ context.Context,
	_, _ string,
	_ api.ItemInput,
	want store.Precondition,
) (api.Item, error) {
	f.want = &want
	return f.item()
}
func (f *fake) Delete(_ context.Context, _, _ string, want store.Precondition) error {
	f.want = &want
	_, err := f.item()
	return err
}
func (f *fake) BatchGet(context.Context, string, []string) (api.BatchGetResponse, error) {
	_, err := f.item()
	return api.BatchGetResponse{}, err
}

func (f *fake) BatchWrite(context.Context, string, []api.BatchWriteEntry) (api.BatchWriteResponse, error) {
	_, err := f.item()
	return api.BatchWriteResponse{}, err
}

func handle(t *testing.T, f *fake, r request) response {
	t.Helper()
	h, err := NewHandler(f, api.AuthNone, slog.New(slog.NewJSONHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	r.RequestContext.RequestID = "req="
	out, err := h.Handle(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func post(route, body string) request {
	return request{
		RouteKey:       route,
		Body:           body,
		Headers:        map[string]string{"content-type": "application/json"},
		PathParameters: map[string]string{"id": id},
	}
}

func with(r request, name, value string) request {
	r.Headers = map[string]string{"content-type": "application/json", name: value}
	return r
}

func query1(r request, name, value string) request {
	r.QueryStringParameters = map[string]string{name: value}
	return r
}

func TestBadRequestsNameTheFieldAndReachNoDatabase(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	create, list, get := "POST /items", "GET /items", request{
		RouteKey:       "GET /items/{id}",
		PathParameters: map[string]string{"id": "7"},
	}
	ids := strings.TrimSuffix(strings.Repeat(`"`+id+`",`, 101), ",")
	cases := []struct {
		name   string
		r      request
		status int
		code   api.Code
		field  string
	}{
		{"no body", post(create, ""), 400, api.InvalidBody, ""},
		{"broken", post(create, `{"name"`), 400, api.InvalidBody, ""},
		{"not an object", post(create, `[]`), 400, api.InvalidBody, ""},
		{"trailing text", post(create, `{"name":"x"} x`), 400, api.InvalidBody, ""},
		{"not UTF-8", post(create, "{\"name\":\"\xff\"}"), 400, api.InvalidBody, ""},
		{"too deep", post(create, `{"name":"x","attributes":`+deep+`}`), 400, api.InvalidBody, ""},
		{"missing", post(create, `{}`), 400, api.InvalidBody, "/name"},
		{"empty", post(create, `{"name":""}`), 400, api.InvalidBody, "/name"},
		{"null", post(create, `{"name":null}`), 400, api.InvalidBody, "/name"},
		{"wrong type", post(create, `{"name":1}`), 400, api.InvalidBody, "/name"},
		{"twice", post(create, `{"name":"a","name":"b"}`), 400, api.InvalidBody, "/name"},
		{"unknown", post(create, `{"name":"a","Name":"b"}`), 400, api.InvalidBody, "/Name"},
		{"too long", post(create, `{"name":"`+strings.Repeat("ä", 257)+`"}`), 400, api.InvalidBody, "/name"},
		{
			"attributes no object",
			post(create, `{"name":"a","attributes":[]}`),
			400,
			api.InvalidBody,
			"/attributes",
		},
		{
			"attributes too large",
			post(create, `{"name":"a","attributes":{"a":"`+strings.Repeat("x", 65536)+`"}}`),
			400,
			api.InvalidBody,
			"/attributes",
		},
		{"body too large", post(create, strings.Repeat(" ", api.MaxBody+1)), 413, api.TooLarge, ""},
		{
			"content type",
			with(post(create, `{"name":"a"}`), "content-type", "text/plain"),
			415,
			api.UnsupportedMediaType,
			"Content-Type",
		},
		{
			"idempotency key",
			with(post(create, `{"name":"a"}`), "idempotency-key", strings.Repeat("k", 256)),
			400,
			api.InvalidHeader,
			"Idempotency-Key",
		},
		{"id", get, 400, api.InvalidID, "id"},
		{
			"if-match",
			with(post("PUT /items/{id}", `{"name":"a"}`), "if-match", "3"),
			400,
			api.InvalidHeader,
			"If-Match",
		},
		{"cursor", query1(request{RouteKey: list}, "cursor", "x"), 400, api.InvalidCursor, "cursor"},
		{"limit", query1(request{RouteKey: list}, "limit", "0"), 400, api.InvalidQuery, "limit"},
		{"limit text", query1(request{RouteKey: list}, "limit", "ten"), 400, api.InvalidQuery, "limit"},
		{"unknown parameter", query1(request{RouteKey: list}, "page", "2"), 400, api.InvalidQuery, "page"},
		{"no ids", post("POST /items/batch-get", `{"ids":[]}`), 400, api.InvalidBody, "/ids"},
		{"101 ids", post("POST /items/batch-get", `{"ids":[`+ids+`]}`), 400, api.InvalidBody, "/ids"},
		{"no entries", post("POST /items/batch-write", `{"entries":[]}`), 400, api.InvalidBody, "/entries"},
		{
			"empty entry",
			post("POST /items/batch-write", `{"entries":[{}]}`),
			400,
			api.InvalidBody,
			"/entries/0",
		},
		{
			"two in one entry",
			post("POST /items/batch-write", `{"entries":[{"create":{"name":"x"},"delete":{"id":"`+id+`"}}]}`),
			400,
			api.InvalidBody,
			"/entries/0",
		},
		{
			"bad entry",
			post("POST /items/batch-write", `{"entries":[{"create":{"name":"x"}},{"create":{"name":""}}]}`),
			400,
			api.InvalidBody,
			"/entries/1/create/name",
		},
		{
			"bad id in an entry",
			post("POST /items/batch-write", `{"entries":[{"delete":{"id":"7"}}]}`),
			400,
			api.InvalidBody,
			"/entries/0/delete/id",
		},
		{
			"unknown field in an entry",
			post("POST /items/batch-write", `{"entries":[{"delete":{"id":"`+id+`","x":1}}]}`),
			400,
			api.InvalidBody,
			"/entries/0/delete/x",
		},
		{
			"101 entries",
			post(
				"POST /items/batch-write",
				`{"entries":[`+strings.TrimSuffix(strings.Repeat(`{"create":{"name":"x"}},`, 101), ",")+`]}`,
			),
			400,
			api.InvalidBody,
			"/entries",
		},
		{
			"entry no object",
			post("POST /items/batch-write", `{"entries":["x"]}`),
			400,
			api.InvalidBody,
			"/entries/0",
		},
		{
			"batch too large",
			post("POST /items/batch-write", strings.Repeat(" ", api.MaxBatchBody+1)),
			413,
			api.TooLarge,
			"",
		},
		{
			"bad id among ids",
			post("POST /items/batch-get", `{"ids":["`+id+`","x"]}`),
			400,
			api.InvalidBody,
			"/ids/1",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := &fake{}
			out := handle(t, f, c.r)
			var p api.Problem
			if err := json.Unmarshal([]byte(out.Body), &p); err != nil {
				t.Fatal(err)
			}
			if out.StatusCode != c.status || p.Status != c.status || p.Code != c.code ||
				p.RequestID != "req=" ||
				out.Headers["content-type"] != "application/problem+json" {
				t.Errorf("got %d %s", out.StatusCode, out.Body)
			}
			if len(p.Errors) != 1 || p.Errors[0].Field != c.field || p.Errors[0].Message == "" {
				t.Errorf("got the fields %+v, want %q", p.Errors, c.field)
			}
			if f.calls > 0 {
				t.Error("the database was reached")
			}
		})
	}
}

func TestAllBadFieldsAreReportedTogether(t *testing.T) {
	t.Parallel()
	out := handle(t, &fake{}, post("POST /items", `{"name":1,"description":2,"colour":3}`))
	for _, field := range []string{"/name", "/description", "/colour"} {
		if !strings.Contains(out.Body, `"`+field+`"`) {
			t.Errorf("%s is not named in %s", field, out.Body)
		}
	}
}

func TestFailuresAreNotShown(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*fake{
		"error":   {err: errors.New("secret")},
		"cause":   {err: &api.Error{Code: api.Unavailable, Cause: errors.New("secret")}},
		"unknown": {err: &api.Error{Code: api.OutcomeUnknown, Cause: errors.New("secret")}},
		"panic":   {panic: true},
	} {
		out := handle(t, f, post("GET /items/{id}", ""))
		if out.StatusCode < 500 || strings.Contains(out.Body, "secret") {
			t.Errorf("%s gave %d %s", name, out.StatusCode, out.Body)
		}
		if retry := out.Headers["retry-after"]; (retry != "") != strings.Contains(out.Body, `"unavailable"`) {
			t.Errorf("%s: Retry-After is %q with %d", name, retry, out.StatusCode)
		}
	}
}

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	for header, status := range map[string]int{
		`"3"`:      304,
		`W/"3"`:    304,
		`"1", "3"`: 304,
		"*":        304,
		`"2"`:      200,
		"":         200,
	} {
		if out := handle(
			t,
			&fake{},
			with(post("GET /items/{id}", ""), "if-none-match", header),
		); out.StatusCode != status {
			t.Errorf("If-None-Match %s gave %d", header, out.StatusCode)
		}
	}
	for header, status := range map[string]int{
		`"3"`:      200,
		`"1", "3"`: 200,
		"*":        200,
		`W/"3"`:    412,
		`"2"`:      412,
		`"x,3"`:    412,
	} {
		if out := handle(
			t,
			&fake{},
			with(post("GET /items/{id}", ""), "if-match", header),
		); out.StatusCode != status {
			t.Errorf("If-Match %s gave %d", header, out.StatusCode)
		}
	}
	of := func(v ...int64) *store.Versions { return &store.Versions{Of: v} }
	for header, want := range map[string]struct{ match, none *store.Versions }{
		`"3"`:               {of(3), of(3)},
		"*":                 {&store.Versions{Any: true}, &store.Versions{Any: true}},
		`W/"3"`:             {of(), of(3)},
		`"x"`:               {of(), of()},
		`"03"`:              {of(), of()},
		` "1" ,, W/"2","3"`: {of(1, 3), of(1, 2, 3)},
		`"1,2", "4"`:        {of(4), of(4)},
		"":                  {of(), of()},
	} {
		for name, want := range map[string]store.Precondition{
			"if-match":      {Match: want.match},
			"if-none-match": {None: want.none},
		} {
			f := &fake{}
			handle(t, f, with(post("DELETE /items/{id}", ""), name, header))
			if diff := cmp.Diff(&want, f.want); diff != "" {
				t.Errorf("%s: %s\n%s", name, header, diff)
			}
		}
	}
	for _, header := range []string{"3", `"3`, `3"`, `"1" "2"`, `"1"x`, "*, \"1\"", strings.Repeat(`"1",`, 101)} {
		f := &fake{}
		if out := handle(
			t,
			f,
			with(post("DELETE /items/{id}", ""), "if-none-match", header),
		); out.StatusCode != 400 ||
			f.calls > 0 {
			t.Errorf("If-None-Match %s gave %d", header, out.StatusCode)
		}
	}
	f := &fake{err: &api.Error{Code: api.PreconditionFailed, CurrentVersion: 9}}
	if out := handle(
		t,
		f,
		with(post("DELETE /items/{id}", ""), "if-match", `"3"`),
	); out.StatusCode != 412 ||
		out.Headers["etag"] != `"9"` {
		t.Errorf("got %+v", out)
	}
}

func TestCreatedItemHasItsPlace(t *testing.T) {
	t.Parallel()
	r := post("POST /items", base64.StdEncoding.EncodeToString([]byte(`{"name":"a"}`)))
	r.IsBase64Encoded = true
	out := handle(t, &fake{}, r)
	if out.StatusCode != 201 || out.Headers["location"] != "/items/"+id || out.Headers["etag"] != `"3"` {
		t.Errorf("got %+v", out)
	}
	r.RequestContext.Stage = "dev"
	if out := handle(t, &fake{}, r); out.Headers["location"] != "/dev/items/"+id {
		t.Errorf("in a named stage it is at %s", out.Headers["location"])
	}
}

// Behind an API mapping the event says nothing of the base path.
func TestBasePathPrecedesThePathsThatClientsGet(t *testing.T) {
	t.Parallel()
	variables := map[string]string{
		api.EnvTableName:        "items",
		api.EnvAuthMode:         "none",
		api.EnvBasePath:         "/shop/v1",
		"AWS_REGION":            "us-east-1",
		"AWS_ACCESS_KEY_ID":     "a",
		"AWS_SECRET_ACCESS_KEY": "b",
	}
	h, err := fromEnvironment(
		func(name string) string { return variables[name] },
		slog.New(slog.NewJSONHandler(io.Discard, nil)),
	)
	if err != nil {
		t.Fatal(err)
	}
	h.items = &fake{}
	for _, stage := range []string{"$default", "dev"} {
		r := post("POST /items", `{"name":"a"}`)
		r.RequestContext.Stage, r.RawPath = stage, "/items"
		if out, err := h.Handle(
			t.Context(),
			r,
		); err != nil ||
			out.Headers["location"] != "/shop/v1/items/"+id {
			t.Errorf("got %+v, %v", out, err)
		}
	}
	out, err := h.Handle(t.Context(), request{RouteKey: "GET /openapi.json"})
	var doc, own map[string]any
	if err := errors.Join(
		err,
		json.Unmarshal([]byte(out.Body), &doc),
		json.Unmarshal(api.OpenAPI, &own),
	); err != nil {
		t.Fatal(err)
	}
	own["servers"].([]any)[0].(map[string]any)["url"] = "/shop/v1"
	if diff := cmp.Diff(own, doc); diff != "" {
		t.Errorf("the document differs by more than the servers:\n%s", diff)
	}
	if out := handle(t, &fake{}, request{RouteKey: "GET /openapi.json"}); out.Body != string(api.OpenAPI) {
		t.Error("the document is another without a base path")
	}
}

func TestMissingEnvironmentIsNamed(t *testing.T) {
	t.Parallel()
	_, err := fromEnvironment(func(string) string { return "" }, slog.Default())
	if err == nil || !strings.Contains(err.Error(), api.EnvTableName) {
		t.Errorf("got %v", err)
	}
}

func FuzzHandle(f *testing.F) {
	seeds.Add(f)
	f.Add("POST /items", `{"name":"x"}`, "application/json", `"1"`, id)
	f.Fuzz(func(t *testing.T, route, body, contentType, tag, id string) {
		r := request{
			RouteKey:              route,
			Body:                  body,
			PathParameters:        map[string]string{"id": id},
			QueryStringParameters: map[string]string{"cursor": body},
			Headers: map[string]string{
				"content-type":    contentType,
				"if-match":        tag,
				"if-none-match":   tag,
				"idempotency-key": tag,
			},
		}
		if out := handle(t, &fake{}, r); out.StatusCode >= 500 {
			t.Errorf("got %d %s", out.StatusCode, out.Body)
		}
	})
}
