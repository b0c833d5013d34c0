package provider

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"

	"items-api/internal/localcloud/state"
)

// plane is a data plane that notes what it is told.
type plane struct {
	Cloud
	fail  error
	port  error
	calls []string
	zip   []byte // the package that was stored last
}

func (p *plane) note(format string, args ...any) error {
	p.calls = append(p.calls, fmt.Sprintf(format, args...))
	return p.fail
}
func (p *plane) CheckPackage([]byte) error { return nil }
func (p *plane) CheckPort(string) error    { return p.port }
func (p *plane) StorePackage(zip []byte) (Package, error) {
	p.zip = zip
	sum := fmt.Sprintf("%x", sha256.Sum256(zip))
	return Package{sum + ".zip", sum, int64(len(zip))}, nil
}
func (p *plane) ApplyFunction(_ context.Context, name string) error {
	return p.note("apply function %s", name)
}
func (p *plane) RemoveFunction(_ context.Context, name string) error {
	return p.note("remove function %s", name)
}
func (p *plane) ApplyAPI(_ context.Context, _ string) error  { return p.note("apply api") }
func (p *plane) RemoveAPI(_ context.Context, _ string) error { return p.note("remove api") }
func (p *plane) Discover(context.Context, string) error      { return nil }
func (p *plane) ApplyPool(context.Context, string) error     { return nil }
func (p *plane) RemovePool(context.Context, string) error    { return nil }
func (p *plane) RemoveLogGroup(_ context.Context, name string) error {
	return p.note("remove log group %s", name)
}
func (p *plane) OpenAPI(context.Context, string, string) (int, string, error) {
	return 8080, "http://127.0.0.1:8080", nil
}

