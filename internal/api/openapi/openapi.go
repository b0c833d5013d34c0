// Package openapi makes the OpenAPI document from the declaration. It is not
// linked into the function, which carries the finished document.
package openapi

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/swaggest/jsonschema-go"
	"github.com/swaggest/openapi-go/openapi31"

	"items-api/internal/api"
)

// Document returns the OpenAPI 3.1 document as indented JSON.
func Document() ([]byte, error) {
	r := openapi31.NewReflector()
	r.Spec.Info.WithTitle("Items API").WithVersion("1.0.0").WithDescription("Items that belong to their caller. Errors are problem documents (RFC 9457).")
	r.DefaultOptions = append(r.DefaultOptions, jsonschema.InterceptDefName(func(_ reflect.Type, name string) string { return strings.TrimPrefix(name, "Api") }))
	secure(r.SpecEns().ComponentsEns())
	for _, route := range api.Routes() {
		if err := add(r, route); err != nil {
			return nil, fmt.Errorf("describing the route %s: %w", route.Key(), err)
		}
	}
	data, err := json.MarshalIndent(r.Spec, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

func add(r *openapi31.Reflector, route api.Route) error {
	op := openapi31.Operation{}
	op.WithID(string(route.Operation)).WithSummary(route.Summary)
	for _, p := range route.Query {
		op.Parameters = append(op.Parameters, parameter(openapi31.ParameterInQuery, p.Name, p.Description, false))
	}
	for _, h := range route.RequestHeaders {
		op.Parameters = append(op.Parameters, parameter(openapi31.ParameterInHeader, h.Name, h.Description, false))
	}
	if strings.Contains(route.Path, "{id}") {
		op.Parameters = append(op.Parameters, parameter(openapi31.ParameterInPath, "id", "The item's id.", true))
	}
	if route.Request != nil {
		content, err := media(r, "application/json", route.Request)
		if err != nil {
			return err
		}
		required := true
		op.RequestBody = &openapi31.RequestBodyOrReference{RequestBody: &openapi31.RequestBody{Required: &required, Content: content}}
	}
	responses := map[string]openapi31.ResponseOrReference{}
	success := openapi31.Response{Description: "Success", Headers: map[string]openapi31.HeaderOrReference{}}
	for _, h := range route.Headers {
		header := openapi31.Header{Schema: map[string]any{"type": "string"}}
		header.WithDescription(h.Description)
		success.Headers[h.Name] = openapi31.HeaderOrReference{Header: &header}
	}
	if route.Response != nil {
		content, err := media(r, "application/json", route.Response)
		if err != nil {
			return err
		}
		success.Content = content
	}
	responses[fmt.Sprint(route.Status)] = openapi31.ResponseOrReference{Response: &success}
	if route.Method == "GET" && slices.Contains(headerNames(route), "If-None-Match") {
		responses["304"] = openapi31.ResponseOrReference{Response: &openapi31.Response{Description: "The item still has this version"}}
	}
	byStatus := map[int][]string{}
	if !route.Public {
		op.Security = []map[string][]string{{bearerScheme: {string(route.Scope)}}, {keyScheme: {string(route.Scope)}}, {}}
		for status, text := range map[int]string{401: "The token or key is missing or not valid", 403: "The token or key lacks the scope `" + string(route.Scope) + "`"} {
			responses[fmt.Sprint(status)] = openapi31.ResponseOrReference{Response: &openapi31.Response{Description: text + "; made by the gateway, as {\"message\": ...}"}}
		}
	}
	responses["429"] = openapi31.ResponseOrReference{Response: &openapi31.Response{Description: "Too many requests; made by the gateway, as {\"message\": ...}"}}
	for _, c := range append(route.Errors, api.Unavailable, api.Internal) {
		byStatus[c.Status()] = append(byStatus[c.Status()], fmt.Sprintf("%s (`%s`)", c.Title(), c))
	}
	for status, titles := range byStatus {
		content, err := media(r, "application/problem+json", api.Problem{})
		if err != nil {
			return err
		}
		responses[fmt.Sprint(status)] = openapi31.ResponseOrReference{Response: &openapi31.Response{Description: strings.Join(titles, "; "), Content: content}}
	}
	op.WithResponses(openapi31.Responses{MapOfResponseOrReferenceValues: responses})
	return r.Spec.AddOperation(strings.ToLower(route.Method), route.Path, op)
}

const bearerScheme, keyScheme = "bearer", "apiKey"

// secure describes how callers identify themselves. Which way a deployment
// asks for depends on its configuration; the last alternative of each
// operation stands for none.
func secure(c *openapi31.Components) {
	bearer := openapi31.SecurityScheme{HTTPBearer: &openapi31.SecuritySchemeHTTPBearer{Scheme: "bearer"}}
	bearer.HTTPBearer.WithBearerFormat("JWT")
	bearer.WithDescription("An access token of the user pool or of the OIDC issuer.")
	key := openapi31.SecurityScheme{APIKey: &openapi31.SecuritySchemeAPIKey{Name: api.APIKeyHeader, In: openapi31.SecuritySchemeAPIKeyInHeader}}
	key.WithDescription("An API key, in deployments with API keys.")
	c.WithSecuritySchemesItem(bearerScheme, openapi31.SecuritySchemeOrReference{SecurityScheme: &bearer})
	c.WithSecuritySchemesItem(keyScheme, openapi31.SecuritySchemeOrReference{SecurityScheme: &key})
}

func headerNames(route api.Route) []string {
	var out []string
	for _, h := range route.RequestHeaders {
		out = append(out, h.Name)
	}
	return out
}

func parameter(in openapi31.ParameterIn, name, description string, required bool) openapi31.ParameterOrReference {
	p := openapi31.Parameter{Name: name, In: in, Schema: map[string]any{"type": "string"}}
	p.WithDescription(description)
	if required {
		p.WithRequired(true)
	}
	return openapi31.ParameterOrReference{Parameter: &p}
}

// media describes a body by the schema of its type, which goes into the
// document's components.
func media(r *openapi31.Reflector, contentType string, v any) (map[string]openapi31.MediaType, error) {
	schema, err := r.Reflect(v, jsonschema.DefinitionsPrefix("#/components/schemas/"), jsonschema.CollectDefinitions(func(name string, s jsonschema.Schema) {
		m, err := s.ToSchemaOrBool().ToSimpleMap()
		if err == nil {
			r.SpecEns().ComponentsEns().WithSchemasItem(name, m)
		}
	}), jsonschema.RootRef)
	if err != nil {
		return nil, err
	}
	m, err := schema.ToSchemaOrBool().ToSimpleMap()
	if err != nil {
		return nil, err
	}
	return map[string]openapi31.MediaType{contentType: {Schema: m}}, nil
}
