package provider

import (
	"fmt"
	"strings"
	"time"

	"items-api/internal/localcloud/gateway"
	"items-api/internal/localcloud/state"
)

// managedIntegration is the id of what quick create made for an API.
const managedIntegration = "quickcreate"

// quickCreated returns the route and the integration that an API's target made.
// AWS keeps them as parts of the API that are managed by the gateway; they
// change and go with it. The payload format is 2.0: users who want 1.0 override
// it (adamchainz/apig-wsgi#149). Source of the rest: API Gateway API reference,
// CreateApi.
func (p *Provider) quickCreated(api state.Record) (gateway.Route, gateway.Integration, bool) {
	v := values(api.Properties)
	if !v.has("target") {
		return gateway.Route{}, gateway.Integration{}, false
	}
	route := gateway.Route{Key: quickKey(v), IntegrationID: managedIntegration}
	integration := gateway.Integration{
		ID:                   managedIntegration,
		Type:                 "AWS_PROXY",
		FunctionARN:          p.functionARN(v.str("target")),
		PayloadFormatVersion: "2.0",
		Timeout:              30 * time.Second,
	}
	return route, integration, true
}

// quickKey is the route key of an API's quick create, "" without one.
func quickKey(api values) string {
	switch {
	case !api.has("target"):
		return ""
	case api.has("routeKey"):
		return api.str("routeKey")
	default:
		return "$default"
	}
}

// quickCreate returns the properties of the API that make quick create.
func (p *Provider) quickCreate(apiID string) values {
	r, err := p.Store.Get(apiType, apiID)
	if err != nil {
		return values{}
	}
	return values(r.Properties)
}

// stageExists reports whether an API has a stage, of its own or made by quick
// create.
func (p *Provider) stageExists(apiID, name string) bool {
	if _, err := p.Store.Get(stageType, apiID+"/"+name); err == nil {
		return true
	}
	return name == "$default" && p.quickCreate(apiID).has("target")
}

func checkAPI(_ *Provider, in values) []Failure {
	if in.has("routeKey") && !in.has("target") {
		return []Failure{{
			Property: "routeKey",
			Reason:   "routeKey is part of quick create and needs target, the ARN of a function",
		}}
	}
	return nil
}

func checkTarget(v any) error {
	target, _ := v.(string)
	if strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://") {
		return fmt.Errorf("only functions are integrated locally: give the ARN of a function, not %q", target)
	}
	if !strings.Contains(target, ":function:") {
		return fmt.Errorf("the target of quick create is the ARN of a function, not %q", target)
	}
	return functionName(FunctionName(target))
}
