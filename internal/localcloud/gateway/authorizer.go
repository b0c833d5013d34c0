package gateway

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// identity is what authorization found out about a caller.
type identity struct {
	event  *authorized // nil on a route without authorization
	caller string
	// claims and properties are for access logs.
	claims     map[string]string
	properties map[string]any
	principal  string
	err        string
}

// authorize lets the authorizer of the matched route decide. It reports false
// with the answer when the request ends here.
func (g *Gateway) authorize(r *request) (reply, bool) {
	route := r.match.route
	if route.Authorization == "" || route.Authorization == "NONE" {
		return reply{}, true
	}
	i := slices.IndexFunc(
		r.snapshot.Authorizers,
		func(a Authorizer) bool { return a.ID == route.AuthorizerID },
	)
	if i < 0 {
		r.identity.err = "the route's authorizer " + route.AuthorizerID + " does not exist"
		return internalError(""), false
	}
	switch a := r.snapshot.Authorizers[i]; route.Authorization + " " + a.Type {
	case "JWT JWT":
		return g.authorizeJWT(r, a)
	case "CUSTOM REQUEST":
		return g.authorizeRequest(r, a)
	default:
		r.identity.err = fmt.Sprintf(
			"the route asks for the authorization %s, and its authorizer is of the type %s",
			route.Authorization,
			a.Type,
		)
		return internalError(""), false
	}
}

// unauthorized is the answer to a request without an acceptable identity.
func unauthorized(challenge string) reply {
	out := message(http.StatusUnauthorized, "Unauthorized", "")
	if challenge != "" {
		out.header.Set("Www-Authenticate", challenge)
	}
	return out
}

func forbidden() reply { return message(http.StatusForbidden, "Forbidden", "") }

// ValidateIdentitySource tests an expression. Source: API Gateway developer
// guide, "Control access to HTTP APIs with AWS Lambda authorizers".
func ValidateIdentitySource(expression string) error {
	for _, p := range []string{"$request.header.", "$request.querystring.", "$context.", "$stageVariables."} {
		if name, ok := strings.CutPrefix(expression, p); ok && name != "" {
			if p == "$context." && !slices.Contains(contextSources, name) {
				return fmt.Errorf(
					"the local cloud does not know the identity source %s; it knows $context.%s",
					expression,
					strings.Join(contextSources, ", $context."),
				)
			}
			return nil
		}
	}
	return fmt.Errorf(
		"%q is no identity source: one is $request.header.name, $request.querystring.name, $context.name "+
			"or $stageVariables.name",
		expression,
	)
}

// contextSources are the context variables that can be told before
// authorization.
var contextSources = []string{
	"accountId",
	"apiId",
	"domainName",
	"domainPrefix",
	"httpMethod",
	"identity.sourceIp",
	"identity.userAgent",
	"path",
	"protocol",
	"requestId",
	"routeKey",
	"stage",
}

// identitySource evaluates an expression; false if the request lacks it.
// Header names are compared without regard to case, names of query parameters
// with.
func (r *request) identitySource(expression string) (string, bool) {
	if name, ok := strings.CutPrefix(expression, "$request.header."); ok {
		v, ok := headers(r.http, r)[strings.ToLower(name)]
		if strings.EqualFold(name, "cookie") {
			v = strings.Join(r.http.Header.Values("Cookie"), "; ")
			ok = v != ""
		}
		return v, ok && v != ""
	}
	if name, ok := strings.CutPrefix(expression, "$request.querystring."); ok {
		v := query(r.http.URL.RawQuery)[name]
		return v, v != ""
	}
	if name, ok := strings.CutPrefix(expression, "$stageVariables."); ok {
		v := r.stage.Variables[name]
		return v, v != ""
	}
	c := r.context()
	v := map[string]string{
		"accountId":          c.AccountID,
		"apiId":              c.APIID,
		"domainName":         c.DomainName,
		"domainPrefix":       c.DomainPrefix,
		"httpMethod":         c.HTTP.Method,
		"identity.sourceIp":  c.HTTP.SourceIP,
		"identity.userAgent": c.HTTP.UserAgent,
		"path":               c.HTTP.Path,
		"protocol":           c.HTTP.Protocol,
		"requestId":          c.RequestID,
		"routeKey":           c.RouteKey,
		"stage":              c.Stage,
	}[strings.TrimPrefix(expression, "$context.")]
	return v, v != ""
}

// routeARN names the request, with its concrete method and path.
func (r *request) routeARN() string {
	return fmt.Sprintf(
		"arn:aws:execute-api:%s:%s:%s/%s/%s%s",
		r.api.Region,
		r.api.AccountID,
		r.api.ID,
		r.stage.Name,
		r.http.Method,
		decode(r.path),
	)
}

// authorizerARN names an authorizer in its function's resource policy.
func (r *request) authorizerARN(id string) string {
	return fmt.Sprintf(
		"arn:aws:execute-api:%s:%s:%s/authorizers/%s",
		r.api.Region,
		r.api.AccountID,
		r.api.ID,
		id,
	)
}

// validAuthorizer tests what the gateway relies on.
func validAuthorizer(a Authorizer) error {
	for _, s := range a.IdentitySources {
		if err := ValidateIdentitySource(s); err != nil {
			return err
		}
	}
	switch {
	case a.Type == "JWT" && len(a.IdentitySources) != 1:
		return fmt.Errorf("a JWT authorizer has exactly one identity source")
	case a.Type == "JWT" && (a.Issuer == "" || len(a.Audiences) == 0):
		return fmt.Errorf("a JWT authorizer has an issuer and at least one audience")
	case a.Type == "REQUEST" && a.PayloadFormatVersion != "1.0" && a.PayloadFormatVersion != "2.0":
		return fmt.Errorf("a Lambda authorizer has the payload format version 1.0 or 2.0")
	case a.Type == "REQUEST" && a.SimpleResponses && a.PayloadFormatVersion != "2.0":
		return fmt.Errorf("simple responses need the payload format version 2.0")
	case a.Type != "JWT" && a.Type != "REQUEST":
		return fmt.Errorf("an authorizer is of the type JWT or REQUEST")
	}
	return nil
}

// detached keeps the values of a request's context and not its cancellation:
// a function runs on when its client has gone.
func detached(r *request) context.Context { return context.WithoutCancel(r.http.Context()) }
