package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"items-api/internal/api"
	"items-api/internal/store"
)

// operations returns the functions behind the routes.
func (h *Handler) operations() map[api.Operation]operation {
	return map[api.Operation]operation{
		api.CreateItem:    h.create,
		api.ListItems:     h.list,
		api.GetItem:       h.get,
		api.ReplaceItem:   h.replace,
		api.DeleteItem:    h.delete,
		api.BatchGetItems: h.batchGet,
		api.BatchWrite:    h.batchWrite,
		api.GetHealth:     health,
		api.GetOpenAPI:    h.openAPI,
	}
}

func (h *Handler) create(ctx context.Context, owner string, r request) (response, error) {
	var in api.ItemInput
	if err := body(r, &in, api.MaxBody); err != nil {
		return response{}, err
	}
	key, given := r.Headers["idempotency-key"]
	if given && !printable(key) {
		return response{}, api.Fail(
			api.InvalidHeader,
			"Idempotency-Key",
			"it must have 1 to 255 printable ASCII characters",
		)
	}
	it, err := h.items.Create(ctx, owner, in, key)
	if err != nil {
		return response{}, err
	}
	out := item(http.StatusCreated, it)
	out.Headers["location"] = h.root(r) + "/items/" + it.ID
	return out, nil
}

// root is what precedes the paths of the routes where the client sent its
// request.
func (h *Handler) root(r request) string {
	stage := r.RequestContext.Stage
	switch {
	case h.base != "":
		// A custom domain leads to a stage, whose name is then in no path.
		return h.base
	case stage != "" && stage != "$default":
		return "/" + stage
	}
	return ""
}

func printable(s string) bool {
	for _, c := range s {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 255
}

func (h *Handler) list(ctx context.Context, owner string, r request) (response, error) {
	var q api.ListQuery
	if err := api.DecodeQuery(r.QueryStringParameters, &q); err != nil {
		return response{}, err
	}
	after := ""
	if q.Cursor != nil {
		var err error
		if after, err = store.CheckCursor(owner, *q.Cursor); err != nil {
			return response{}, err
		}
	}
	page, err := h.items.List(ctx, owner, q.Limit, after)
	if err != nil {
		return response{}, err
	}
	return respond(http.StatusOK, page), nil
}

func (h *Handler) get(ctx context.Context, owner string, r request) (response, error) {
	id, err := itemID(r)
	if err != nil {
		return response{}, err
	}
	want, err := precondition(r)
	if err != nil {
		return response{}, err
	}
	it, err := h.items.Get(ctx, owner, id)
	switch {
	case err != nil:
		return response{}, err
	case want.Match != nil && !want.Match.Holds(it.Version):
		return response{}, &api.Error{Code: api.PreconditionFailed, CurrentVersion: it.Version}
	case want.None != nil && want.None.Holds(it.Version):
		return response{
			StatusCode: http.StatusNotModified,
			Headers:    map[string]string{"etag": etag(it.Version), "cache-control": "no-store"},
		}, nil
	}
	return item(http.StatusOK, it), nil
}

func (h *Handler) replace(ctx context.Context, owner string, r request) (response, error) {
	id, err := itemID(r)
	if err != nil {
		return response{}, err
	}
	want, err := precondition(r)
	if err != nil {
		return response{}, err
	}
	var in api.ItemInput
	if err := body(r, &in, api.MaxBody); err != nil {
		return response{}, err
	}
	it, err := h.items.Replace(ctx, owner, id, in, want)
	if err != nil {
		return response{}, err
	}
	return item(http.StatusOK, it), nil
}

func (h *Handler) delete(ctx context.Context, owner string, r request) (response, error) {
	id, err := itemID(r)
	if err != nil {
		return response{}, err
	}
	want, err := precondition(r)
	if err != nil {
		return response{}, err
	}
	if err := h.items.Delete(ctx, owner, id, want); err != nil {
		return response{}, err
	}
	return response{
		StatusCode: http.StatusNoContent,
		Headers:    map[string]string{"cache-control": "no-store"},
	}, nil
}

func (h *Handler) batchGet(ctx context.Context, owner string, r request) (response, error) {
	var in api.BatchGetRequest
	if err := body(r, &in, api.MaxBody); err != nil {
		return response{}, err
	}
	out, err := h.items.BatchGet(ctx, owner, in.IDs)
	if err != nil {
		return response{}, err
	}
	return respond(http.StatusOK, out), nil
}

func (h *Handler) batchWrite(ctx context.Context, owner string, r request) (response, error) {
	var in api.BatchWriteRequest
	if err := body(r, &in, api.MaxBatchBody); err != nil {
		return response{}, err
	}
	out, err := h.items.BatchWrite(ctx, owner, in.Entries)
	if err != nil {
		return response{}, err
	}
	return respond(http.StatusOK, out), nil
}

func health(context.Context, string, request) (response, error) {
	return respond(http.StatusOK, api.Health{Status: "ok"}), nil
}

// openAPI names the path at which the API is served as the document's server:
// the paths of the document would stand for those at the root of the host.
func (h *Handler) openAPI(_ context.Context, _ string, r request) (response, error) {
	doc := string(api.OpenAPI)
	if root := h.root(r); root != "" {
		doc = strings.Replace(
			doc,
			fmt.Sprintf(`"url": %q`, api.DocumentServer),
			fmt.Sprintf(`"url": %q`, root),
			1,
		)
	}
	return response{
		StatusCode: http.StatusOK,
		Body:       doc,
		Headers:    map[string]string{"content-type": "application/json"},
	}, nil
}

func item(status int, it api.Item) response {
	out := respond(status, it)
	out.Headers["etag"] = etag(it.Version)
	return out
}
