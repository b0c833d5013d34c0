package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// keyed returns an API whose routes ask a Lambda authorizer that allows the
// key "good", with a TTL of a minute, and how often it was asked.
func keyed(t *testing.T, c *clock, keys ...string) (*Gateway, API, *atomic.Int64) {
	t.Helper()
	asked := &atomic.Int64{}
	g := New(Config{Now: c.Now, Invoker: invoker(func(in Invocation) (Result, error) {
		if !strings.Contains(in.SourceARN, "/authorizers/") {
			return Result{Payload: []byte(`{"statusCode":200}`)}, nil
		}
		asked.Add(1)
		var e struct{ IdentitySource []string }
		err := json.Unmarshal(in.Payload, &e)
		return Result{Payload: fmt.Appendf(nil, `{"isAuthorized":%t}`, e.IdentitySource[0] == "good")}, err
	})})
	a := simple(Stage{Name: "$default"}, keys...)
	for i := range a.Live.Routes {
		a.Live.Routes[i].Authorization, a.Live.Routes[i].AuthorizerID = "CUSTOM", "z"
	}
	a.Live.Authorizers = []Authorizer{{
		ID:                   "z",
		Type:                 "REQUEST",
		PayloadFormatVersion: "2.0",
		SimpleResponses:      true,
		FunctionARN:          "f1",
		TTL:                  time.Minute,
		IdentitySources:      []string{"$request.header.X-Key"},
	}}
	put(t, g, a)
	return g, a, asked
}

func put(t *testing.T, g *Gateway, a API) {
	t.Helper()
	if err := g.Put(a); err != nil {
		t.Fatal(err)
	}
}

func as(g *Gateway, path, key string) int {
	w := httptest.NewRecorder()
	r := asking("GET", path, nil)
	r.Header.Set("X-Key", key)
	g.Handler("api1").ServeHTTP(w, r)
	return w.Code
}

func TestDecisionsAreKeptForTheirTimeAndNoLonger(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Unix(1000, 0)}
	g, a, asked := keyed(t, c, "GET /a")
	step := func(what, key string, status int, times int64) {
		t.Helper()
		if code, n := as(g, "/a", key), asked.Load(); code != status || n != times {
			t.Errorf("%s: got %d and %d questions, want %d and %d", what, code, n, status, times)
		}
	}
	step("first", "good", 200, 1)
	step("again", "good", 200, 1)
	step("another key", "bad", 403, 2)
	step("a denial again", "bad", 403, 2)
	c.pass(time.Minute - time.Nanosecond)
	step("just before its time", "good", 200, 2)
	c.pass(time.Nanosecond)
	step("at its time", "good", 200, 3)
	// A changed authorizer is asked: another function, or other sources.
	a.Live.Authorizers[0].FunctionARN = "f2"
	put(t, g, a)
	step("another function", "good", 200, 4)
	a.Live.Authorizers[0].IdentitySources = []string{"$request.header.X-Key", "$context.routeKey"}
	put(t, g, a)
	step("other sources", "good", 200, 5)
	// Nothing survives the API.
	g.Remove("api1")
	put(t, g, a)
	step("after a removal", "good", 200, 6)
}

func TestKeptDecisionsAreBoundedInNumberAndSize(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Unix(1000, 0)}
	g, _, _ := keyed(t, c, "GET /a")
	for i := range maxDecisions + 10 {
		c.pass(time.Millisecond) // or else the account's limit is reached
		if code := as(g, "/a", fmt.Sprint(strings.Repeat("x", 100), i)); code != http.StatusForbidden {
			t.Fatalf("got %d", code)
		}
	}
	for _, m := range g.decisions.all {
		if len(m) > maxDecisions || len(m) == 0 {
			t.Errorf("%d decisions are kept", len(m))
		}
	}
}

func TestNobodyGetsInWithoutTheRoutesOwnAuthorizer(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*API){
		"unknown authorizer":      func(a *API) { a.Live.Routes[0].AuthorizerID = "y" },
		"authorizer of functions": func(a *API) { a.Live.Routes[0].Authorization = "JWT" },
		"another kind":            func(a *API) { a.Live.Routes[0].Authorization = "AWS_IAM" },
	} {
		g, a, _ := keyed(t, &clock{now: time.Unix(1000, 0)}, "GET /a")
		change(&a)
		put(t, g, a)
		if code := as(g, "/a", "good"); code != http.StatusInternalServerError {
			t.Errorf("%s: got %d", name, code)
		}
	}
}

