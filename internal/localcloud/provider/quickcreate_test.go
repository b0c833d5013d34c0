package provider

import (
	"strings"
	"testing"
)

const quickTarget = "arn:aws:lambda:us-east-1:000000000000:function:f"

func quickAPI(more map[string]any) map[string]any {
	out := map[string]any{"protocolType": "HTTP", "target": quickTarget}
	for k, v := range more {
		out[k] = v
	}
	return out
}

func TestQuickCreateMakesRouteIntegrationAndStage(t *testing.T) {
	t.Parallel()
	for key, in := range map[string]map[string]any{
		"$default": quickAPI(nil),
		"GET /a":   quickAPI(map[string]any{"routeKey": "GET /a"}),
	} {
		s, _ := server(t)
		id, _, _ := create(t, s, apiType, "a", props(in))
		a, err := s.p.API(id)
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Stages) != 1 || a.Stages[0].Name != "$default" || a.Stages[0].Deployed != nil {
			t.Errorf("%s: the stages are %+v", key, a.Stages)
		}
		if len(a.Live.Routes) != 1 || a.Live.Routes[0].Key != key {
			t.Errorf("%s: the routes are %+v", key, a.Live.Routes)
		}
		if len(a.Live.Integrations) != 1 {
			t.Fatalf("%s: the integrations are %+v", key, a.Live.Integrations)
		}
		i := a.Live.Integrations[0]
		if i.ID != a.Live.Routes[0].IntegrationID || i.FunctionARN != quickTarget ||
			i.PayloadFormatVersion != "2.0" {
			t.Errorf("%s: the integration is %+v", key, i)
		}
	}
}

func TestWhatQuickCreateMadeIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	id, _, _ := create(t, s, apiType, "a", props(quickAPI(nil)))
	stage := map[string]any{"apiId": id, "name": "$default", "autoDeploy": true}
	if err := tryCreate(
		t,
		s,
		stageType,
		stage,
	); err == nil ||
		!strings.Contains(err.Error(), "Stage already exists") {
		t.Errorf("a second stage $default gave %v", err)
	}
	route := map[string]any{"apiId": id, "routeKey": "$default"}
	if err := tryCreate(
		t,
		s,
		routeType,
		route,
	); err == nil ||
		!strings.Contains(err.Error(), "already exists") {
		t.Errorf("a second route $default gave %v", err)
	}
	other := map[string]any{
		"apiId": id,
		"name":  "dev",
		"routeSettings": []any{map[string]any{
			"routeKey":             "$default",
			"throttlingRateLimit":  1,
			"throttlingBurstLimit": 1,
		}},
	}
	if err := tryCreate(t, s, stageType, other); err != nil {
		t.Errorf("settings for the route of quick create gave %v", err)
	}
}

func TestQuickCreateThatAWSOrTheLocalCloudCannotDoIsRefused(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	for want, in := range map[string]map[string]any{
		"needs target":                         {"protocolType": "HTTP", "routeKey": "GET /a"},
		"only functions are integrated":        quickAPI(map[string]any{"target": "https://example.com/x"}),
		"is the ARN of a function":             quickAPI(map[string]any{"target": "f"}),
		"a route key is $default or a method":  quickAPI(map[string]any{"routeKey": "FETCH /a"}),
		`not support the property "credential`: quickAPI(map[string]any{"credentialsArn": "arn:aws:iam::000000000000:role/r"}),
	} {
		_, problems := check(t, s, apiType, "a", nil, props(in))
		if len(problems) != 1 || !strings.Contains(problems[0], want) {
			t.Errorf("%v: got %q, want %q", in, problems, want)
		}
	}
}
