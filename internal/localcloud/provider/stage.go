package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"items-api/internal/localcloud/gateway"
	"items-api/internal/localcloud/state"
)

func createStage(_ context.Context, p *Provider, in values) (state.Record, error) {
	if err := p.apiExists(in.str("apiId")); err != nil {
		return state.Record{}, err
	}
	if p.stageExists(in.str("apiId"), in.str("name")) {
		return state.Record{}, fmt.Errorf("ConflictException: Stage already exists: %s", in.str("name"))
	}
	if len(p.children(stageType, in.str("apiId"))) >= 10 {
		return state.Record{}, fmt.Errorf("TooManyRequestsException: an API has at most 10 stages")
	}
	props, err := p.stageOutputs(in)
	return state.Record{ID: in.str("name"), Properties: props}, err
}

func updateStage(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
	props, err := p.stageOutputs(in)
	return state.Record{Properties: props, Private: old.Private}, err
}

func (p *Provider) stageOutputs(in values) (map[string]any, error) {
	id, name := in.str("apiId"), in.str("name")
	api, err := p.Store.Get(apiType, id)
	if err != nil {
		return nil, err
	}
	if d := in.str("deploymentId"); d != "" {
		if r, err := p.Store.Get(deploymentType, d); err != nil || values(r.Properties).str("apiId") != id {
			return nil, fmt.Errorf("NotFoundException: Invalid deployment identifier specified %s", d)
		}
	}
	if log := in.object("accessLogSettings"); log != nil {
		if err := p.logGroupExists(log.str("destinationArn")); err != nil {
			return nil, err
		}
	}
	for _, e := range in.list("routeSettings") {
		if key := values(e.(map[string]any)).str("routeKey"); !p.hasRoute(id, key) {
			return nil, fmt.Errorf(
				"NotFoundException: Unable to find Route by key %s within the provided RouteSettings: let "+
					"the stage depend on its routes",
				key,
			)
		}
	}
	props := base(in)
	props["arn"] = fmt.Sprintf("arn:%s:apigateway:%s::/apis/%s/stages/%s", Partition, p.Region, id, name)
	props["executionArn"] = p.arn("execute-api", id+"/"+name)
	props["invokeUrl"] = invokeURL(values(api.Properties).str("apiEndpoint"), name)
	props["tagsAll"] = tagsOf(in)
	if !in.has("deploymentId") {
		props["deploymentId"] = ""
	}
	return props, nil
}

func (p *Provider) hasRoute(apiID, key string) bool {
	for _, r := range p.children(routeType, apiID) {
		if values(r.Properties).str("routeKey") == key {
			return true
		}
	}
	return key != "" && quickKey(p.quickCreate(apiID)) == key
}

func (p *Provider) logGroupExists(arn string) error {
	for _, r := range p.Store.List(logGroupType) {
		if values(r.Properties).str("arn") == strings.TrimSuffix(arn, ":*") {
			return nil
		}
	}
	return fmt.Errorf(
		"BadRequestException: the access log destination %s is no log group of this cloud; Firehose "+
			"streams are not supported locally",
		arn,
	)
}

// API returns what the gateway must know of an API.
func (p *Provider) API(id string) (gateway.API, error) {
	r, err := p.Store.Get(apiType, id)
	if err != nil {
		return gateway.API{}, err
	}
	v := values(r.Properties)
	live, err := p.live(id)
	if err != nil {
		return gateway.API{}, err
	}
	out := gateway.API{
		ID:                        id,
		Name:                      v.str("name"),
		AccountID:                 Account,
		Region:                    p.Region,
		DisableExecuteAPIEndpoint: v.boolean("disableExecuteApiEndpoint"),
		Live:                      live,
	}
	for _, s := range p.children(stageType, id) {
		stage, err := p.gatewayStage(s)
		if err != nil {
			return out, err
		}
		out.Stages = append(out.Stages, stage)
	}
	if v.has("target") {
		// Quick create's stage is deployed automatically.
		out.Stages = append(out.Stages, gateway.Stage{Name: "$default"})
	}
	return out, nil
}

// Address is where an API is served.
type Address struct {
	ID   string
	URN  string
	URL  string
	Port int
}

