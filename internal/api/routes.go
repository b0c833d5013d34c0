// Package api is the declaration of the API: its routes, the types of requests
// and responses with their constraints, its error codes, and the names that
// infrastructure and function share. Gateway, handler, role and OpenAPI
// document are made from it. It imports neither Pulumi nor the AWS SDK.
package api

import (
	"slices"
	"strings"
)

// Operation names what a route does; it is unique.
type Operation string

// The operations.
const (
	CreateItem    Operation = "CreateItem"
	ListItems     Operation = "ListItems"
	GetItem       Operation = "GetItem"
	ReplaceItem   Operation = "ReplaceItem"
	DeleteItem    Operation = "DeleteItem"
	BatchGetItems Operation = "BatchGetItems"
	BatchWrite    Operation = "BatchWriteItems"
	GetHealth     Operation = "GetHealth"
	GetOpenAPI    Operation = "GetOpenAPI"
)

// Names that infrastructure and function share.
const (
	// EnvTableName is the environment variable with the table's name.
	EnvTableName = "TABLE_NAME"
	PartitionKey = "PK"
	SortKey      = "SK"
	TTLAttribute = "expiresAt"
	// AnonymousOwner owns all items of an API without authentication.
	AnonymousOwner = "anonymous"
)

// Header is a request or response header of a route. What a Pattern says of a
// request's header is enforced by the handler.
type Header struct{ Name, Description, Pattern string }

// Route is one route, written once.
type Route struct {
	Operation    Operation
	Method, Path string
	Summary      string
	// PathParameters is a value of a struct with a field for each parameter of
	// the Path, Query one with the query parameters; nil for none.
	PathParameters any
	Query          any
	Request        any // a value of the body's type, or nil
	Response       any // a value of the success body's type, or nil
	Status         int // of success
	RequestHeaders []Header
	Headers        []Header // of the success response
	Errors         []Code   // besides those that every route can give
	// Public routes need no authentication. Another one needs its Scope.
	Public bool
	Scope  Scope
	// Throttle is the route's own limit; nil for the stage's. The lower one of
	// both holds.
	Throttle *Throttle
}

// Key returns the route key, such as "GET /items/{id}".
func (r Route) Key() string { return r.Method + " " + r.Path }

var (
	etag = Header{
		Name:        "ETag",
		Description: "The item's version, to be sent as If-Match or If-None-Match.",
		Pattern:     `^"[1-9][0-9]*"$`,
	}
	location = Header{
		Name:        "Location",
		Description: "The path of the new item.",
	}
	ifMatch = Header{
		Name:        "If-Match",
		Description: "Do it only if the item has one of these versions, up to 100; * for any.",
	}
	ifNoneMatch = Header{
		Name:        "If-None-Match",
		Description: "Answer 304 if the item still has one of these versions.",
	}
	unlessMatch = Header{
		Name:        "If-None-Match",
		Description: "Do it only if the item has none of these versions, up to 100.",
	}
	idempotency = Header{
		Name: "Idempotency-Key",
		Description: "1 to 255 printable characters of ASCII. A retry with the same key and body " +
			"within 24 hours " +
			"returns the first answer.",
		Pattern: "^[ -~]{1,255}$",
	}
)

// Routes returns all routes. To add one, add an entry here and a function of
// the same operation in the handler; everything else follows.
func Routes() []Route {
	return []Route{
		{
			Operation:      CreateItem,
			Method:         "POST",
			Path:           "/items",
			Summary:        "Create an item",
			Request:        ItemInput{},
			Response:       Item{},
			Status:         201,
			Scope:          ScopeWrite,
			RequestHeaders: []Header{idempotency},
			Headers:        []Header{location, etag},
			Errors: []Code{
				InvalidBody,
				InvalidHeader,
				IdempotencyKeyReused,
				TooLarge,
				UnsupportedMediaType,
				OutcomeUnknown,
			},
		},
		{
			Operation: ListItems,
			Method:    "GET",
			Path:      "/items",
			Summary:   "List the caller's items, newest first",
			Query:     ListQuery{},
			Response:  ItemList{},
			Status:    200,
			Scope:     ScopeRead,
			Errors:    []Code{InvalidQuery, InvalidCursor},
		},
		{
			Operation:      GetItem,
			Method:         "GET",
			Path:           "/items/{id}",
			Summary:        "Get an item",
			PathParameters: ItemRef{},
			Response:       Item{},
			Status:         200,
			Scope:          ScopeRead,
			RequestHeaders: []Header{ifMatch, ifNoneMatch},
			Headers:        []Header{etag},
			Errors:         []Code{InvalidID, InvalidHeader, NotFound, PreconditionFailed},
		},
		{
			Operation:      ReplaceItem,
			Method:         "PUT",
			Path:           "/items/{id}",
			Summary:        "Replace an item",
			PathParameters: ItemRef{},
			Request:        ItemInput{},
			Response:       Item{},
			Status:         200,
			Scope:          ScopeWrite,
			RequestHeaders: []Header{ifMatch, unlessMatch},
			Headers:        []Header{etag},
			Errors: []Code{
				InvalidBody,
				InvalidID,
				InvalidHeader,
				NotFound,
				PreconditionFailed,
				TooLarge,
				UnsupportedMediaType,
				OutcomeUnknown,
			},
		},
		{
			Operation:      DeleteItem,
			Method:         "DELETE",
			Path:           "/items/{id}",
			Summary:        "Delete an item",
			PathParameters: ItemRef{},
			Status:         204,
			Scope:          ScopeWrite,
			RequestHeaders: []Header{ifMatch, unlessMatch},
			Errors:         []Code{InvalidID, InvalidHeader, NotFound, PreconditionFailed, OutcomeUnknown},
		},
		{
			Operation: BatchGetItems,
			Method:    "POST",
			Path:      "/items/batch-get",
			Summary:   "Get up to 100 items at once",
			Request:   BatchGetRequest{},
			Response:  BatchGetResponse{},
			Status:    200,
			Scope:     ScopeRead,
			Throttle:  &Throttle{Rate: 50, Burst: 50},
			Errors:    []Code{InvalidBody, TooLarge, UnsupportedMediaType},
		},
		{
			Operation: BatchWrite,
			Method:    "POST",
			Path:      "/items/batch-write",
			Summary:   "Create and delete up to 100 items at once",
			Request:   BatchWriteRequest{},
			Response:  BatchWriteResponse{},
			Status:    200,
			Scope:     ScopeWrite,
			Throttle:  &Throttle{Rate: 20, Burst: 20},
			Errors:    []Code{InvalidBody, TooLarge, UnsupportedMediaType},
		},
		{
			Operation: GetHealth,
			Method:    "GET",
			Path:      "/health",
			Summary:   "Tell whether the API answers",
			Response:  Health{},
			Status:    200,
			Public:    true,
		},
		{
			Operation: GetOpenAPI,
			Method:    "GET",
			Path:      "/openapi.json",
			Summary:   "This document",
			Response:  map[string]any{},
			Status:    200,
			Public:    true,
		},
	}
}

// PathParameterNames returns the names of the parameters in the route's path,
// in their order.
func (r Route) PathParameterNames() []string {
	var out []string
	for _, segment := range strings.Split(r.Path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			out = append(out, strings.TrimRight(name, "+}"))
		}
	}
	return out
}

// Methods returns the methods of all routes, sorted.
func Methods() []string {
	var out []string
	for _, r := range Routes() {
		out = append(out, r.Method)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
