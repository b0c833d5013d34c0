package provider

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"

	"items-api/internal/localcloud/gateway"
	"items-api/internal/localcloud/state"
)

func (p *plane) ApplyDomain(_ context.Context, name string) error {
	return p.note("apply domain %s", name)
}
func (p *plane) RemoveDomain(_ context.Context, name string) error {
	return p.note("remove domain %s", name)
}

// served is a data plane with a real gateway in it.
type served struct {
	*plane
	g *gateway.Gateway
	p *Provider
}

func (s *served) ApplyAPI(_ context.Context, id string) error {
	a, err := s.p.API(id)
	if err != nil {
		return err
	}
	return s.g.Put(a)
}
func (s *served) RemoveAPI(_ context.Context, id string) error { s.g.Remove(id); return nil }
func (s *served) ApplyDomain(_ context.Context, name string) error {
	d, err := s.p.Domain(name)
	if err != nil {
		return err
	}
	s.g.PutDomain(d)
	return nil
}
func (s *served) RemoveDomain(_ context.Context, name string) error {
	s.g.RemoveDomain(name)
	return nil
}

// echo answers with the event.
type echo struct{}

func (echo) Invoke(_ context.Context, in gateway.Invocation) (gateway.Result, error) {
	out, err := json.Marshal(map[string]any{"statusCode": 200, "body": string(in.Payload)})
	return gateway.Result{Payload: out}, err
}

func serve(s *Server, cloud *plane) *gateway.Gateway {
	g := gateway.New(gateway.Config{Invoker: echo{}, Now: time.Now})
	s.p.Cloud = &served{cloud, g, s.p}
	return g
}

type seen struct {
	RawPath, RouteKey string
	RequestContext    struct {
		APIID, DomainName, DomainPrefix, Stage string
		HTTP                                   struct{ Path string }
	}
}

func get(t *testing.T, url, host string) (int, string, seen) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		q.Host = host
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	var e seen
	if r.StatusCode == http.StatusOK {
		if err := json.Unmarshal(body, &e); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
	}
	return r.StatusCode, string(body), e
}

func tryCreate(t *testing.T, s *Server, token string, in map[string]any) error {
	t.Helper()
	_, err := s.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn:        urn(token, "x"),
		Properties: checked(t, s, token, "x", nil, props(in)),
	})
	return err
}

func remove(t *testing.T, s *Server, token, id string, out values) error {
	t.Helper()
	_, err := s.Delete(t.Context(), &pulumirpc.DeleteRequest{
		Urn:        urn(token, "x"),
		Id:         id,
		Properties: encode(t, toPulumi(out)),
	})
	return err
}