// APIs returns all APIs by their ports.
func (p *Provider) APIs() ([]Address, error) {
	var out []Address
	for _, r := range p.Store.List(apiType) {
		port, err := strconv.Atoi(r.Private[privatePort])
		if err != nil {
			return nil, fmt.Errorf("the record of the API %s has no port: %w", r.ID, err)
		}
		out = append(out, Address{
			ID:   r.ID,
			URN:  r.Private[privateURN],
			URL:  values(r.Properties).str("apiEndpoint"),
			Port: port,
		})
	}
	slices.SortFunc(out, func(a, b Address) int { return a.Port - b.Port })
	return out, nil
}

// Move notes that an API is served somewhere else.
func (p *Provider) Move(id string, port int, url string) error {
	p.mutate.Lock()
	defer p.mutate.Unlock()
	r, err := p.Store.Get(apiType, id)
	if err != nil {
		return err
	}
	r.Private[privatePort] = strconv.Itoa(port)
	r.Properties["apiEndpoint"] = url
	if err := p.Store.Put(r); err != nil {
		return err
	}
	for _, s := range p.children(stageType, id) {
		s.Properties["invokeUrl"] = invokeURL(url, s.ID)
		if err := p.Store.Put(s); err != nil {
			return err
		}
	}
	return nil
}

func invokeURL(endpoint, stage string) string {
	if stage == "$default" {
		return endpoint + "/"
	}
	return endpoint + "/" + stage
}

func (p *Provider) gatewayStage(r state.Record) (gateway.Stage, error) {
	v := values(r.Properties)
	out := gateway.Stage{
		Name:           r.ID,
		Variables:      v.stringMap("stageVariables"),
		RouteThrottles: map[string]gateway.Throttle{},
	}
	if d := v.object("defaultRouteSettings"); d != nil {
		out.Default = throttle(d)
	}
	for _, e := range v.list("routeSettings") {
		s := values(e.(map[string]any))
		out.RouteThrottles[s.str("routeKey")] = throttle(s)
	}
	if l := v.object("accessLogSettings"); l != nil {
		name := l.str("destinationArn")
		_, name, _ = strings.Cut(name, ":log-group:")
		out.AccessLog = &gateway.AccessLog{
			Format:      l.str("format"),
			Destination: strings.TrimSuffix(name, ":*"),
		}
	}
	if v.boolean("autoDeploy") {
		return out, nil
	}
	out.Deployed = &gateway.Snapshot{}
	if d := v.str("deploymentId"); d != "" {
		dep, err := p.Store.Get(deploymentType, d)
		if err != nil {
			return out, err
		}
		if err := json.Unmarshal([]byte(dep.Private[privateSnapshot]), out.Deployed); err != nil {
			return out, fmt.Errorf("reading the deployment %s: %w", d, err)
		}
	}
	return out, nil
}

// throttle reads a block of route settings. A value that the block leaves out
// is sent as 0, which rejects every request.
func throttle(v values) gateway.Throttle {
	return gateway.Throttle{
		Rate:  v.number("throttlingRateLimit"),
		Burst: int(v.number("throttlingBurstLimit")),
		Set:   true,
	}
}

func cors(v values) *gateway.CORS {
	return &gateway.CORS{
		AllowOrigins:     v.strings("allowOrigins"),
		AllowMethods:     v.strings("allowMethods"),
		AllowHeaders:     v.strings("allowHeaders"),
		ExposeHeaders:    v.strings("exposeHeaders"),
		MaxAge:           int(v.number("maxAge")),
		AllowCredentials: v.boolean("allowCredentials"),
	}
}

func gatewayRoute(r state.Record) gateway.Route {
	v := values(r.Properties)
	return gateway.Route{
		Key:           v.str("routeKey"),
		IntegrationID: strings.TrimPrefix(v.str("target"), "integrations/"),
		OperationName: v.str("operationName"),
		Authorization: v.str("authorizationType"),
		AuthorizerID:  v.str("authorizerId"),
		Scopes:        v.strings("authorizationScopes"),
	}
}

// functionARN takes the ARN out of an integration's or authorizer's URI.
func (p *Provider) functionARN(uri string) string {
	_, rest, ok := strings.Cut(uri, "/functions/")
	if !ok {
		return uri
	}
	arn, _, _ := strings.Cut(rest, "/invocations")
	return arn
}

func (p *Provider) gatewayIntegration(r state.Record) gateway.Integration {
	v := values(r.Properties)
	return gateway.Integration{
		ID:                   r.ID,
		Type:                 v.str("integrationType"),
		FunctionARN:          p.functionARN(v.str("integrationUri")),
		PayloadFormatVersion: v.str("payloadFormatVersion"),
		Timeout:              time.Duration(v.number("timeoutMilliseconds")) * time.Millisecond,
	}
}
