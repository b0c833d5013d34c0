package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"items-api/internal/localcloud/iam"
)

const (
	// authorizerTimeout is how long a Lambda authorizer may take. Source: API
	// Gateway quotas for HTTP APIs.
	authorizerTimeout = 10 * time.Second
	// maxDecisions bounds the cache of each authorizer.
	maxDecisions = 10_000
)

// decision is what a Lambda authorizer said.
type decision struct {
	allowed   bool         // of a simple response
	policies  []iam.Policy // otherwise
	principal string
	context   map[string]any
	expires   time.Time
}

func (d decision) allows(routeARN string) bool {
	if d.policies == nil {
		return d.allowed
	}
	return iam.Evaluate(d.policies, iam.Request{Action: "execute-api:Invoke", Resource: routeARN}).Allowed
}

// decisions caches by authorizer and identity. Denials are kept like
// permissions, failures are not.
type decisions struct {
	mu  sync.Mutex
	all map[string]map[[sha256.Size]byte]decision
}

func (c *decisions) get(authorizer string, key [sha256.Size]byte, now time.Time) (decision, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok := c.all[authorizer][key]
	return d, ok && now.Before(d.expires)
}

func (c *decisions) put(authorizer string, key [sha256.Size]byte, d decision, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]map[[sha256.Size]byte]decision{}
	}
	m := c.all[authorizer]
	if m == nil {
		m = map[[sha256.Size]byte]decision{}
		c.all[authorizer] = m
	}
	if len(m) >= maxDecisions {
		for k, old := range m {
			if !now.Before(old.expires) {
				delete(m, k)
			}
		}
		if len(m) >= maxDecisions {
			clear(m)
		}
	}
	m[key] = d
}

// drop forgets what the authorizers of an API said.
func (c *decisions) drop(apiID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.all {
		if strings.HasPrefix(k, apiID+"/") {
			delete(c.all, k)
		}
	}
}

func (g *Gateway) authorizeRequest(r *request, a Authorizer) (reply, bool) {
	var sources []string
	for _, s := range a.IdentitySources {
		v, ok := r.identitySource(s)
		if !ok {
			r.identity.err = "the identity source " + s + " is missing"
			return unauthorized(""), false
		}
		sources = append(sources, v)
	}
	cached := a.TTL > 0 && len(sources) > 0
	// The settings are part of the name, so that a changed authorizer is asked.
	name := fmt.Sprintf(
		"%s/%s/%s/%s/%v/%q",
		r.api.ID,
		a.ID,
		a.FunctionARN,
		a.PayloadFormatVersion,
		a.SimpleResponses,
		a.IdentitySources,
	)
	// A hash, since what is kept must not grow with what callers send.
	key := sha256.Sum256(fmt.Appendf(nil, "%q", sources))
	d, known := decision{}, false
	if cached {
		d, known = g.decisions.get(name, key, r.received)
	}
	if !known {
		var err error
		if d, err = g.ask(r, a, sources); err != nil {
			r.identity.err = err.Error()
			return internalError(""), false
		}
		if cached {
			d.expires = r.received.Add(a.TTL)
			g.decisions.put(name, key, d, r.received)
		}
	}
	r.identity.principal, r.identity.properties = d.principal, d.context
	if !d.allows(r.routeARN()) {
		r.identity.err = "the authorizer denied the request"
		return forbidden(), false
	}
	r.identity.caller = d.principal
	r.identity.event = &authorized{Lambda: d.context}
	return reply{}, true
}

// ask invokes the authorizer's function.
func (g *Gateway) ask(r *request, a Authorizer, sources []string) (decision, error) {
	payload, err := r.authorizerEvent(a, sources)
	if err != nil {
		return decision{}, fmt.Errorf("building the authorizer's event: %w", err)
	}
	ctx, cancel := context.WithTimeout(detached(r), authorizerTimeout)
	defer cancel()
	result, err := g.Invoker.Invoke(ctx, r.invocation(a.FunctionARN, r.authorizerARN(a.ID), payload))
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return decision{}, fmt.Errorf("the authorizer's function did not answer within %s", authorizerTimeout)
	case err != nil:
		return decision{}, fmt.Errorf("invoking the authorizer's function: %w", err)
	case result.FunctionError != "":
		return decision{}, fmt.Errorf("the authorizer's function failed: %s", result.FunctionError)
	}
	if a.SimpleResponses {
		return simpleResponse(result.Payload)
	}
	return policyResponse(result.Payload)
}