func alter(
	t *testing.T,
	s *Server,
	token, id string,
	out values,
	olds *structpb.Struct,
	in resource.PropertyMap,
) {
	t.Helper()
	_, err := s.Update(t.Context(), &pulumirpc.UpdateRequest{
		Urn:  urn(token, "x"),
		Id:   id,
		Olds: encode(t, toPulumi(out)),
		News: checked(t, s, token, "x", olds, in),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// api makes an API with the route GET /x and a stage, and returns its id.
func api(t *testing.T, s *Server, name, stage string) string {
	t.Helper()
	id, _, _ := create(t, s, apiType, name, props(map[string]any{"protocolType": "HTTP"}))
	integration, _, _ := create(t, s, integrationType, name, props(map[string]any{
		"apiId":                id,
		"integrationType":      "AWS_PROXY",
		"payloadFormatVersion": "2.0",
		"integrationUri":       "arn:aws:lambda:us-east-1:000000000000:function:f",
	}))
	create(t, s, routeType, name, props(map[string]any{
		"apiId":    id,
		"routeKey": "GET /x",
		"target":   "integrations/" + integration,
	}))
	create(t, s, stageType, name, props(map[string]any{"apiId": id, "name": stage, "autoDeploy": true}))
	return id
}

const foreign = "arn:aws:acm:us-east-1:111122223333:certificate/0b2c"

func domainOf(name, certificate string) map[string]any {
	return map[string]any{
		"domainName": name,
		"domainNameConfiguration": map[string]any{
			"certificateArn": certificate,
			"endpointType":   "REGIONAL",
			"securityPolicy": "TLS_1_2",
		},
	}
}

func TestCustomDomainLeadsToTheMappedStageOfAnyAPI(t *testing.T) {
	t.Parallel()
	s, cloud := server(t)
	g := serve(s, cloud)
	one, two := api(t, s, "one", "$default"), api(t, s, "two", "dev")
	front := httptest.NewServer(g.Handler(one))
	defer front.Close()
	create(t, s, domainType, "d", props(domainOf("api.example.com", foreign)))
	if status, body, _ := get(
		t,
		front.URL+"/x",
		"api.example.com",
	); status != 403 ||
		body != `{"message":"Forbidden"}` {
		t.Errorf("a domain without mappings answered %d %s", status, body)
	}
	create(t, s, mappingType, "one", props(map[string]any{
		"apiId":      one,
		"domainName": "api.example.com",
		"stage":      "$default",
	}))
	id, out, inputs := create(t, s, mappingType, "two", props(map[string]any{
		"apiId":         two,
		"domainName":    "api.example.com",
		"stage":         "dev",
		"apiMappingKey": "orders",
	}))
	check := func(path, api, raw string) {
		t.Helper()
		status, body, e := get(t, front.URL+path, "API.example.com:8443")
		c := e.RequestContext
		if status != 200 || c.APIID != api || e.RawPath != raw || c.HTTP.Path != raw ||
			e.RouteKey != "GET /x" ||
			!strings.EqualFold(c.DomainName, "api.example.com") ||
			!strings.EqualFold(c.DomainPrefix, "api") {
			t.Errorf("%s got %d %s, want the API %s and the path %s", path, status, body, api, raw)
		}
	}
	check("/x", one, "/x")
	check("/orders/x", two, "/dev/x")
	// The name of no domain leads nowhere: it may be a page's that was pointed
	// at this machine.
	if status, body, _ := get(t, front.URL+"/x", "other.example.com"); status != 403 {
		t.Errorf("another host got %d %s", status, body)
	}
	alter(t, s, mappingType, id, out, inputs, props(map[string]any{
		"apiId":         two,
		"domainName":    "api.example.com",
		"stage":         "dev",
		"apiMappingKey": "v2/orders",
	}))
	check("/v2/orders/x", two, "/dev/x")
	if err := remove(t, s, mappingType, id, out); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := get(t, front.URL+"/v2/orders/x", "api.example.com"); status != 404 {
		t.Errorf("a mapping that is gone got %d, want the route of the first API to be missing", status)
	}
}

func TestDisabledEndpointIsServedByItsDomainOnly(t *testing.T) {
	t.Parallel()
	s, cloud := server(t)
	g := serve(s, cloud)
	id := api(t, s, "one", "$default")
	front := httptest.NewServer(g.Handler(id))
	defer front.Close()
	_, domain, _ := create(t, s, domainType, "d", props(domainOf("*.example.com", foreign)))
	create(t, s, mappingType, "m", props(map[string]any{
		"apiId":      id,
		"domainName": "*.example.com",
		"stage":      "$default",
	}))
	rec, err := s.p.Store.Get(apiType, id)
	if err != nil {
		t.Fatal(err)
	}
	alter(t, s, apiType, id, rec.Properties, nil, props(map[string]any{
		"name":                      rec.Properties["name"],
		"protocolType":              "HTTP",
		"disableExecuteApiEndpoint": true,
	}))
	if status, body, _ := get(t, front.URL+"/x", ""); status != 404 || body != `{"message":"Not Found"}` {
		t.Errorf("the default endpoint answered %d %s", status, body)
	}
	if status, body, _ := get(t, front.URL+"/x", "a.example.com"); status != 200 {
		t.Errorf("the domain answered %d %s", status, body)
	}
	for _, host := range []string{"a.b.example.com", "example.com"} {
		if status, _, _ := get(t, front.URL+"/x", host); status != 403 {
			t.Errorf("%s, which the wildcard does not stand for, got %d", host, status)
		}
	}
	if err := remove(t, s, domainType, "*.example.com", domain); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := get(
		t,
		front.URL+"/x",
		"a.example.com",
	); status != 403 ||
		len(s.p.Store.List(mappingType)) > 0 {
		t.Errorf("the domain that is gone got %d, with the mappings %v", status, s.p.Store.List(mappingType))
	}
}

func TestDomainsAndMappingsSurviveARestart(t *testing.T) {
	t.Parallel()
	s, cloud := server(t)
	dir := t.TempDir()
	store, err := state.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s.p.Store = store
	serve(s, cloud)
	id := api(t, s, "one", "dev")
	create(t, s, domainType, "d", props(domainOf("api.example.com", foreign)))
	create(t, s, mappingType, "m", props(map[string]any{
		"apiId":         id,
		"domainName":    "api.example.com",
		"stage":         "dev",
		"apiMappingKey": "a",
	}))
	if store, err = state.Open(dir, time.Now); err != nil {
		t.Fatal(err)
	}
	p, err := New(Config{Region: "us-east-1", Store: store, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	names := p.Domains()
	if len(names) != 1 {
		t.Fatalf("got the domains %v", names)
	}
	d, err := p.Domain(names[0])
	if want := (gateway.Mapping{
		Key:   "a",
		APIID: id,
		Stage: "dev",
	}); err != nil || d.Name != "api.example.com" || len(d.Mappings) != 1 || d.Mappings[0] != want {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestDomainThatAWSWouldRefuseIsNotCreated(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	id := api(t, s, "one", "$default")
	create(t, s, domainType, "d", props(domainOf("api.example.com", foreign)))
	mapped := func(api, domain, stage, key string) map[string]any {
		return map[string]any{"apiId": api, "domainName": domain, "stage": stage, "apiMappingKey": key}
	}
	create(t, s, mappingType, "m", props(mapped(id, "api.example.com", "$default", "a")))
	certificate, _, _ := create(t, s, certificateType, "c", props(map[string]any{
		"domainName":       "b.example.com",
		"validationMethod": "DNS",
	}))
	for want, in := range map[string]struct {
		token string
		in    map[string]any
	}{
		"The domain name you provided already exists": {domainType, domainOf("api.example.com", foreign)},
		"does not exist in this cloud":                {domainType, domainOf("b.example.com", "arn:aws:acm:us-east-1:000000000000:certificate/none")},
		"has the status PENDING_VALIDATION":           {domainType, domainOf("b.example.com", certificate)},
		"Invalid domain name identifier specified":    {mappingType, mapped(id, "none.example.com", "$default", "")},
		"Invalid API identifier specified":            {mappingType, mapped("none", "api.example.com", "$default", "")},
		"Invalid stage identifier specified":          {mappingType, mapped(id, "api.example.com", "none", "")},
		"ApiMapping key already exists":               {mappingType, mapped(id, "api.example.com", "$default", "a")},
	} {
		if err := tryCreate(t, s, in.token, in.in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	create(t, s, validationType, "v", props(map[string]any{"certificateArn": certificate}))
	if err := tryCreate(
		t,
		s,
		domainType,
		domainOf("c.example.com", certificate),
	); err == nil ||
		!strings.Contains(err.Error(), "is for b.example.com, not for c.example.com") {
		t.Errorf("got %v", err)
	}
	create(t, s, domainType, "b", props(domainOf("b.example.com", certificate)))
	for want, r := range map[string]struct{ token, id string }{
		"is in use":                      {certificateType, certificate},
		"Deleting API":                   {apiType, id},
		"Deleting stage $default failed": {stageType, "$default"},
	} {
		out := values{"apiId": id}
		if err := remove(t, s, r.token, r.id, out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("deleting the %s got %v, want %s", r.token, err, want)
		}
	}
	for _, key := range []string{"/a", "a/", "a//b", "a b"} {
		if _, problems := check(
			t,
			s,
			mappingType,
			"x",
			nil,
			props(mapped(id, "api.example.com", "$default", key)),
		); len(problems) != 1 ||
			!strings.Contains(problems[0], "mapping key") {
			t.Errorf("the key %q got %v", key, problems)
		}
	}
}

func TestDomainsTargetIsUnknownUntilItExistsAndKeptThen(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	in := checked(t, s, domainType, "d", nil, props(domainOf("api.example.com", foreign)))
	r, err := s.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn:        urn(domainType, "d"),
		Properties: in,
		Preview:    true,
	})
	if err != nil {
		t.Fatal(err)
	}
	planned, err := read(r.Properties)
	if err != nil || planned.object("domainNameConfiguration")["targetDomainName"] != (Unknown{}) {
		t.Errorf("got %v, %v", planned, err)
	}
	id, out, inputs := create(t, s, domainType, "d", props(domainOf("api.example.com", foreign)))
	target := out.object("domainNameConfiguration").str("targetDomainName")
	if id != "api.example.com" || !strings.HasPrefix(target, "d-") ||
		!strings.HasSuffix(target, ".execute-api.us-east-1.amazonaws.com") {
		t.Errorf("got %s with %v", id, out)
	}
	other := domainOf("api.example.com", foreign)
	other["mutualTlsAuthentication"] = map[string]any{"truststoreUri": "s3://bucket/ca.pem"}
	for _, preview := range []bool{true, false} {
		u, err := s.Update(t.Context(), &pulumirpc.UpdateRequest{
			Urn:     urn(domainType, "d"),
			Id:      id,
			Preview: preview,
			Olds:    encode(t, toPulumi(out)),
			News:    checked(t, s, domainType, "d", inputs, props(other)),
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := read(
			u.Properties,
		); err != nil ||
			got.object("domainNameConfiguration").str("targetDomainName") != target {
			t.Errorf("with preview %v got %v, %v", preview, got, err)
		}
	}
}
