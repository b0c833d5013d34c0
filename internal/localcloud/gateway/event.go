package gateway

import (
	"bytes"
	"encoding/json"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// request is one request on its way through the gateway.
type request struct {
	http     *http.Request
	id       string
	received time.Time
	api      API
	stage    Stage
	snapshot Snapshot
	path     string // escaped, without the stage
	rawPath  string // decoded, with the stage
	// encodedPath is the path of payload format 1.0: escaped, with the stage
	// and the key of a custom domain's mapping.
	encodedPath string
	custom      bool // it came by a custom domain
	foreign     bool // its Host header names neither the API nor a domain
	mapping     Mapping
	match       match
	body        []byte
	identity    identity
}

// event is the payload of format version 2.0. Source: API Gateway developer
// guide, "Create AWS Lambda proxy integrations for HTTP APIs".
type event struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"`
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"`
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        requestContext    `json:"requestContext"`
	StageVariables        map[string]string `json:"stageVariables,omitempty"`
	PathParameters        map[string]string `json:"pathParameters,omitempty"`
	Body                  *string           `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

type requestContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	Authorizer   *authorized `json:"authorizer,omitempty"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpInfo    `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"`
}

// authorized is what an authorizer found out; one of the two is set.
type authorized struct {
	JWT    *jwtContext    `json:"jwt,omitempty"`
	Lambda map[string]any `json:"lambda,omitempty"`
}

// jwtContext is how a token reaches the function. Scopes is null unless the
// route asks for scopes.
type jwtContext struct {
	Claims map[string]string `json:"claims"`
	Scopes []string          `json:"scopes"`
}

type httpInfo struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

const clfTime = "02/Jan/2006:15:04:05 -0700"

// event builds the payload for the function.
func (r *request) event() ([]byte, error) {
	q := r.http
	e := event{
		Version:               "2.0",
		RouteKey:              r.match.route.Key,
		RawPath:               r.rawPath,
		RawQueryString:        q.URL.RawQuery,
		Headers:               headers(q, r),
		Cookies:               cookies(q.Header),
		QueryStringParameters: query(q.URL.RawQuery),
		StageVariables:        r.stage.Variables,
		PathParameters:        r.match.parameters,
		RequestContext:        r.context(),
	}
	e.RequestContext.Authorizer = r.identity.event
	e.Body, e.IsBase64Encoded = r.bodyText()
	return encode(e)
}

// encode writes JSON without the escapes that encoding/json adds for HTML,
// which would count for the size of the event.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// context is the requestContext that function and authorizer get.
func (r *request) context() requestContext {
	q := r.http
	return requestContext{
		AccountID:    r.api.AccountID,
		APIID:        r.api.ID,
		DomainName:   host(q),
		DomainPrefix: prefix(host(q)),
		HTTP: httpInfo{
			Method:    q.Method,
			Path:      r.rawPath,
			Protocol:  "HTTP/1.1",
			SourceIP:  source(q),
			UserAgent: q.UserAgent(),
		},
		RequestID: r.id,
		RouteKey:  r.match.route.Key,
		Stage:     r.stage.Name,
		Time:      r.received.UTC().Format(clfTime),
		TimeEpoch: r.received.UnixMilli(),
	}
}

// textual reports whether a body reaches the function as text. The list is as
// recorded from AWS: everything else, and a missing type, is base64.
func textual(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil && media == "" {
		return false
	}
	return strings.HasPrefix(media, "text/") || media == "application/json" || media == "application/xml" ||
		media == "application/javascript"
}

// headers returns the header lines in lower case, values of one name joined by
// a bare comma, without the cookies, with what the gateway adds.
func headers(q *http.Request, r *request) map[string]string {
	out := map[string]string{}
	for name, lines := range q.Header {
		if name != "Cookie" && name != FaultsHeader {
			out[strings.ToLower(name)] = strings.Join(lines, ",")
		}
	}
	out["host"] = q.Host
	if _, ok := out["content-length"]; !ok &&
		(q.ContentLength > 0 || q.Method != http.MethodGet && q.Method != http.MethodHead) {
		out["content-length"] = r.length()
	}
	out["x-forwarded-for"] = source(q)
	if before := strings.Join(q.Header.Values("X-Forwarded-For"), ","); before != "" {
		out["x-forwarded-for"] = before + ", " + source(q)
	}
	out["x-forwarded-port"], out["x-forwarded-proto"] = "443", "https"
	if out["x-amzn-trace-id"] == "" {
		out["x-amzn-trace-id"] = traceID(r.received)
	}
	return out
}

// length returns how many bytes the body has. Authorizers are asked before it is
// read, when only the client's word is there.
func (r *request) length() string {
	return strconv.FormatInt(max(r.http.ContentLength, int64(len(r.body))), 10)
}

func cookies(h http.Header) []string {
	var out []string
	for _, line := range h["Cookie"] {
		for _, c := range strings.Split(line, ";") {
			if c = strings.TrimSpace(c); c != "" {
				out = append(out, c)
			}
		}
	}
	return out
}

// query decodes the query string; values of one name are joined by a bare
// comma in the order of the request.
func query(raw string) map[string]string {
	out := map[string]string{}
	for _, pair := range strings.Split(raw, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		k, v = unescape(k), unescape(v)
		if before, ok := out[k]; ok {
			v = before + "," + v
		}
		out[k] = v
	}
	return out
}

func unescape(s string) string {
	if d, err := url.QueryUnescape(s); err == nil {
		return d
	}
	return s
}

func host(q *http.Request) string {
	if h, _, err := net.SplitHostPort(q.Host); err == nil {
		return h
	}
	return q.Host
}

func prefix(host string) string {
	p, _, _ := strings.Cut(host, ".")
	return p
}

func source(q *http.Request) string {
	if h, _, err := net.SplitHostPort(q.RemoteAddr); err == nil {
		return h
	}
	return q.RemoteAddr
}
