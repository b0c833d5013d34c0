package gateway

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// event1 is the payload of format version 1.0. What a request lacks is null.
// Sources: API Gateway developer guide, "Create AWS Lambda proxy integrations
// for HTTP APIs", and events recorded from AWS, aws/aws-lambda-dotnet,
// Tools/LambdaTestTool-v2 (HttpV1).
type event1 struct {
	Version                         string              `json:"version"`
	Resource                        string              `json:"resource"`
	Path                            string              `json:"path"`
	HTTPMethod                      string              `json:"httpMethod"`
	Headers                         map[string]string   `json:"headers"`
	MultiValueHeaders               map[string][]string `json:"multiValueHeaders"`
	QueryStringParameters           map[string]string   `json:"queryStringParameters"`
	MultiValueQueryStringParameters map[string][]string `json:"multiValueQueryStringParameters"`
	RequestContext                  map[string]any      `json:"requestContext"`
	PathParameters                  map[string]string   `json:"pathParameters"`
	StageVariables                  map[string]string   `json:"stageVariables"`
	Body                            *string             `json:"body"`
	IsBase64Encoded                 bool                `json:"isBase64Encoded"`
}

// identityKeys are the members of requestContext.identity that are null for an
// API that is not called with AWS credentials, as recorded.
var identityKeys = []string{
	"accessKey",
	"accountId",
	"caller",
	"cognitoAmr",
	"cognitoAuthenticationProvider",
	"cognitoAuthenticationType",
	"cognitoIdentityId",
	"cognitoIdentityPoolId",
	"principalOrgId",
	"user",
	"userArn",
}

// event1 builds the payload of format version 1.0 for the function.
func (r *request) event1() ([]byte, error) {
	lines := r.headerLines()
	values := queryValues(r.http.URL.RawQuery)
	e := event1{
		Version:               "1.0",
		Resource:              r.resource(),
		Path:                  r.encodedPath,
		HTTPMethod:            r.http.Method,
		Headers:               lastOf(lines),
		MultiValueHeaders:     lines,
		QueryStringParameters: lastOf(values),
		RequestContext:        r.context1(),
		PathParameters:        r.match.parameters,
		StageVariables:        r.stage.Variables,
	}
	if len(values) > 0 {
		e.MultiValueQueryStringParameters = values
	} else {
		e.QueryStringParameters = nil
	}
	if len(e.PathParameters) == 0 {
		e.PathParameters = nil
	}
	if len(e.StageVariables) == 0 {
		e.StageVariables = nil
	}
	e.Body, e.IsBase64Encoded = r.bodyText()
	return encode(e)
}

// bodyText returns the body as events have it: as it is or in base64, or nil
// if it is empty.
func (r *request) bodyText() (*string, bool) {
	if len(r.body) == 0 {
		return nil, false
	}
	text, encoded := string(r.body), false
	if !textual(r.http.Header.Get("Content-Type")) {
		text, encoded = base64.StdEncoding.EncodeToString(r.body), true
	}
	return &text, encoded
}

// resource is the path of the route key, or the key itself if it is $default.
func (r *request) resource() string {
	if _, path, ok := strings.Cut(r.match.route.Key, " "); ok {
		return path
	}
	return r.match.route.Key
}

// context1 is the requestContext of format version 1.0. What authorizers found
// out stands in it flat: claims and scopes of a token (awsdocs/
// amazon-api-gateway-developer-guide#113), or the context of a Lambda
// authorizer.
func (r *request) context1() map[string]any {
	c := r.context()
	identity := map[string]any{"sourceIp": c.HTTP.SourceIP, "userAgent": c.HTTP.UserAgent}
	for _, k := range identityKeys {
		identity[k] = nil
	}
	out := map[string]any{
		"accountId":         c.AccountID,
		"apiId":             c.APIID,
		"domainName":        c.DomainName,
		"domainPrefix":      c.DomainPrefix,
		"extendedRequestId": r.id,
		"httpMethod":        c.HTTP.Method,
		"identity":          identity,
		"path":              decode(r.encodedPath),
		"protocol":          c.HTTP.Protocol,
		"requestId":         c.RequestID,
		"requestTime":       c.Time,
		"requestTimeEpoch":  c.TimeEpoch,
		"resourceId":        c.RouteKey,
		"resourcePath":      r.resource(),
		"stage":             c.Stage,
	}
	if r.match.route.OperationName != "" {
		out["operationName"] = r.match.route.OperationName
	}
	switch a := r.identity.event; {
	case a == nil:
	case a.JWT != nil:
		out["authorizer"] = map[string]any{"claims": a.JWT.Claims, "scopes": a.JWT.Scopes}
	default:
		out["authorizer"] = a.Lambda
	}
	return out
}

// headerLines returns the lines of each header with what the gateway adds.
// AWS keeps the names as the client wrote them, but for those that it adds;
// here they are canonical, as most HTTP/1.1 clients write them.
func (r *request) headerLines() map[string][]string {
	q := r.http
	out := map[string][]string{}
	for name, lines := range q.Header {
		if name != FaultsHeader {
			out[name] = lines
		}
	}
	for name, value := range headers(q, r) {
		switch name {
		case "host",
			"content-length",
			"x-forwarded-for",
			"x-forwarded-port",
			"x-forwarded-proto",
			"x-amzn-trace-id":
			out[http.CanonicalHeaderKey(name)] = []string{value}
		}
	}
	if _, ok := out["Content-Length"]; !ok {
		out["Content-Length"] = []string{r.length()}
	}
	return out
}

// queryValues decodes the query string; values of one name keep their order.
func queryValues(raw string) map[string][]string {
	out := map[string][]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		k = unescape(k)
		out[k] = append(out[k], unescape(v))
	}
	return out
}

// lastOf returns the last value of each name.
func lastOf(in map[string][]string) map[string]string {
	out := make(map[string]string, len(in))
	for k, v := range in {
		out[k] = v[len(v)-1]
	}
	return out
}