func TestConfiguredCORSReplacesAllThatTheFunctionSends(t *testing.T) {
	t.Parallel()
	payload := `{"statusCode":200,"headers":{"access-control-allow-origin":"*","access-control-allow-methods":"X","Access-Control-Allow-Credentials":"true","access-control-expose-headers":"x"}}`
	g := New(Config{
		Now:     time.Now,
		Invoker: invoker(func(Invocation) (Result, error) { return Result{Payload: []byte(payload)}, nil }),
	})
	a := simple(Stage{Name: "$default"}, "GET /a")
	a.Live.CORS = &CORS{AllowOrigins: []string{"https://a.example"}}
	put(t, g, a)
	for origin, want := range map[string]string{
		"https://a.example": "https://a.example",
		"https://b.example": "",
		"":                  "",
	} {
		w := httptest.NewRecorder()
		r := asking("GET", "/a", nil)
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		g.Handler("api1").ServeHTTP(w, r)
		for name := range w.Header() {
			if strings.HasPrefix(name, "Access-Control-") &&
				(name != "Access-Control-Allow-Origin" || want == "") {
				t.Errorf("with the origin %q the answer has %s: %s", origin, name, w.Header().Get(name))
			}
		}
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("with the origin %q Access-Control-Allow-Origin is %q", origin, got)
		}
	}
}

func TestAccessLogTellsLambdasStatusFromTheFunctions(t *testing.T) {
	t.Parallel()
	format := `{"id":"$context.requestId","own":"$context.integration.status","lambda":"$context.integration.integrationStatus","short":"$context.integrationStatus","status":"$context.status","text":"$context.error.message","quoted":$context.error.messageString}`
	for payload, want := range map[string]map[string]string{
		`{"statusCode":404}`: {"own": "404", "lambda": "200", "short": "200", "status": "404", "text": "-"},
		`{"statusCode":0}`:   {"own": "-", "lambda": "200", "short": "200", "status": "500", "text": "-"},
		"": {
			"own":    "-",
			"lambda": "-",
			"short":  "-",
			"status": "404",
			"text":   "Not Found",
			"quoted": "Not Found",
		},
	} {
		var line string
		g := New(Config{
			Now:       time.Now,
			AccessLog: func(_ string, l []byte) { line = string(l) },
			Invoker: invoker(
				func(Invocation) (Result, error) { return Result{Payload: []byte(payload)}, nil },
			),
		})
		a := simple(Stage{
			Name:      "$default",
			AccessLog: &AccessLog{Format: format, Destination: "x"},
		}, "GET /a")
		put(t, g, a)
		path := "/a"
		if payload == "" {
			path = "/nowhere"
		}
		ask(g, "GET", path)
		var got map[string]string
		// A dash stands without quotes for a text that carries its own.
		if err := json.Unmarshal(
			[]byte(strings.Replace(line, `"quoted":-`, `"quoted":"-"`, 1)),
			&got,
		); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		for k, v := range want {
			if got[k] != v {
				t.Errorf("%s: %s is %q, want %q", payload, k, got[k], v)
			}
		}
	}
	for _, name := range untold {
		if err := ValidateAccessLogFormat(
			"$context.requestId " + name,
		); err == nil ||
			!strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAllAPIsShareTheAccountsLimit(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Unix(1000, 0)}
	g := New(Config{Now: c.Now, Invoker: invoker(ok)})
	a := simple(Stage{Name: "$default"}, "GET /a", "GET /b")
	put(t, g, a)
	a.ID = "api2"
	put(t, g, a)
	served := 0
	for i := range 3 * accountThrottle.Burst {
		w := httptest.NewRecorder()
		g.Handler([]string{"api1", "api2"}[i%2]).ServeHTTP(w, asking("GET", []string{"/a", "/b"}[i/2%2], nil))
		if w.Code == http.StatusOK {
			served++
		}
	}
	if served != accountThrottle.Burst {
		t.Errorf("%d were served at once, want %d", served, accountThrottle.Burst)
	}
}

func TestForwardedForKeepsEveryLine(t *testing.T) {
	t.Parallel()
	r := asking("GET", "/a", nil)
	r.Header["X-Forwarded-For"] = []string{"1.1.1.1", "2.2.2.2"}
	if got := headers(r, &request{})["x-forwarded-for"]; got != "1.1.1.1,2.2.2.2, 192.0.2.1" {
		t.Errorf("got %q", got)
	}
}
