package api

import (
	"fmt"
	"net/http"
)

// Code is the stable name of an error.
type Code string

// The codes.
const (
	InvalidBody          Code = "invalid_body"
	InvalidQuery         Code = "invalid_query"
	InvalidHeader        Code = "invalid_header"
	InvalidID            Code = "invalid_id"
	InvalidCursor        Code = "invalid_cursor"
	Unauthenticated      Code = "unauthenticated"
	NotFound             Code = "not_found"
	PreconditionFailed   Code = "precondition_failed"
	IdempotencyKeyReused Code = "idempotency_key_reused"
	TooLarge             Code = "too_large"
	UnsupportedMediaType Code = "unsupported_media_type"
	Unavailable          Code = "unavailable"
	OutcomeUnknown       Code = "outcome_unknown"
	Internal             Code = "internal"
)

var codes = map[Code]struct {
	status int
	title  string
}{
	InvalidBody:          {http.StatusBadRequest, "The request body is invalid"},
	InvalidQuery:         {http.StatusBadRequest, "A query parameter is invalid"},
	InvalidHeader:        {http.StatusBadRequest, "A request header is invalid"},
	InvalidID:            {http.StatusBadRequest, "The id is no item id"},
	InvalidCursor:        {http.StatusBadRequest, "The cursor is invalid"},
	Unauthenticated:      {http.StatusUnauthorized, "The caller is not known"},
	NotFound:             {http.StatusNotFound, "There is no such item"},
	PreconditionFailed:   {http.StatusPreconditionFailed, "The item has another version"},
	IdempotencyKeyReused: {http.StatusUnprocessableEntity, "The Idempotency-Key was used with another body"},
	TooLarge:             {http.StatusRequestEntityTooLarge, "The request body is too large"},
	UnsupportedMediaType: {http.StatusUnsupportedMediaType, "The body must be application/json"},
	Unavailable:          {http.StatusServiceUnavailable, "The API cannot answer right now"},
	OutcomeUnknown:       {http.StatusServiceUnavailable, "It is not known whether this was done"},
	Internal:             {http.StatusInternalServerError, "Internal error"},
}

// Status returns the HTTP status of a code.
func (c Code) Status() int { return codes[c].status }

// Title returns the summary of a code.
func (c Code) Title() string { return codes[c].title }

// Error is an error for the caller. Its cause is for the log only.
type Error struct {
	Code           Code
	Detail         string
	Fields         []FieldError
	CurrentVersion int64
	Cause          error
}

// Error implements error; the text is for the log.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Detail, e.Cause)
	}
	return fmt.Sprintf("%s: %s %v", e.Code, e.Detail, e.Fields)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Fail returns an error about one field.
func Fail(code Code, field, format string, args ...any) *Error {
	return &Error{Code: code, Fields: []FieldError{{field, fmt.Sprintf(format, args...)}}}
}
