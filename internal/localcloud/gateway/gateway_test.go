package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"items-api/internal/seeds"
)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type invoker func(Invocation) (Result, error)

func (f invoker) Invoke(_ context.Context, in Invocation) (Result, error) { return f(in) }

func ok(Invocation) (Result, error) {
	return Result{Payload: []byte(`{"statusCode":200,"body":"ok"}`)}, nil
}

func simple(stage Stage, keys ...string) API {
	a := API{ID: "api1", AccountID: "000000000000", Region: "us-east-1", Stages: []Stage{stage}}
	a.Live.Integrations = []Integration{{
		ID:                   "i",
		Type:                 "AWS_PROXY",
		PayloadFormatVersion: "2.0",
		Timeout:              time.Second,
	}}
	for _, k := range keys {
		a.Live.Routes = append(a.Live.Routes, Route{Key: k, IntegrationID: "i"})
	}
	return a
}

// asking returns a request as a client of this machine sends it.
func asking(method, target string, body io.Reader) *http.Request {
	q := httptest.NewRequest(method, target, body)
	q.Host = "localhost"
	return q
}

func ask(g *Gateway, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	g.Handler("api1").ServeHTTP(w, asking(method, path, nil))
	return w
}

func TestTokenBucketFillsWithTimePerRoute(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Unix(1000, 0)}
	g := New(Config{Invoker: invoker(ok), Now: c.Now})
	if err := g.Put(simple(Stage{
		Name:    "$default",
		Default: Throttle{Rate: 2, Burst: 3, Set: true},
	}, "GET /a", "GET /b")); err != nil {
		t.Fatal(err)
	}
	count := func(path string, n int) (served int) {
		for range n {
			if ask(g, "GET", path).Code == http.StatusOK {
				served++
			}
		}
		return served
	}
	if n := count("/a", 10); n != 3 {
		t.Errorf("a full bucket served %d, want 3", n)
	}
	if n := count("/b", 10); n != 3 {
		t.Errorf("the other route served %d, want 3", n)
	}
	c.pass(time.Second)
	if n := count("/a", 10); n != 2 {
		t.Errorf("after a second %d were served, want 2", n)
	}
	c.pass(time.Hour)
	if n := count("/a", 10); n != 3 {
		t.Errorf("after an hour %d were served, want 3", n)
	}
	// The same configuration again does not fill the bucket.
	if err := g.Put(simple(Stage{
		Name:    "$default",
		Default: Throttle{Rate: 2, Burst: 3, Set: true},
	}, "GET /a", "GET /b")); err != nil {
		t.Fatal(err)
	}
	if n := count("/a", 10); n != 0 {
		t.Errorf("after a deployment %d were served, want 0", n)
	}
}

func TestRoutePriority(t *testing.T) {
	t.Parallel()
	keys := []string{
		"GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "ANY /pets/dog/{id}",
		"$default",
	}
	for request, want := range map[string]string{
		"GET /pets/dog/1": "GET /pets/dog/1",
		"GET /pets/dog/2": "GET /pets/dog/{id}",
		"PUT /pets/dog/2": "ANY /pets/dog/{id}",
		"GET /pets/cat/1": "GET /pets/{proxy+}",
		"POST /test/5":    "ANY /{proxy+}",
		"GET /":           "ANY /{proxy+}",
	} {
		var routes []Route
		for _, k := range keys {
			routes = append(routes, Route{Key: k})
		}
		method, path, _ := strings.Cut(request, " ")
		m, found := find(routes, method, path)
		if !found || m.route.Key != want {
			t.Errorf("%s went to %q, want %q", request, m.route.Key, want)
		}
	}
	if _, found := find([]Route{{Key: "GET /items"}}, "GET", "/items/"); found {
		t.Error("a trailing slash was ignored")
	}
}

