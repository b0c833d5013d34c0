package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// format1 serves one route by a function that takes payload format 1.0.
func format1(t *testing.T, stage, key string, answer string) (*Gateway, *[]byte) {
	t.Helper()
	var event []byte
	g := New(Config{
		Now: func() time.Time { return time.UnixMilli(1744668983126) },
		Invoker: invoker(func(in Invocation) (Result, error) {
			event = in.Payload
			return Result{Payload: []byte(answer)}, nil
		}),
	})
	a := simple(Stage{Name: stage}, key)
	a.Live.Integrations[0].PayloadFormatVersion = "1.0"
	if err := g.Put(a); err != nil {
		t.Fatal(err)
	}
	return g, &event
}

// What AWS sent to a function for this request was recorded in
// aws/aws-lambda-dotnet, V1_SimpleGetRequestHttpV1.json; the ids, addresses and
// the null members of identity that another recording has (ilanc/bug-demo) are
// the local ones.
func TestEventOfFormat1IsAsRecorded(t *testing.T) {
	t.Parallel()
	g, event := format1(t, "$default", "POST /test1/api/users/{userId}/orders", `{"statusCode":200}`)
	q := asking("POST", "/test1/api/users/123/orders?status=pending&tag=important&tag=urgent", nil)
	q.Host = "api1.execute-api.us-east-1.amazonaws.com"
	q.RemoteAddr = "127.0.0.1:5"
	q.Header.Set("User-Agent", "TestAgent")
	q.Header.Set("Content-Type", "text/plain; charset=utf-8")
	q.Header.Set("Cookie", "session=abc123; theme=dark")
	q.Header.Set("X-Custom-Header", "value1")
	q.Header.Set("X-Amzn-Trace-Id", "Root=1-67fd8937-6cd643e155b4258a556982c5")
	w := httptest.NewRecorder()
	g.Handler("api1").ServeHTTP(w, q)
	want := `{
		"version": "1.0",
		"resource": "/test1/api/users/{userId}/orders",
		"path": "/test1/api/users/123/orders",
		"httpMethod": "POST",
		"headers": {
			"Content-Length": "0",
			"Content-Type": "text/plain; charset=utf-8",
			"Cookie": "session=abc123; theme=dark",
			"Host": "api1.execute-api.us-east-1.amazonaws.com",
			"User-Agent": "TestAgent",
			"X-Amzn-Trace-Id": "Root=1-67fd8937-6cd643e155b4258a556982c5",
			"X-Custom-Header": "value1",
			"X-Forwarded-For": "127.0.0.1",
			"X-Forwarded-Port": "443",
			"X-Forwarded-Proto": "https"
		},
		"multiValueHeaders": {
			"Content-Length": ["0"],
			"Content-Type": ["text/plain; charset=utf-8"],
			"Cookie": ["session=abc123; theme=dark"],
			"Host": ["api1.execute-api.us-east-1.amazonaws.com"],
			"User-Agent": ["TestAgent"],
			"X-Amzn-Trace-Id": ["Root=1-67fd8937-6cd643e155b4258a556982c5"],
			"X-Custom-Header": ["value1"],
			"X-Forwarded-For": ["127.0.0.1"],
			"X-Forwarded-Port": ["443"],
			"X-Forwarded-Proto": ["https"]
		},
		"queryStringParameters": {"status": "pending", "tag": "urgent"},
		"multiValueQueryStringParameters": {"status": ["pending"], "tag": ["important", "urgent"]},
		"requestContext": {
			"accountId": "000000000000",
			"apiId": "api1",
			"domainName": "api1.execute-api.us-east-1.amazonaws.com",
			"domainPrefix": "api1",
			"extendedRequestId": "ID",
			"httpMethod": "POST",
			"identity": {
				"accessKey": null,
				"accountId": null,
				"caller": null,
				"cognitoAmr": null,
				"cognitoAuthenticationProvider": null,
				"cognitoAuthenticationType": null,
				"cognitoIdentityId": null,
				"cognitoIdentityPoolId": null,
				"principalOrgId": null,
				"sourceIp": "127.0.0.1",
				"user": null,
				"userAgent": "TestAgent",
				"userArn": null
			},
			"path": "/test1/api/users/123/orders",
			"protocol": "HTTP/1.1",
			"requestId": "ID",
			"requestTime": "14/Apr/2025:22:16:23 +0000",
			"requestTimeEpoch": 1744668983126,
			"resourceId": "POST /test1/api/users/{userId}/orders",
			"resourcePath": "/test1/api/users/{userId}/orders",
			"stage": "$default"
		},
		"pathParameters": {"userId": "123"},
		"stageVariables": null,
		"body": null,
		"isBase64Encoded": false
	}`
	want = strings.ReplaceAll(want, `"ID"`, `"`+w.Header().Get("Apigw-Requestid")+`"`)
	sameJSON(t, *event, want)
}

