package gateway

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// The example of the API Gateway developer guide, "Map API stages to a custom
// domain name for HTTP APIs".
func TestMappingIsChosenAsTheGuideSays(t *testing.T) {
	t.Parallel()
	many := Domain{Mappings: []Mapping{
		{APIID: "1"},
		{Key: "orders", APIID: "2"},
		{Key: "orders/v1/items", APIID: "3"},
		{Key: "orders/v2/items", APIID: "4"},
		{Key: "orders/v2/items/categories", APIID: "5"},
	}}
	single := Domain{Mappings: many.Mappings[:2]}
	bare := Domain{Mappings: many.Mappings[1:2]}
	for _, c := range []struct {
		domain     Domain
		path, want string
	}{
		{many, "/orders", "2"},
		{many, "/orders/v1/items", "3"},
		{many, "/orders/v2/items", "4"},
		{many, "/orders/v1/items/123", "3"},
		{many, "/orders/v2/items/categories/5", "5"},
		{many, "/customers", "1"},
		{many, "/ordersandmore", "2"},
		{many, "/orders/v1", "2"},
		{many, "/", "1"},
		{single, "/ordersandmore", "1"},
		{single, "/orders", "2"},
		{single, "/orders/x", "2"},
		{single, "/Orders", "1"},
		{bare, "/ordersandmore", ""},
		{bare, "/", ""},
		{Domain{}, "/", ""},
	} {
		if m, ok := c.domain.choose(c.path); m.APIID != c.want || ok != (c.want != "") {
			t.Errorf("%s went to %q, want %q", c.path, m.APIID, c.want)
		}
	}
}

func TestMappingKeyIsTakenOffThePath(t *testing.T) {
	t.Parallel()
	var e struct {
		RawPath        string
		PathParameters map[string]string
	}
	var source, line string
	g := New(Config{
		Now:       time.Now,
		AccessLog: func(_ string, l []byte) { line = string(l) },
		Invoker: invoker(func(in Invocation) (Result, error) {
			source = in.SourceARN
			return Result{Payload: []byte(`{"statusCode":200}`)}, json.Unmarshal(in.Payload, &e)
		}),
	})
	a := simple(Stage{
		Name:      "$default",
		AccessLog: &AccessLog{Format: "$context.customDomain.basePathMatched"},
	}, "GET /", "GET /{proxy+}")
	a.Stages = append(a.Stages, Stage{Name: "dev"})
	if err := g.Put(a); err != nil {
		t.Fatal(err)
	}
	g.PutDomain(Domain{
		Name: "api.example.com",
		Mappings: []Mapping{
			{Key: "v1", APIID: "api1", Stage: "$default"},
			{Key: "v1/dev", APIID: "api1", Stage: "dev"},
		},
	})
	for _, c := range []struct{ path, raw, proxy, stage string }{
		{"/v1", "/", "", "$default"},
		{"/v1/", "/", "", "$default"},
		{"/v1/a", "/a", "a", "$default"},
		{"/v1//a%2Fb", "//a/b", "/a/b", "$default"},
		{"/v1/dev/a", "/dev/a", "a", "dev"},
		{"/v1/$default", "/$default", "$default", "$default"},
	} {
		w := httptest.NewRecorder()
		q := asking(http.MethodGet, c.path, nil)
		q.Host = "api.example.com"
		e.PathParameters = nil
		g.Handler("another").ServeHTTP(w, q)
		key := "{proxy+}"
		if c.proxy == "" {
			key = ""
		}
		if w.Code != 200 || e.RawPath != c.raw || e.PathParameters["proxy"] != c.proxy ||
			source != "arn:aws:execute-api:us-east-1:000000000000:api1/"+c.stage+"/GET/"+key {
			t.Errorf("%s got %d, %+v from %s; want %+v", c.path, w.Code, e, source, c)
		}
	}
	if line != "v1" {
		t.Errorf("the access log says %q, want the mapping key", line)
	}
}