func server(t *testing.T) (*Server, *plane) {
	t.Helper()
	store, err := state.Open(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	cloud := &plane{}
	var n atomic.Int64
	p, err := New(Config{
		Region:      "us-east-1",
		Store:       store,
		Cloud:       cloud,
		Now:         time.Now,
		Concurrency: 1000,
		ID:          func(int) string { return fmt.Sprint("id", n.Add(1)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return NewServer(p, Own), cloud
}

func encode(t *testing.T, m resource.PropertyMap) *structpb.Struct {
	t.Helper()
	s, err := plugin.MarshalProperties(m, marshalling)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func urn(token, name string) string { return "urn:pulumi:dev::test::" + token + "::" + name }

// checked validates inputs and fails the test on a problem.
func checked(
	t *testing.T,
	s *Server,
	token, name string,
	olds *structpb.Struct,
	in resource.PropertyMap,
) *structpb.Struct {
	t.Helper()
	out, problems := check(t, s, token, name, olds, in)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", token, problems)
	}
	return out
}

func check(
	t *testing.T,
	s *Server,
	token, name string,
	olds *structpb.Struct,
	in resource.PropertyMap,
) (*structpb.Struct, []string) {
	t.Helper()
	r, err := s.Check(t.Context(), &pulumirpc.CheckRequest{
		Urn:        urn(token, name),
		Olds:       olds,
		News:       encode(t, in),
		RandomSeed: []byte("seedseed"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, f := range r.Failures {
		problems = append(problems, strings.TrimPrefix(f.Property+": "+f.Reason, ": "))
	}
	return r.Inputs, problems
}

func create(
	t *testing.T,
	s *Server,
	token, name string,
	in resource.PropertyMap,
) (string, values, *structpb.Struct) {
	t.Helper()
	inputs := checked(t, s, token, name, nil, in)
	r, err := s.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(token, name), Properties: inputs})
	if err != nil {
		t.Fatal(err)
	}
	out, err := read(r.Properties)
	if err != nil {
		t.Fatal(err)
	}
	return r.Id, out, inputs
}

func props(pairs map[string]any) resource.PropertyMap { return resource.NewPropertyMapFromMap(pairs) }

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`

func function(t *testing.T, text string) resource.PropertyMap {
	t.Helper()
	a, err := archive.FromAssets(map[string]any{"bootstrap": mustAsset(t, text)})
	if err != nil {
		t.Fatal(err)
	}
	m := props(map[string]any{
		"runtime": "provided.al2023",
		"handler": "bootstrap",
		"role":    "arn:aws:iam::000000000000:role/r",
	})
	m["code"] = resource.NewArchiveProperty(a)
	return m
}

func mustAsset(t *testing.T, text string) *resource.Asset {
	t.Helper()
	a, err := resource.NewTextAsset(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestFunctionIsUpdatedInPlaceAndOnlyForAChange(t *testing.T) {
	t.Parallel()
	s, cloud := server(t)
	create(t, s, roleType, "r", props(map[string]any{"name": "r", "assumeRolePolicy": trust}))
	id, out, inputs := create(t, s, functionType, "f", function(t, "one"))
	if out.str("arn") != "arn:aws:lambda:us-east-1:000000000000:function:"+id ||
		!strings.HasPrefix(id, "f-") {
		t.Errorf("got the function %s with %v", id, out)
	}
	again := checked(t, s, functionType, "f", inputs, function(t, "one"))
	diff := func(news *structpb.Struct) *pulumirpc.DiffResponse {
		r, err := s.Diff(t.Context(), &pulumirpc.DiffRequest{
			Urn:       urn(functionType, "f"),
			Id:        id,
			OldInputs: inputs,
			News:      news,
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if d := diff(again); d.Changes != pulumirpc.DiffResponse_DIFF_NONE {
		t.Errorf("the same inputs differ: %v", d)
	}
	changed := checked(t, s, functionType, "f", inputs, function(t, "two"))
	if d := diff(changed); !cmp.Equal(d.Diffs, []string{"code"}) || len(d.Replaces) > 0 {
		t.Errorf("other code gave %v", d)
	}
	renamed := function(t, "one")
	renamed["name"] = resource.NewStringProperty("g")
	if d := diff(
		checked(t, s, functionType, "f", inputs, renamed),
	); !cmp.Equal(d.Replaces, []string{"name"}) ||
		!d.DeleteBeforeReplace {
		t.Errorf("another name gave %v", d)
	}
	if _, err := s.Update(t.Context(), &pulumirpc.UpdateRequest{
		Urn:  urn(functionType, "f"),
		Id:   id,
		Olds: encode(t, toPulumi(out)),
		News: changed,
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Delete(t.Context(), &pulumirpc.DeleteRequest{
		Urn:        urn(functionType, "f"),
		Id:         id,
		Properties: encode(t, toPulumi(out)),
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{
		"apply function " + id,
		"apply function " + id,
		"remove function " + id,
	}; !cmp.Equal(
		cloud.calls,
		want,
	) {
		t.Errorf("the data plane was told %v, want %v", cloud.calls, want)
	}
}

func TestFailedCreationLeavesNothing(t *testing.T) {
	t.Parallel()
	s, cloud := server(t)
	create(t, s, roleType, "r", props(map[string]any{"name": "r", "assumeRolePolicy": trust}))
	cloud.fail = errors.New("no room")
	_, err := s.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn:        urn(functionType, "f"),
		Properties: checked(t, s, functionType, "f", nil, function(t, "one")),
	})
	if err == nil || !strings.Contains(err.Error(), "no room") || len(s.p.Functions()) > 0 {
		t.Errorf("got %v and the functions %v", err, s.p.Functions())
	}
}

func TestPreviewCreatesNothingAndLeavesOutputsUnknown(t *testing.T) {
	t.Parallel()
	s, cloud := server(t)
	in := checked(t, s, apiType, "a", nil, props(map[string]any{"protocolType": "HTTP"}))
	r, err := s.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn:        urn(apiType, "a"),
		Properties: in,
		Preview:    true,
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := read(r.Properties)
	if err != nil {
		t.Fatal(err)
	}
	if out["apiEndpoint"] != (Unknown{}) || len(cloud.calls) > 0 || len(s.p.Store.List(apiType)) > 0 {
		t.Errorf("got %v, calls %v", out, cloud.calls)
	}
}

func TestProblemsAreNamed(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	key := []any{map[string]any{"name": "PK", "type": "S"}}
	cases := []struct {
		token string
		in    map[string]any
		want  string
	}{
		{"aws:s3/bucket:Bucket", nil, "does not support the resource type aws:s3/bucket:Bucket"},
		{tableType, map[string]any{
			"hashKey":       "PK",
			"attributes":    key,
			"billingMode":   "PAY_PER_REQUEST",
			"streamEnabled": true,
		}, `supports only false for "streamEnabled"`},
		{tableType, map[string]any{
			"hashKey":     "PK",
			"attributes":  key,
			"billingMode": "PAY_PER_REQUEST",
			"replicas":    []any{map[string]any{"regionName": "x"}},
		}, `does not support the property "replicas"`},
		{tableType, map[string]any{
			"hashKey":     "PK",
			"attributes":  key,
			"billingMode": "PAY_PER_REQUEST",
			"colour":      "red",
		}, `does not know the property "colour"`},
		{tableType, map[string]any{
			"hashKey":     "PK",
			"attributes":  append(key[:1:1], map[string]any{"name": "other", "type": "S"}),
			"billingMode": "PAY_PER_REQUEST",
		}, `"other" is no key`},
		{tableType, map[string]any{
			"hashKey":    "PK",
			"attributes": key,
		}, "provisioned tables need readCapacity"},
		{apiType, map[string]any{"protocolType": "WEBSOCKET"}, `supports only "HTTP"`},
		{apiType, map[string]any{}, `missing required property "protocolType"`},
		{apiType, map[string]any{
			"protocolType":      "HTTP",
			"corsConfiguration": map[string]any{"allowCredentials": true, "allowOrigins": []any{"*"}},
		}, "allow-credentials is not supported"},
		{routeType, map[string]any{"apiId": "x", "routeKey": "GET items"}, "begins with /"},
		{routeType, map[string]any{"apiId": "x", "routeKey": "GET /items/"}, "neither text nor a parameter"},
		{stageType, map[string]any{"apiId": "x", "name": "a b"}, "a stage's name"},
		{logGroupType, map[string]any{"retentionInDays": 2}, "must be one of"},
		{roleType, map[string]any{"assumeRolePolicy": "{"}, "MalformedPolicyDocument"},
		{integrationType, map[string]any{
			"apiId":                "x",
			"integrationType":      "HTTP_PROXY",
			"integrationUri":       "arn:aws:lambda:us-east-1:000000000000:function:f",
			"payloadFormatVersion": "2.0",
		}, `supports only "AWS_PROXY"`},
	}
	for _, c := range cases {
		t.Run(c.want, func(t *testing.T) {
			t.Parallel()
			_, problems := check(t, s, c.token, "x", nil, props(c.in))
			if len(problems) != 1 || !strings.Contains(problems[0], c.want) {
				t.Errorf("got %q, want one problem with %q", problems, c.want)
			}
		})
	}
}

func TestGatewaySeesWhatTheRecordsSay(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	api, out, _ := create(t, s, apiType, "a", props(map[string]any{"protocolType": "HTTP"}))
	if out.str("apiEndpoint") != "http://127.0.0.1:8080" {
		t.Errorf("got %v", out)
	}
	integration, _, _ := create(t, s, integrationType, "i", props(map[string]any{
		"apiId":                api,
		"integrationType":      "AWS_PROXY",
		"payloadFormatVersion": "2.0",
		"integrationUri":       "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations",
	}))
	route := map[string]any{"apiId": api, "routeKey": "GET /x", "target": "integrations/" + integration}
	create(t, s, routeType, "r", props(route))
	_, err := s.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn:        urn(routeType, "r2"),
		Properties: checked(t, s, routeType, "r2", nil, props(route)),
	})
	if err == nil || !strings.Contains(err.Error(), "ConflictException") {
		t.Errorf("a second route with the same key gave %v", err)
	}
	// A block with one value sends 0 for the other.
	create(t, s, stageType, "s", props(map[string]any{
		"apiId":                api,
		"name":                 "$default",
		"autoDeploy":           true,
		"defaultRouteSettings": map[string]any{"throttlingRateLimit": 5},
	}))
	a, err := s.p.API(api)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Live.Routes) != 1 ||
		a.Live.Integrations[0].FunctionARN != "arn:aws:lambda:us-east-1:000000000000:function:f" ||
		a.Live.Integrations[0].Timeout != 30*time.Second {
		t.Errorf("got %+v", a.Live)
	}
	if d := a.Stages[0].Default; !d.Set || d.Rate != 5 || d.Burst != 0 || a.Stages[0].Deployed != nil {
		t.Errorf("got the stage %+v", a.Stages[0])
	}
}

func TestReservationLeavesTheAccountItsMinimum(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	create(t, s, roleType, "r", props(map[string]any{"name": "r", "assumeRolePolicy": trust}))
	in := function(t, "one")
	in["reservedConcurrentExecutions"] = resource.NewNumberProperty(901)
	err := attempt(t, s, functionType, "f", in)
	if err == nil || !strings.Contains(err.Error(), "below its minimum value of [100]") ||
		!strings.Contains(err.Error(), "at most 900") {
		t.Errorf("got %v", err)
	}
}
