package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"items-api/internal/localcloud/gateway"
	"items-api/internal/localcloud/state"
)

const (
	privatePort     = "port"
	privateSnapshot = "snapshot"
)

// freePort tests that the API can be served, before anything is created.
func freePort(p *Provider, urn string, _ values) []Failure {
	if err := p.Cloud.CheckPort(urn); err != nil {
		return []Failure{{Reason: err.Error()}}
	}
	return nil
}

func createAPI(ctx context.Context, p *Provider, in values) (state.Record, error) {
	id := p.ID(10)
	port, url, err := p.Cloud.OpenAPI(ctx, id, creating(ctx))
	if err != nil {
		return state.Record{}, err
	}
	return state.Record{
		ID:         id,
		Properties: p.apiOutputs(id, url, in),
		Private:    map[string]string{privatePort: strconv.Itoa(port)},
	}, nil
}

func (p *Provider) apiOutputs(id, url string, in values) map[string]any {
	props := base(in)
	props["apiEndpoint"] = url
	props["arn"] = fmt.Sprintf("arn:%s:apigateway:%s::/apis/%s", Partition, p.Region, id)
	props["executionArn"] = p.arn("execute-api", id)
	props["tagsAll"] = tagsOf(in)
	if !in.has("ipAddressType") {
		props["ipAddressType"] = "ipv4"
	}
	return props
}

func updateAPI(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
	return state.Record{
		Properties: p.apiOutputs(old.ID, values(old.Properties).str("apiEndpoint"), in),
		Private:    old.Private,
	}, nil
}

func applyAPI(ctx context.Context, p *Provider, r state.Record) error {
	return p.Cloud.ApplyAPI(ctx, r.ID)
}

// removedAPI also removes what belonged to the API, as AWS does.
func removedAPI(ctx context.Context, p *Provider, r state.Record) error {
	for _, t := range []string{routeType, authorizerType, integrationType, stageType, deploymentType} {
		for _, c := range p.children(t, r.ID) {
			if err := p.Store.Delete(t, c.Key); err != nil {
				return err
			}
		}
	}
	return p.Cloud.RemoveAPI(ctx, r.ID)
}

// children returns the records of a type that belong to an API.
func (p *Provider) children(token, apiID string) []state.Record {
	var out []state.Record
	for _, r := range p.Store.List(token) {
		if values(r.Properties).str("apiId") == apiID {
			out = append(out, r)
		}
	}
	return out
}

func (p *Provider) apiExists(id string) error {
	if _, err := p.Store.Get(apiType, id); err != nil {
		return fmt.Errorf("NotFoundException: Invalid API identifier specified %s", id)
	}
	return nil
}

// applyChild makes a change to a part of an API effective.
func applyChild(ctx context.Context, p *Provider, r state.Record) error {
	id := values(r.Properties).str("apiId")
	if p.apiExists(id) != nil {
		return nil // it went with its API
	}
	return p.Cloud.ApplyAPI(ctx, id)
}

// child returns the creation of a part of an API that has a made-up id.
func child(
	n int,
	check func(p *Provider, id string, in values) error,
) func(context.Context, *Provider, values) (state.Record, error) {
	return func(_ context.Context, p *Provider, in values) (state.Record, error) {
		if err := p.apiExists(in.str("apiId")); err != nil {
			return state.Record{}, err
		}
		id := p.ID(n)
		return state.Record{ID: id, Properties: childOutputs(in)}, check(p, id, in)
	}
}

func childUpdate(
	check func(p *Provider, id string, in values) error,
) func(context.Context, *Provider, state.Record, values) (state.Record, error) {
	return func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
		return state.Record{Properties: childOutputs(in), Private: old.Private}, check(p, old.ID, in)
	}
}

// childOutputs fills in what AWS chooses.
func childOutputs(in values) map[string]any {
	props := base(in)
	if in.has("integrationType") {
		props["integrationResponseSelectionExpression"] = ""
		if !in.has("timeoutMilliseconds") {
			props["timeoutMilliseconds"] = 30000.0
		}
	}
	return props
}

