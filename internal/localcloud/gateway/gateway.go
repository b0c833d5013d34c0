package gateway

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// maxBody is the payload limit of an HTTP API in bytes.
	maxBody = 10 << 20
	// maxEvent is Lambda's limit of a synchronous invocation's payload.
	maxEvent = 6291556
	// maxHead is the limit of the request line and the header values together.
	// That 431 is the answer beyond it is not documented for HTTP APIs.
	maxHead = 10240
)

// Config is what a Gateway needs.
type Config struct {
	Invoker Invoker
	Now     func() time.Time
	// Observe is called once for each request, AccessLog once for each line.
	Observe   func(Observation)
	AccessLog func(destination string, line []byte)
	// Resolve returns the URL under which an issuer is asked; nil for its own.
	Resolve func(issuer string) string
}

// Gateway serves the APIs that are put into it. It is safe for concurrent use.
type Gateway struct {
	Config
	buckets   buckets
	issuers   issuers
	decisions decisions
	mu        sync.RWMutex
	apis      map[string]API
	domains   map[string]Domain
}

// New returns a gateway without APIs.
func New(c Config) *Gateway {
	if c.Observe == nil {
		c.Observe = func(Observation) {}
	}
	if c.AccessLog == nil {
		c.AccessLog = func(string, []byte) {}
	}
	return &Gateway{
		Config:  c,
		apis:    map[string]API{},
		domains: map[string]Domain{},
		issuers: issuers{resolve: c.Resolve},
	}
}

// Put adds or replaces an API. Requests in flight finish on the old one.
func (g *Gateway) Put(a API) error {
	for _, r := range a.Live.Routes {
		if err := ValidateRouteKey(r.Key); err != nil {
			return fmt.Errorf("route %q of the API %s: %w", r.Key, a.ID, err)
		}
	}
	for _, i := range a.Live.Integrations {
		if i.Type != "AWS_PROXY" || i.PayloadFormatVersion != "1.0" && i.PayloadFormatVersion != "2.0" {
			return fmt.Errorf(
				"integration %s of the API %s: only AWS_PROXY with payload format 1.0 or 2.0 is supported",
				i.ID,
				a.ID,
			)
		}
	}
	for _, x := range a.Live.Authorizers {
		if err := validAuthorizer(x); err != nil {
			return fmt.Errorf("authorizer %s of the API %s: %w", x.ID, a.ID, err)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.apis[a.ID] = a
	return nil
}

// Remove takes an API away.
func (g *Gateway) Remove(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.apis, id)
	g.decisions.drop(id)
}

// Handler serves one API at the root of its address, and there custom domains.
func (g *Gateway) Handler(id string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r := g.arrive(q, id)
		p := g.serve(r)
		if c := r.snapshot.CORS; c != nil && p.answered {
			c.apply(q, p.header)
		}
		p.write(w, q.Method, r.id)
		took := g.Now().Sub(r.received)
		if l := r.stage.AccessLog; l != nil {
			g.AccessLog(l.Destination, accessLine(l.Format, r, p, took))
		}
		g.Observe(Observation{
			Time:              r.received,
			APIID:             r.api.ID,
			Stage:             r.stage.Name,
			RouteKey:          r.match.route.Key,
			Method:            q.Method,
			Path:              q.URL.EscapedPath(),
			RequestID:         r.id,
			FunctionRequestID: p.result.RequestID,
			Status:            p.status,
			Duration:          took,
			Caller:            r.identity.caller,
			Invoked:           p.called,
			Cold:              p.result.Cold,
			Error:             p.err,
			AuthorizerError:   r.identity.err,
		})
	})
}