// object decodes a JSON object and keeps numbers as they are written.
func object(data []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var out map[string]any
	if err := d.Decode(&out); err != nil || out == nil {
		return nil, errors.New("the authorizer's response is no JSON object")
	}
	return out, nil
}

func contextOf(response map[string]any) (map[string]any, error) {
	c, ok := response["context"].(map[string]any)
	if v, given := response["context"]; given && v != nil && !ok {
		return nil, errors.New("the context of the authorizer's response is no object")
	}
	if c == nil {
		c = map[string]any{}
	}
	return c, nil
}

// simpleResponse reads {"isAuthorized": true, "context": {...}}.
func simpleResponse(payload []byte) (decision, error) {
	m, err := object(payload)
	if err != nil {
		return decision{}, err
	}
	allowed, ok := m["isAuthorized"].(bool)
	if !ok {
		return decision{}, errors.New("isAuthorized of the authorizer's response must be true or false")
	}
	c, err := contextOf(m)
	return decision{allowed: allowed, context: c}, err
}

// policyResponse reads {"principalId": ..., "policyDocument": {...}, "context": {...}}.
func policyResponse(payload []byte) (decision, error) {
	m, err := object(payload)
	if err != nil {
		return decision{}, err
	}
	principal, ok := m["principalId"].(string)
	if !ok {
		return decision{}, errors.New("the authorizer's response has no principalId")
	}
	document, ok := m["policyDocument"].(map[string]any)
	if !ok {
		return decision{}, errors.New("the authorizer's response has no policyDocument")
	}
	data, err := json.Marshal(document)
	if err != nil {
		return decision{}, err
	}
	p, err := iam.Parse(data)
	if err != nil {
		return decision{}, fmt.Errorf("the policy of the authorizer's response: %w", err)
	}
	c, err := contextOf(m)
	return decision{
		policies:  []iam.Policy{p},
		principal: principal,
		context:   c,
	}, err
}

// authorizerEvent2 is the event of format version 2.0. Source: API Gateway
// developer guide, "Control access to HTTP APIs with AWS Lambda authorizers".
type authorizerEvent2 struct {
	Version               string            `json:"version"`
	Type                  string            `json:"type"`
	RouteARN              string            `json:"routeArn"`
	IdentitySource        []string          `json:"identitySource"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        requestContext    `json:"requestContext"`
	PathParameters        map[string]string `json:"pathParameters,omitempty"`
	StageVariables        map[string]string `json:"stageVariables,omitempty"`
}

// authorizerEvent1 is the event of format version 1.0.
type authorizerEvent1 struct {
	Version               string            `json:"version"`
	Type                  string            `json:"type"`
	MethodARN             string            `json:"methodArn"`
	IdentitySource        string            `json:"identitySource"`
	AuthorizationToken    string            `json:"authorizationToken"`
	Resource              string            `json:"resource"`
	Path                  string            `json:"path"`
	HTTPMethod            string            `json:"httpMethod"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters"`
	PathParameters        map[string]string `json:"pathParameters"`
	StageVariables        map[string]string `json:"stageVariables"`
	RequestContext        map[string]any    `json:"requestContext"`
}

func (r *request) authorizerEvent(a Authorizer, sources []string) ([]byte, error) {
	q := r.http
	if a.PayloadFormatVersion == "2.0" {
		return encode(authorizerEvent2{
			Version:               "2.0",
			Type:                  "REQUEST",
			RouteARN:              r.routeARN(),
			IdentitySource:        sources,
			RouteKey:              r.match.route.Key,
			RawPath:               r.rawPath,
			RawQueryString:        q.URL.RawQuery,
			Cookies:               cookies(q.Header),
			Headers:               headers(q, r),
			QueryStringParameters: query(q.URL.RawQuery),
			RequestContext:        r.context(),
			PathParameters:        r.match.parameters,
			StageVariables:        r.stage.Variables,
		})
	}
	joined := strings.Join(sources, ",")
	return encode(authorizerEvent1{
		Version:               "1.0",
		Type:                  "REQUEST",
		MethodARN:             r.routeARN(),
		IdentitySource:        joined,
		AuthorizationToken:    joined,
		Resource:              r.resource(),
		Path:                  r.rawPath,
		HTTPMethod:            q.Method,
		Headers:               lastOf(r.headerLines()),
		QueryStringParameters: query(q.URL.RawQuery),
		PathParameters:        r.match.parameters,
		StageVariables:        r.stage.Variables,
		RequestContext:        r.context1(),
	})
}
