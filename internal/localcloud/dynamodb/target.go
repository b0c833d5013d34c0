package dynamodb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"items-api/internal/localcloud/iam"
)

// The APIs that the database serves, as they begin X-Amz-Target.
const (
	tablesAPI  = "DynamoDB_20120810"
	streamsAPI = "DynamoDBStreams_20120810"
)

// serializationException answers what cannot be read. Source: dynalite, whose
// tests run against DynamoDB: it has no message for what is not JSON, which is
// found before the signature is looked at.
const serializationException = coral + "SerializationException"

// target is the operation that a request is for.
type target struct{ api, operation string }

func targetOf(r *http.Request) target {
	text := r.Header.Get("X-Amz-Target")
	api, operation, _ := strings.Cut(text, ".")
	if api != tablesAPI && api != streamsAPI {
		return target{operation: text}
	}
	return target{api, operation}
}

// known reports whether the gate can judge the operation.
func (t target) known() bool {
	switch t.api {
	case tablesAPI:
		return slices.Contains(operations, t.operation)
	case streamsAPI:
		return slices.Contains(streamOperations, t.operation)
	}
	return false
}

// isObject reports whether a body is a JSON object.
func isObject(body []byte) bool {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	return len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(body)
}

// serialization is the answer to a member of the wrong kind.
func serialization(err error) *fault {
	var kind *json.UnmarshalTypeError
	message := err.Error()
	if errors.As(err, &kind) {
		message = strings.TrimSuffix(
			message,
			kind.Error(),
		) + "a value of the kind " + kind.Value + " is not expected there"
	}
	return &fault{http.StatusBadRequest, serializationException, message}
}

// requested returns what a call must be allowed to do.
func (d *Database) requested(ctx context.Context, t target, data []byte) ([]iam.Request, error) {
	if t.api == streamsAPI {
		return d.streamRequests(t.operation, data)
	}
	return d.requests(ctx, t.operation, data)
}

// The database makes ARNs with a region and an account of its own.
const innerTable = "arn:aws:dynamodb:ddblocal:000000000000:table/"

// inward makes of a request what the database understands.
func (d *Database) inward(t target, body []byte) ([]byte, *fault) {
	switch {
	case t.api == streamsAPI:
		return d.innerStream(body), nil
	case t.operation == "CreateTable":
		return body, checkTags(body)
	}
	return body, nil
}

// outward gives the ARNs in a response the cloud's region and account. Only
// descriptions hold ARNs that the database made; items are left alone.
func (d *Database) outward(t target, body []byte) []byte {
	described := slices.Contains([]string{"ListStreams", "DescribeStream"}, t.operation)
	if t.api == tablesAPI {
		described = strings.Contains(t.operation, "Table") || strings.Contains(t.operation, "TimeToLive")
	}
	if !described {
		return body
	}
	return bytes.ReplaceAll(body, []byte(innerTable), []byte(d.table("")))
}