func TestNamedStageAndDeploymentSnapshot(t *testing.T) {
	t.Parallel()
	var event map[string]any
	g := New(Config{Now: time.Now, Invoker: invoker(func(in Invocation) (Result, error) {
		if in.SourceARN != "arn:aws:execute-api:us-east-1:000000000000:api1/dev/GET/items/{id}" {
			t.Errorf("the source is %s", in.SourceARN)
		}
		return Result{Payload: []byte(`{}`)}, json.Unmarshal(in.Payload, &event)
	})})
	a := simple(Stage{Name: "dev"}, "GET /items/{id}")
	a.Stages = append(a.Stages, Stage{Name: "old", Deployed: &Snapshot{}})
	if err := g.Put(a); err != nil {
		t.Fatal(err)
	}
	if w := ask(
		g,
		"GET",
		"/dev/items/7",
	); w.Code != 200 || event["rawPath"] != "/dev/items/7" ||
		event["pathParameters"].(map[string]any)["id"] != "7" {
		t.Errorf("got %d, %v", w.Code, event)
	}
	for _, path := range []string{"/items/7", "/old/items/7"} {
		if w := ask(g, "GET", path); w.Code != 404 {
			t.Errorf("%s got %d", path, w.Code)
		}
	}
}

func TestAccessLogIsValidJSONWhateverTheRequest(t *testing.T) {
	t.Parallel()
	var line []byte
	g := New(Config{Invoker: invoker(ok), Now: time.Now, AccessLog: func(_ string, l []byte) { line = l }})
	format := `{"id":"$context.requestId","agent":"$context.identity.userAgent","status":"$context.status","none":"$context.authorizer.error"}`
	if err := g.Put(simple(Stage{
		Name:      "$default",
		AccessLog: &AccessLog{Format: format, Destination: "x"},
	}, "GET /a")); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := asking("GET", "/a", nil)
	r.Header.Set("User-Agent", `a"b\c`)
	g.Handler("api1").ServeHTTP(w, r)
	var got map[string]string
	if err := json.Unmarshal(
		line,
		&got,
	); err != nil || got["agent"] != `a"b\c` || got["status"] != "200" || got["none"] != "-" ||
		got["id"] != w.Header().Get("Apigw-Requestid") {
		t.Errorf("got %s, %v", line, err)
	}
}

func FuzzRouteMatch(f *testing.F) {
	seeds.Add(f)
	f.Add("GET /items/{id}", "GET", "/items/7")
	f.Add("ANY /{proxy+}", "PUT", "/a//%2F")
	f.Fuzz(func(t *testing.T, key, method, path string) {
		if ValidateRouteKey(key) != nil {
			return
		}
		find([]Route{{Key: key}, {Key: "$default"}}, method, path)
	})
}

func FuzzResponse(f *testing.F) {
	seeds.Add(f)
	f.Add([]byte(`{"statusCode":200,"headers":{"a":1},"cookies":["x"],"body":"eA==","isBase64Encoded":true}`))
	f.Add([]byte(`"text"`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, p := range []reply{respond(payload), respond1(payload)} {
			if p.status < 100 || p.status > 599 {
				t.Errorf("the status is %d", p.status)
			}
			w := httptest.NewRecorder()
			p.write(w, "GET", "id")
		}
	})
}

// FuzzEvent sends whatever net/http takes for a request. Function and
// authorizer get an event that is JSON and says what was sent, and no answer is
// an error of the gateway.
func FuzzEvent(f *testing.F) {
	seeds.Add(f)
	for _, request := range []string{
		"GET /a/b%2Fc?x=1&x=%zz&=&y HTTP/1.1\r\nHost: x\r\nCookie: a=b; c\r\nX-Key: k\r\n\r\n",
		"POST /dev//%3F/%E4 HTTP/1.1\r\nHost: [::1]:80\r\nContent-Type: text/plain; " +
			"charset\r\nContent-Length: 3\r\nX-Key: \xff\r\n\r\n\xff\x00a",
		"OPTIONS * HTTP/1.0\r\nOrigin: http://a\r\nAccess-Control-Request-Method: x\r\n\r\n",
		"GET http://a/b HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
	} {
		f.Add([]byte(request))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, version := range []string{"1.0", "2.0"} {
			handleAnything(t, raw, version)
		}
	})
}