func checkIntegration(p *Provider, _ string, in values) error {
	name := FunctionName(in.str("integrationUri"))
	if !strings.Contains(in.str("integrationUri"), ":function:") || functionName(name) != nil {
		return fmt.Errorf(
			"BadRequestException: Invalid function ARN or invalid uri: %q; use the function's "+
				"arn or invokeArn",
			in.str("integrationUri"),
		)
	}
	return nil
}

func unusedIntegration(_ context.Context, p *Provider, r state.Record) error {
	for _, route := range p.children(routeType, values(r.Properties).str("apiId")) {
		if values(route.Properties).str("target") == "integrations/"+r.ID {
			return fmt.Errorf(
				"ConflictException: Cannot delete Integration '%s' due to the reference from Route '%s'",
				r.ID,
				values(route.Properties).str("routeKey"),
			)
		}
	}
	return nil
}

func checkRoute(p *Provider, id string, in values) error {
	api, taken := in.str("apiId"), false
	for _, r := range p.children(routeType, api) {
		taken = taken || r.ID != id && values(r.Properties).str("routeKey") == in.str("routeKey")
	}
	if taken || quickKey(p.quickCreate(api)) == in.str("routeKey") {
		return fmt.Errorf(
			"ConflictException: Route with key %s already exists for this API",
			in.str("routeKey"),
		)
	}
	if target := in.str("target"); target != "" {
		r, err := p.Store.Get(integrationType, strings.TrimPrefix(target, "integrations/"))
		if err != nil || values(r.Properties).str("apiId") != api {
			return fmt.Errorf(
				"NotFoundException: Invalid integration identifier specified %s",
				strings.TrimPrefix(target, "integrations/"),
			)
		}
	}
	return p.checkRouteAuthorization(in)
}

// createDeployment fixes the API as it is now.
func createDeployment(_ context.Context, p *Provider, in values) (state.Record, error) {
	if err := p.apiExists(in.str("apiId")); err != nil {
		return state.Record{}, err
	}
	live, err := p.live(in.str("apiId"))
	if err != nil {
		return state.Record{}, err
	}
	if len(live.Routes) == 0 {
		return state.Record{}, fmt.Errorf(
			"BadRequestException: At least one route is required before deploying the Api: let the " +
				"deployment depend on the routes",
		)
	}
	data, err := json.Marshal(live)
	if err != nil {
		return state.Record{}, fmt.Errorf("encoding the deployment: %w", err)
	}
	props := base(in)
	props["autoDeployed"] = false
	return state.Record{
		ID:         p.ID(6),
		Properties: props,
		Private:    map[string]string{privateSnapshot: string(data)},
	}, nil
}

func updateDeployment(_ context.Context, _ *Provider, old state.Record, in values) (state.Record, error) {
	props := base(in)
	props["autoDeployed"] = false
	return state.Record{Properties: props, Private: old.Private}, nil
}

func unusedDeployment(_ context.Context, p *Provider, r state.Record) error {
	for _, s := range p.children(stageType, values(r.Properties).str("apiId")) {
		if values(s.Properties).str("deploymentId") == r.ID {
			return fmt.Errorf(
				"BadRequestException: Active stages with deployment %s must be moved or deleted first: "+
					"the stage %s uses it",
				r.ID,
				s.ID,
			)
		}
	}
	return nil
}

// live returns the API's configuration as it is now.
func (p *Provider) live(id string) (gateway.Snapshot, error) {
	var out gateway.Snapshot
	api, err := p.Store.Get(apiType, id)
	if err != nil {
		return out, err
	}
	if c := values(api.Properties).object("corsConfiguration"); c != nil {
		out.CORS = cors(c)
	}
	for _, r := range p.children(routeType, id) {
		out.Routes = append(out.Routes, gatewayRoute(r))
	}
	for _, r := range p.children(integrationType, id) {
		out.Integrations = append(out.Integrations, p.gatewayIntegration(r))
	}
	for _, r := range p.children(authorizerType, id) {
		out.Authorizers = append(out.Authorizers, gatewayAuthorizer(p, r))
	}
	if route, integration, ok := p.quickCreated(api); ok {
		out.Routes = append(out.Routes, route)
		out.Integrations = append(out.Integrations, integration)
	}
	slices.SortFunc(out.Routes, func(a, b gateway.Route) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}
