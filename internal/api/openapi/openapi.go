// Package openapi makes the OpenAPI document from the declaration. It is not
// linked into the function, which carries the finished document.
package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"items-api/internal/api"
	"items-api/internal/field"
)

// Document returns the OpenAPI 3.1 document as indented JSON.
func Document() ([]byte, error) {
	if err := api.Check(); err != nil {
		return nil, err
	}
	doc, err := describe(api.Routes())
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(doc)
	return out.Bytes(), err
}

const (
	bearerScheme, keyScheme = "bearer", "apiKey"
	jsonType, problemType   = "application/json", "application/problem+json"
)

func describe(routes []api.Route) (document, error) {
	doc := document{
		OpenAPI: "3.1.0",
		Info: info{
			Title:   "Items API",
			Version: "1.0.0",
			Description: "Items that belong to their caller. Errors of the API are problem " +
				"documents (RFC 9457) " +
				"with a code; what the gateway in front of it refuses, or cannot answer, has a message only.",
		},
		// The handler puts the path at which it is served here.
		Servers: []server{{URL: api.DocumentServer, Description: "Where this document was found."}},
		Paths:   map[string]map[string]operation{},
		Components: components{
			SecuritySchemes: securitySchemes(),
		},
	}
	w := &writer{schemas: newSchemas()}
	if err := w.responses(routes); err != nil {
		return doc, err
	}
	for _, r := range routes {
		op, err := w.operation(r)
		if err != nil {
			return doc, fmt.Errorf("describing the route %s: %w", r.Key(), err)
		}
		if doc.Paths[r.Path] == nil {
			doc.Paths[r.Path] = map[string]operation{}
		}
		doc.Paths[r.Path][strings.ToLower(r.Method)] = op
	}
	doc.Components.Schemas = w.schemas.all
	return doc, nil
}

// securitySchemes describes how callers identify themselves. Which way a
// deployment asks for depends on its configuration; the last alternative of each
// operation stands for none.
func securitySchemes() map[string]securityScheme {
	return map[string]securityScheme{
		bearerScheme: {
			Type:         "http",
			Scheme:       "bearer",
			BearerFormat: "JWT",
			Description:  "An access token of the user pool or of the OIDC issuer.",
		},
		keyScheme: {
			Type:        "apiKey",
			Name:        api.APIKeyHeader,
			In:          "header",
			Description: "An API key, in deployments with API keys.",
		},
	}
}

func security(r api.Route) []map[string][]string {
	if r.Public {
		return []map[string][]string{}
	}
	scopes := []string{string(r.Scope)}
	return []map[string][]string{{bearerScheme: scopes}, {keyScheme: scopes}, {}}
}

type writer struct {
	schemas *schemas
}

// responses describes the types of all responses, before those of requests.
func (w *writer) responses(routes []api.Route) error {
	for _, r := range routes {
		if r.Response == nil {
			continue
		}
		if _, err := w.schemas.of(r.Response, inResponse); err != nil {
			return fmt.Errorf("describing the response of the route %s: %w", r.Key(), err)
		}
	}
	return nil
}

func (w *writer) operation(r api.Route) (operation, error) {
	op := operation{
		Summary:     r.Summary,
		OperationID: string(r.Operation),
		Security:    security(r),
	}
	var err error
	if op.Parameters, err = w.parameters(r); err != nil {
		return op, err
	}
	if r.Request != nil {
		s, err := w.schemas.of(r.Request, inRequest)
		if err != nil {
			return op, err
		}
		op.RequestBody = &requestBody{Required: true, Content: map[string]media{jsonType: {s}}}
	}
	op.Responses, err = w.answers(r)
	return op, err
}

func (w *writer) parameters(r api.Route) ([]parameter, error) {
	if strings.Contains(r.Path, "+}") {
		return nil, errors.New("OpenAPI has no parameters of several segments")
	}
	path, err := w.parametersIn("path", r.PathParameters)
	if err != nil {
		return nil, err
	}
	query, err := w.parametersIn("query", r.Query)
	if err != nil {
		return nil, err
	}
	out := append(path, query...)
	for _, h := range r.RequestHeaders {
		out = append(out, parameter{
			Name:        h.Name,
			In:          "header",
			Description: h.Description,
			Schema:      schema{Type: field.String, Pattern: h.Pattern},
		})
	}
	return out, nil
}

// parametersIn describes the fields of a struct as parameters.
func (w *writer) parametersIn(in string, v any) ([]parameter, error) {
	if v == nil {
		return nil, nil
	}
	t, err := field.Of(reflect.TypeOf(v))
	if err != nil {
		return nil, err
	}
	var out []parameter
	for _, f := range t.Fields {
		s, err := w.schemas.property(f, inRequest)
		if err != nil {
			return nil, err
		}
		s.Description = ""
		out = append(out, parameter{
			Name:        f.Name,
			In:          in,
			Description: f.Description,
			Required:    f.Required,
			Schema:      s,
		})
	}
	return out, nil
}