// handleAnything sends a request to a function that takes the payload format
// version, and again as localhost where its Host header is a foreign name.
func handleAnything(t *testing.T, raw []byte, version string) {
	t.Helper()
	q, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return
	}
	q.RemoteAddr = "127.0.0.1:1"
	called := 0
	g := New(Config{Now: time.Now, Invoker: invoker(func(in Invocation) (Result, error) {
		called++
		var e struct {
			RouteKey, Resource, HTTPMethod string
			RequestContext                 struct{ HTTP struct{ Method string } }
		}
		err := json.Unmarshal(in.Payload, &e)
		route, method := e.RouteKey+e.Resource, e.RequestContext.HTTP.Method+e.HTTPMethod
		if err != nil || !utf8.Valid(in.Payload) || route == "" ||
			method != strings.ToValidUTF8(q.Method, "\ufffd") {
			t.Errorf("the event is %s, %v", in.Payload, err)
		}
		return Result{Payload: []byte(`{"isAuthorized":true,"statusCode":200}`)}, nil
	})})
	a := simple(Stage{
		Name: "$default",
		AccessLog: &AccessLog{
			Format: `{"a":"$context.path $context.identity.userAgent $context.authorizer.x"}`,
		},
	}, "$default", "ANY /a/{b}", "GET /{proxy+}")
	a.Stages = append(a.Stages, Stage{Name: "dev"})
	a.Live.Integrations[0].PayloadFormatVersion = version
	a.Live.CORS = &CORS{AllowOrigins: []string{"http://*"}}
	a.Live.Routes[2].Authorization, a.Live.Routes[2].AuthorizerID = "CUSTOM", "z"
	a.Live.Authorizers = []Authorizer{{
		ID:                   "z",
		Type:                 "REQUEST",
		PayloadFormatVersion: "2.0",
		SimpleResponses:      true,
		IdentitySources:      []string{"$request.header.X-Key"},
	}}
	g.AccessLog = func(_ string, line []byte) {
		if !json.Valid(line) {
			t.Errorf("the access log is %s", line)
		}
	}
	if err := g.Put(a); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	g.Handler("api1").ServeHTTP(w, q)
	if !ownName(host(q)) {
		if called > 0 || w.Code != http.StatusForbidden && w.Code != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%q was answered with %d, and the function called %d times", q.Host, w.Code, called)
		}
		q.Host = "localhost"
		w = httptest.NewRecorder()
		g.Handler("api1").ServeHTTP(w, q)
	}
	switch w.Code {
	case http.StatusOK:
		if called == 0 {
			t.Error("nothing was invoked")
		}
	case http.StatusBadRequest,
		http.StatusUnauthorized,
		http.StatusNotFound,
		http.StatusRequestEntityTooLarge,
		http.StatusRequestHeaderFieldsTooLarge,
		http.StatusNoContent:
	default:
		t.Errorf("status %d for %q", w.Code, raw)
	}
}

func TestOriginsMayBeWildcardsOfTheScheme(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ configured, origin, want string }{
		{"*", "https://a.example", "*"},
		{"https://*", "https://a.example", "https://a.example"},
		{"https://*", "http://a.example", ""},
		{"http://*", "http://a.example:1", "http://a.example:1"},
		{"https://a.example", "https://a.example", "https://a.example"},
		{"https://a.example", "https://a.example:444", ""},
		{"https://a.example", "https://b.a.example", ""},
		{"https://a.example", "https://a.example/", ""},
	} {
		if got := (&CORS{AllowOrigins: []string{c.configured}}).allowed(c.origin); got != c.want {
			t.Errorf("%s with %s: got %q, want %q", c.origin, c.configured, got, c.want)
		}
	}
	for origin, good := range map[string]bool{
		"*":                   true,
		"https://*":           true,
		"http://*":            true,
		"https://*.a.example": false,
		"https://a.example/":  false,
		"a.example":           false,
	} {
		if err := ValidateCORS(CORS{AllowOrigins: []string{origin}}); (err == nil) != good {
			t.Errorf("%s: got %v", origin, err)
		}
	}
}