func sameJSON(t *testing.T, got []byte, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("the event %s: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("the event is\n%s\nwant\n%s", got, want)
	}
}

// Recorded: path is as it was sent, requestContext.path and the parameters are
// decoded, and what the request lacks is null.
func TestPathOfFormat1StaysEncoded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ stage, key, target, path, decoded, stageVariable string }{
		{"$default", "GET /u/{name}", "/u/Summer%20Sale", "/u/Summer%20Sale", "/u/Summer Sale", ""},
		{"dev", "GET /u/{name}", "/dev/u/%E2%98%95", "/dev/u/%E2%98%95", "/dev/u/☕", ""},
	} {
		g, event := format1(t, c.stage, c.key, `{"statusCode":200}`)
		ask(g, "GET", c.target)
		var e struct {
			Path                            string
			RequestContext                  struct{ Path string }
			QueryStringParameters           *map[string]string
			MultiValueQueryStringParameters *map[string][]string
		}
		if err := json.Unmarshal(*event, &e); err != nil {
			t.Fatal(err)
		}
		if e.Path != c.path || e.RequestContext.Path != c.decoded {
			t.Errorf("%s: path %q, requestContext.path %q", c.target, e.Path, e.RequestContext.Path)
		}
		if e.QueryStringParameters != nil || e.MultiValueQueryStringParameters != nil {
			t.Errorf("%s: the query is %s, want null", c.target, *event)
		}
	}
}

func TestFormat1KeepsTheKeyOfAMapping(t *testing.T) {
	t.Parallel()
	g, event := format1(t, "$default", "GET /items", `{"statusCode":200}`)
	g.PutDomain(Domain{
		Name:     "api.example.com",
		Mappings: []Mapping{{Key: "v1", APIID: "api1", Stage: "$default"}},
	})
	q := asking("GET", "/v1/items", nil)
	q.Host = "api.example.com"
	g.Handler("api1").ServeHTTP(httptest.NewRecorder(), q)
	var e struct{ Path, Resource string }
	if err := json.Unmarshal(*event, &e); err != nil || e.Path != "/v1/items" || e.Resource != "/items" {
		t.Errorf("got %+v, %v", e, err)
	}
}

// What an authorizer found out is flat in format 1.0, without "jwt" or
// "lambda": awsdocs/amazon-api-gateway-developer-guide#113.
func TestFormat1HasTheAuthorizersContextFlat(t *testing.T) {
	t.Parallel()
	r := &request{http: asking("GET", "/a", nil), match: match{route: Route{Key: "GET /a"}}}
	r.identity.event = &authorized{JWT: &jwtContext{Claims: map[string]string{"sub": "u"}}}
	got, err := json.Marshal(r.context1()["authorizer"])
	if err != nil || string(got) != `{"claims":{"sub":"u"},"scopes":null}` {
		t.Errorf("a token became %s, %v", got, err)
	}
	r.identity.event = &authorized{Lambda: map[string]any{"owner": "u"}}
	got, err = json.Marshal(r.context1()["authorizer"])
	if err != nil || string(got) != `{"owner":"u"}` {
		t.Errorf("a context became %s, %v", got, err)
	}
}