func (g *Gateway) serve(r *request) reply {
	if tooLong(r.http) {
		return message(http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large", "")
	}
	if r.foreign {
		return message(http.StatusForbidden, "Forbidden", foreign(r.http.Host))
	}
	if r.custom && (r.api.ID == "" || !r.mappedStage()) {
		// Users report 403 for a domain without a fitting mapping; the words for
		// HTTP APIs are not verified.
		return message(http.StatusForbidden, "Forbidden", "")
	}
	if !r.custom && (r.api.ID == "" || r.api.DisableExecuteAPIEndpoint || !r.chooseStage()) {
		return message(http.StatusNotFound, "Not Found", "")
	}
	m, found := find(r.snapshot.Routes, r.http.Method, r.path)
	if c := r.snapshot.CORS; c != nil && !found && preflight(r.http) {
		return c.answerPreflight(r.http)
	}
	if !found {
		return message(http.StatusNotFound, "Not Found", "")
	}
	r.match = m
	limit := r.stage.Default
	if t, ok := r.stage.RouteThrottles[m.route.Key]; ok {
		limit = t
	}
	// All APIs share the account's limit.
	if !g.buckets.take(r.api.ID+"/"+r.stage.Name+"/"+m.route.Key, limit, r.received) ||
		!g.buckets.take("account", accountThrottle, r.received) {
		return message(http.StatusTooManyRequests, "Too Many Requests", "")
	}
	if answer, ok := g.authorize(r); !ok {
		return answer
	}
	body, err := io.ReadAll(io.LimitReader(r.http.Body, maxBody+1))
	if err != nil {
		return message(http.StatusBadRequest, "Bad Request", "reading the request: "+err.Error())
	}
	if len(body) > maxBody {
		return message(http.StatusRequestEntityTooLarge, "Request Entity Too Large", "")
	}
	r.body = body
	return g.integrate(r)
}

// tooLong measures the request line and the header values.
func tooLong(q *http.Request) bool {
	n := len(q.Method) + len(q.RequestURI) + len(q.Proto) + 2 + len(q.Host)
	for _, lines := range q.Header {
		for _, l := range lines {
			n += len(l)
		}
	}
	return n > maxHead
}

// requestPath returns the escaped path. AWS decodes it and cuts it at a
// question mark that was encoded; recorded of rawPath, and assumed of routing.
func requestPath(q *http.Request) string {
	path, _, _ := strings.Cut(strings.ReplaceAll(q.URL.EscapedPath(), "%3f", "%3F"), "%3F")
	if path == "" || path[0] != '/' {
		path = "/" + path
	}
	return path
}

// chooseStage takes the stage that the first segment of the path names, or
// else $default.
func (r *request) chooseStage() bool {
	path := requestPath(r.http)
	first, _, _ := strings.Cut(path[1:], "/")
	chosen := -1
	for i, s := range r.api.Stages {
		if s.Name == first && s.Name != "" {
			chosen = i
			break
		}
		if s.Name == "$default" {
			chosen = i
		}
	}
	if chosen < 0 {
		return false
	}
	r.enter(r.api.Stages[chosen])
	r.rawPath, r.path, r.encodedPath = decode(path), path, path
	if r.stage.Name != "$default" {
		r.path = strings.TrimPrefix(path, "/"+first)
		if r.path == "" {
			r.path = "/"
		}
	}
	return true
}

// enter takes what a stage serves.
func (r *request) enter(s Stage) {
	r.stage, r.snapshot = s, r.api.Live
	if s.Deployed != nil {
		r.snapshot = *s.Deployed
	}
}

// integrate invokes the function and maps its answer. When the integration's
// time is over the function runs on, as on AWS.
func (g *Gateway) integrate(r *request) reply {
	var target Integration
	for _, i := range r.snapshot.Integrations {
		if i.ID == r.match.route.IntegrationID {
			target = i
		}
	}
	if target.ID == "" {
		return internalError("the route has no integration")
	}
	build, read := r.event, respond
	if target.PayloadFormatVersion == "1.0" {
		build, read = r.event1, respond1
	}
	payload, err := build()
	if err != nil {
		return internalError("building the event: " + err.Error())
	}
	if len(payload) > maxEvent {
		return message(http.StatusRequestEntityTooLarge, "Request Entity Too Large", "")
	}
	ctx, cancel := context.WithTimeout(detached(r), target.Timeout)
	defer cancel()
	result, err := g.Invoker.Invoke(ctx, r.invocation(target.FunctionARN, r.sourceARN(), payload))
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		out := message(
			http.StatusServiceUnavailable,
			"Service Unavailable",
			fmt.Sprintf("the integration timed out after %s", target.Timeout),
		)
		out.called = true
		return out
	case errors.Is(err, ErrThrottled):
		// What a client sees is not established; practitioners recall 503.
		return message(http.StatusServiceUnavailable, "Service Unavailable", err.Error())
	case errors.Is(err, ErrPayloadTooLarge):
		return message(http.StatusRequestEntityTooLarge, "Request Entity Too Large", err.Error())
	case err != nil:
		return internalError(err.Error())
	}
	out := internalError("the function failed: " + result.FunctionError)
	if result.FunctionError == "" {
		out = read(result.Payload)
		out.answered = out.err == ""
	}
	out.called, out.result = true, result
	return out
}

func (r *request) invocation(function, source string, payload []byte) Invocation {
	return Invocation{
		FunctionARN: function,
		SourceARN:   source,
		Payload:     payload,
		RequestID:   r.id,
		Faults:      r.http.Header.Get(FaultsHeader),
	}
}

// sourceARN names the route in the function's resource policy: parameters
// stand as in the route key.
func (r *request) sourceARN() string {
	route := r.match.route.Key
	if method, path, ok := strings.Cut(route, " "); ok {
		if method == "ANY" {
			method = "*"
		}
		route = method + path
	}
	return fmt.Sprintf(
		"arn:aws:execute-api:%s:%s:%s/%s/%s",
		r.api.Region,
		r.api.AccountID,
		r.api.ID,
		r.stage.Name,
		route,
	)
}

// requestID looks as AWS's: 15 characters of base64 and "=".
func requestID() string {
	b := make([]byte, 11)
	random(b)
	return base64.StdEncoding.EncodeToString(b)
}

func traceID(now time.Time) string {
	b := make([]byte, 12)
	random(b)
	return "Root=1-" + strconv.FormatInt(now.Unix(), 16) + "-" + hex.EncodeToString(b)
}

func random(b []byte) {
	if _, err := rand.Read(b); err != nil {
		panic(err) // documented never to happen
	}
}
