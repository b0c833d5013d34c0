package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"items-api/internal/api"
	"items-api/internal/store"
)

type (
	request  = events.APIGatewayV2HTTPRequest
	response = events.APIGatewayV2HTTPResponse
)

// Items is what the operations need of the store.
type Items interface {
	Create(ctx context.Context, owner string, in api.ItemInput, key string) (api.Item, error)
	List(ctx context.Context, owner string, limit int, after string) (api.ItemList, error)
	Get(ctx context.Context, owner, id string) (api.Item, error)
	Replace(
		ctx context.Context,
		owner, id string,
		in api.ItemInput,
		want store.Precondition,
	) (api.Item, error)
	Delete(ctx context.Context, owner, id string, want store.Precondition) error
	BatchGet(ctx context.Context, owner string, ids []string) (api.BatchGetResponse, error)
	BatchWrite(ctx context.Context, owner string, in []api.BatchWriteEntry) (api.BatchWriteResponse, error)
}

// operation answers a request of one route for the owner whose items it may
// reach, who is "" on a public route. Its errors are *api.Error or internal.
type operation func(ctx context.Context, owner string, r request) (response, error)

type route struct {
	public bool
	do     operation
}

// Handler dispatches requests by their route key.
type Handler struct {
	items  Items
	mode   api.AuthMode
	log    *slog.Logger
	routes map[string]route
	base   string // what precedes the paths of the routes, such as /v1
}

// NewHandler binds every declared route to its operation. A route without one,
// or an operation without a route, is an error.
func NewHandler(items Items, mode api.AuthMode, log *slog.Logger) (*Handler, error) {
	if !slices.Contains(api.AuthModes(), mode) {
		return nil, fmt.Errorf(
			"the environment variable %s is %q, which is none of %v",
			api.EnvAuthMode,
			mode,
			api.AuthModes(),
		)
	}
	h := &Handler{
		items:  items,
		mode:   mode,
		log:    log,
		routes: map[string]route{},
	}
	operations := h.operations()
	for _, r := range api.Routes() {
		op, ok := operations[r.Operation]
		if !ok {
			return nil, fmt.Errorf("the route %s has no operation %s in the handler", r.Key(), r.Operation)
		}
		h.routes[r.Key()] = route{r.Public, op}
		delete(operations, r.Operation)
	}
	for name := range operations {
		return nil, fmt.Errorf("the operation %s of the handler has no route", name)
	}
	return h, nil
}

// answerTime is what is kept of the function's time for the answer.
const answerTime = 300 * time.Millisecond

// Handle answers one request. It returns no error: whatever goes wrong becomes
// a problem document.
func (h *Handler) Handle(ctx context.Context, r request) (out response, _ error) {
	begin := time.Now()
	log := h.log.With("requestId", r.RequestContext.RequestID, "routeKey", r.RouteKey)
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With("lambdaRequestId", lc.AwsRequestID)
	}
	defer func() {
		if p := recover(); p != nil {
			log.Error("panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			out = problem(r, &api.Error{Code: api.Internal})
		}
		log.Info("request", "status", out.StatusCode, "durationMs", time.Since(begin).Milliseconds())
	}()
	to, ok := h.routes[r.RouteKey]
	if !ok {
		return problem(r, &api.Error{Code: api.NotFound, Detail: "There is no such route."}), nil
	}
	who, err := "", error(nil)
	if !to.public {
		who, err = h.owner(r)
	}
	if deadline, ok := ctx.Deadline(); ok {
		// What is not done by then is answered, not cut off.
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-answerTime))
		defer cancel()
	}
	if err == nil {
		if out, err = to.do(ctx, who, r); err == nil {
			return out, nil
		}
	}
	var e *api.Error
	if !errors.As(err, &e) {
		e = &api.Error{Code: api.Internal, Cause: err}
	}
	switch {
	case e.Code == api.Internal:
		log.Error("internal error", "error", err.Error())
	case e.Code == api.Unavailable, e.Code == api.OutcomeUnknown:
		log.Warn(string(e.Code), "error", err.Error())
	}
	return problem(r, e), nil
}

// problem makes the document of RFC 9457. The cause stays in the log.
func problem(r request, e *api.Error) response {
	doc := api.Problem{
		Type:           "urn:items-api:problem:" + string(e.Code),
		Title:          e.Code.Title(),
		Status:         e.Code.Status(),
		Detail:         e.Detail,
		Code:           e.Code,
		RequestID:      r.RequestContext.RequestID,
		Errors:         e.Fields,
		CurrentVersion: e.CurrentVersion,
	}
	out := respond(doc.Status, doc)
	out.Headers["content-type"] = "application/problem+json"
	if e.Code == api.Unavailable {
		out.Headers["retry-after"] = "1"
	}
	if e.CurrentVersion > 0 {
		out.Headers["etag"] = etag(e.CurrentVersion)
	}
	return out
}

func respond(status int, body any) response {
	data, err := json.Marshal(body)
	if err != nil {
		// Only values that came from JSON are in the bodies.
		panic(err)
	}
	return response{
		StatusCode: status,
		Body:       string(data),
		Headers:    map[string]string{"content-type": "application/json", "cache-control": "no-store"},
	}
}

// body reads the request's body, of at most limit bytes, into the struct that
// v points to.
func body(r request, v any, limit int) error {
	media, _, err := mime.ParseMediaType(r.Headers["content-type"])
	if err != nil || media != "application/json" {
		return api.Fail(api.UnsupportedMediaType, "Content-Type", "it must be application/json")
	}
	data := []byte(r.Body)
	if r.IsBase64Encoded {
		if data, err = base64.StdEncoding.DecodeString(r.Body); err != nil {
			return api.Fail(api.InvalidBody, "", "the body is no base64")
		}
	}
	if len(data) > limit {
		return api.Fail(api.TooLarge, "", "it must have at most %d bytes, not %d", limit, len(data))
	}
	if replaced(r) {
		return api.Fail(api.InvalidBody, "", "the body is not UTF-8")
	}
	return api.Decode(data, v)
}

func itemID(r request) (string, error) {
	var p api.ItemRef
	err := api.DecodePath(r.PathParameters, &p)
	return p.ID, err
}

// owner is whose items a request may reach: who the gateway says the caller
// is. Without that nothing is reached, also if the gateway let the request in.
func (h *Handler) owner(r request) (string, error) {
	if h.mode == api.AuthNone {
		return api.AnonymousOwner, nil
	}
	who := ""
	if a := r.RequestContext.Authorizer; a != nil {
		if a.JWT != nil && h.mode != api.AuthLambda {
			who = a.JWT.Claims["sub"]
			if who == api.AnonymousOwner {
				who = "" // the name of nobody, not of a subject
			}
		}
		if h.mode == api.AuthLambda {
			who, _ = a.Lambda[api.ContextOwner].(string)
		}
	}
	if who == "" {
		return "", &api.Error{
			Code:   api.Unauthenticated,
			Detail: "The request carries no identity: the token has no sub, or the key no owner.",
		}
	}
	if !unicode(who) {
		return "", &api.Error{
			Code:   api.Unauthenticated,
			Detail: "The token's sub, or the key's owner, is no Unicode text.",
		}
	}
	return who, nil
}