// answers describes the responses of a route: its own, those of the handler, and
// those of the gateway.
func (w *writer) answers(r api.Route) (map[string]response, error) {
	out := map[string]response{}
	success := response{Description: "Success", Headers: map[string]header{}}
	for _, h := range r.Headers {
		success.Headers[h.Name] = describeHeader(h, true)
	}
	if r.Response != nil {
		s, err := w.schemas.of(r.Response, inResponse)
		if err != nil {
			return nil, err
		}
		success.Content = map[string]media{jsonType: {s}}
	}
	out[strconv.Itoa(r.Status)] = success
	i := slices.IndexFunc(r.Headers, func(h api.Header) bool { return h.Name == "ETag" })
	if r.Method == http.MethodGet && i >= 0 {
		out["304"] = response{
			Description: "The item still has this version",
			Headers:     map[string]header{"ETag": describeHeader(r.Headers[i], true)},
		}
	}
	return out, w.errors(r, out)
}

func describeHeader(h api.Header, required bool) header {
	return header{
		Description: h.Description,
		Required:    required,
		Schema:      schema{Type: field.String, Pattern: h.Pattern},
	}
}

// errors adds the responses for errors.
func (w *writer) errors(r api.Route, out map[string]response) error {
	problem, err := w.schemas.of(api.Problem{}, inResponse)
	if err != nil {
		return err
	}
	message, err := w.schemas.of(api.Message{}, inResponse)
	if err != nil {
		return err
	}
	reasons := map[int][]string{}
	contents := map[int]map[string]media{}
	add := func(status int, reason, contentType string, s schema) {
		reasons[status] = append(reasons[status], reason)
		if contents[status] == nil {
			contents[status] = map[string]media{}
		}
		contents[status][contentType] = media{s}
	}
	codes := append(slices.Clone(r.Errors), api.Unavailable, api.Internal)
	if !r.Public {
		codes = append(codes, api.Unauthenticated)
	}
	for _, c := range codes {
		add(c.Status(), fmt.Sprintf("%s (`%s`).", c.Title(), c), problemType, problem)
	}
	for _, g := range gatewayAnswers(r) {
		s := message
		if contents[g.status] != nil {
			// Programs that take application/problem+json for application/json,
			// as Prism 5 does, look for both here.
			s = schema{OneOf: []schema{message, problem}}
		}
		add(g.status, g.reason+" (a message of the gateway, without a code).", jsonType, s)
	}
	for _, status := range slices.Sorted(maps.Keys(reasons)) {
		out[strconv.Itoa(status)] = response{
			Description: strings.Join(reasons[status], " "),
			Content:     contents[status],
			Headers:     errorHeaders(r, status),
		}
	}
	return nil
}

type gatewayAnswer struct {
	status int
	reason string
}

// gatewayAnswers are what the gateway makes itself. Sources: API Gateway
// developer guide, "Working with HTTP APIs"; docs/conformance.md.
func gatewayAnswers(r api.Route) []gatewayAnswer {
	out := []gatewayAnswer{
		{http.StatusBadRequest, "The request is malformed"},
		{http.StatusNotFound, "The API has no such route, or is not served here"},
		{http.StatusRequestEntityTooLarge, "The request is larger than 10 MB, or than the function takes"},
		{
			http.StatusRequestHeaderFieldsTooLarge,
			"The request line and the headers are larger than 10,240 bytes",
		},
		{http.StatusTooManyRequests, "Too many requests: try again later"},
		{
			http.StatusInternalServerError,
			"The function failed or could not be asked; a write was perhaps done",
		},
		{
			http.StatusServiceUnavailable,
			"The function is busy or did not answer in time; a write was perhaps done",
		},
	}
	if !r.Public {
		out = append(out,
			gatewayAnswer{http.StatusUnauthorized, "The token or key is missing or not valid"},
			gatewayAnswer{http.StatusForbidden, "The token or key lacks the scope `" + string(r.Scope) + "`"})
	}
	return out
}

// errorHeaders are headers of errors, none of which is always there.
func errorHeaders(r api.Route, status int) map[string]header {
	switch {
	case status == http.StatusUnauthorized:
		return map[string]header{"WWW-Authenticate": {
			Description: "The challenge, where tokens are asked for.",
			Schema:      schema{Type: field.String},
		}}
	case status == http.StatusServiceUnavailable:
		return map[string]header{"Retry-After": {
			Description: "After how many seconds to try again, with the code `" + string(
				api.Unavailable,
			) + "`.",
			Schema: schema{Type: field.Integer, Minimum: "0"},
		}}
	case status == http.StatusPreconditionFailed:
		return map[string]header{"ETag": {
			Description: "The version that the item has.",
			Schema:      schema{Type: field.String},
		}}
	}
	return nil
}