// Recorded in aws/aws-lambda-dotnet: V1_*HttpV1.json.
func TestResponseOfFormat1IsAsRecorded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, payload string
		status        int
		body          string
		header        map[string][]string
	}{
		{
			"headers and multiValueHeaders are joined",
			`{"statusCode":200,"body":"{}",
			  "headers":{"Content-Type":"application/json","Combined-Header":"single-value"},
			  "multiValueHeaders":{"Combined-Header":["multi-value1","multi-value2"]}}`,
			200, "{}",
			map[string][]string{
				"Combined-Header": {"single-value", "multi-value1", "multi-value2"},
				"Content-Type":    {"application/json"},
			},
		},
		{
			"the default type is text", `{"statusCode":201,"body":"hi"}`, 201, "hi",
			map[string][]string{"Content-Type": {"text/plain; charset=utf-8"}},
		},
		{"binary", `{"statusCode":200,"body":"AQI=","isBase64Encoded":true}`, 200, "\x01\x02", nil},
		{
			"cookies are of format 2.0",
			`{"statusCode":200,"cookies":["a=b"],"multiValueHeaders":{"Set-Cookie":["c=d","e=f"]}}`, 200, "",
			map[string][]string{"Set-Cookie": {"c=d", "e=f"}},
		},
		{"status 0", `{"statusCode":0,"body":"x"}`, 500, `{"message":"Internal Server Error"}`, nil},
		{"no status", `{"body":"x"}`, 500, `{"message":"Internal Server Error"}`, nil},
		{"text", `"hi"`, 500, `{"message":"Internal Server Error"}`, nil},
		{
			"wrong lists", `{"statusCode":200,"multiValueHeaders":{"a":"b"}}`, 500,
			`{"message":"Internal Server Error"}`, nil,
		},
	} {
		g, _ := format1(t, "$default", "GET /a", c.payload)
		w := ask(g, "GET", "/a")
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s: got %d %q", c.name, w.Code, w.Body)
		}
		for name, want := range c.header {
			if got := w.Header()[name]; !slices.Equal(got, want) {
				t.Errorf("%s: %s is %q, want %q", c.name, name, got, want)
			}
		}
	}
}

func TestForeignHostNamesAreRefused(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]bool{
		"localhost":           true,
		"LOCALHOST:8080":      true,
		"localhost.:8080":     true,
		"127.0.0.1:8080":      true,
		"127.8.9.1":           true,
		"[::1]:8080":          true,
		"items.localhost":     true,
		"api.example.com:80":  true, // a custom domain
		"x.api.example.com":   false,
		"attacker.example":    false,
		"attacker.example:80": false,
		"localhost.attacker":  false,
		"notlocalhost":        false,
		"192.168.1.7:8080":    false,
		"0.0.0.0":             false,
		"api1.execute-api.us-east-1.amazonaws.com":       true,
		"api1.execute-api.cn-north-1.amazonaws.com.cn":   true,
		"api1.execute-api.us-east-1.amazonaws.com.evil":  false,
		"execute-api.us-east-1.amazonaws.com.evil.local": false,
	} {
		called := false
		g := New(Config{Now: time.Now, Invoker: invoker(func(in Invocation) (Result, error) {
			called = true
			return ok(in)
		})})
		if err := g.Put(simple(Stage{Name: "$default"}, "GET /a")); err != nil {
			t.Fatal(err)
		}
		g.PutDomain(Domain{Name: "api.example.com", Mappings: []Mapping{{APIID: "api1", Stage: "$default"}}})
		q := asking("GET", "/a", nil)
		q.Host = name
		w := httptest.NewRecorder()
		g.Handler("api1").ServeHTTP(w, q)
		want := http.StatusOK
		if !own {
			want = http.StatusForbidden
		}
		if w.Code != want || called != own {
			t.Errorf("%s: status %d, function called: %v", name, w.Code, called)
		}
	}
}

// An authorizer is asked before the body has been read.
func TestAuthorizersSeeTheLengthOfTheBody(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.0", "2.0"} {
		var asked []byte
		g := New(Config{
			Now: time.Now,
			Invoker: invoker(func(in Invocation) (Result, error) {
				asked = in.Payload
				return Result{Payload: []byte(`{"isAuthorized":false}`)}, nil
			}),
		})
		a := simple(Stage{Name: "$default"}, "POST /a")
		a.Live.Routes[0].Authorization, a.Live.Routes[0].AuthorizerID = "CUSTOM", "z"
		a.Live.Authorizers = []Authorizer{{
			ID:                   "z",
			Type:                 "REQUEST",
			PayloadFormatVersion: version,
			SimpleResponses:      version == "2.0",
			FunctionARN:          "f",
		}}
		put(t, g, a)
		q := asking("POST", "/a", strings.NewReader("abc"))
		g.Handler("api1").ServeHTTP(httptest.NewRecorder(), q)
		var e struct{ Headers map[string]string }
		if err := json.Unmarshal(asked, &e); err != nil {
			t.Fatalf("%s: %v: %s", version, err, asked)
		}
		if got := e.Headers["content-length"] + e.Headers["Content-Length"]; got != "3" {
			t.Errorf("%s: the length is %q", version, got)
		}
	}
}
