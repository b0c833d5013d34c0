package components

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
)

const defaultStage = "$default"

// accessLogFormat has one JSON object for each request.
func accessLogFormat(auth Auth) (string, error) {
	data, err := json.Marshal(map[string]string{
		"requestId":            "$context.requestId",
		"time":                 "$context.requestTime",
		"routeKey":             "$context.routeKey",
		"method":               "$context.httpMethod",
		"path":                 "$context.path",
		"status":               "$context.status",
		"latencyMs":            "$context.responseLatency",
		"integrationLatencyMs": "$context.integrationLatency",
		"integrationError":     "$context.integrationErrorMessage",
		"sourceIp":             "$context.identity.sourceIp",
		"userAgent":            "$context.identity.userAgent",
		"responseLength":       "$context.responseLength",
		"authorizerError":      "$context.authorizer.error",
		"caller":               auth.caller(),
	})
	return string(data), err
}

func (r *RestAPI) addGateway(ctx *pulumi.Context, name string, a RestAPIArgs) (err error) {
	var closed pulumi.BoolPtrInput
	if r.domain != nil {
		closed = pulumi.Bool(true)
	}
	if r.api, err = apigatewayv2.NewApi(ctx, name, &apigatewayv2.ApiArgs{
		ProtocolType:              pulumi.String("HTTP"),
		CorsConfiguration:         a.CORS.configuration(),
		DisableExecuteApiEndpoint: closed,
		Tags:                      pulumi.ToStringMap(a.Tags),
	}, r.child(r.beforeAPI...)...); err != nil {
		return fmt.Errorf("creating the API: %w", err)
	}
	permissions, err := r.addPermissions(ctx, name)
	if err != nil {
		return err
	}
	// The permissions come first, so that no request finds the door closed when
	// the gateway is turned to the alias.
	integration, err := apigatewayv2.NewIntegration(ctx, name, &apigatewayv2.IntegrationArgs{
		ApiId:                r.api.ID(),
		IntegrationType:      pulumi.String("AWS_PROXY"),
		IntegrationUri:       r.alias.InvokeArn,
		PayloadFormatVersion: pulumi.String("2.0"),
		TimeoutMilliseconds:  pulumi.Int((a.TimeoutSeconds + 1) * 1000),
	}, r.child(permissions...)...)
	if err != nil {
		return fmt.Errorf("creating the integration: %w", err)
	}
	guard, err := r.addGuard(ctx, name, a)
	if err != nil {
		return err
	}
	var routes []pulumi.Resource
	for _, route := range api.Routes() {
		made, err := r.addRoute(ctx, name, a.Auth, route, integration, guard)
		if err != nil {
			return err
		}
		routes = append(routes, made)
	}
	format, err := accessLogFormat(a.Auth)
	if err != nil {
		return err
	}
	if r.stage, err = apigatewayv2.NewStage(ctx, name, &apigatewayv2.StageArgs{
		ApiId:      r.api.ID(),
		Name:       pulumi.String(defaultStage),
		AutoDeploy: pulumi.Bool(true),
		// Both values always: a block with one of them sends 0 for the other,
		// and every request gets 429.
		DefaultRouteSettings: apigatewayv2.StageDefaultRouteSettingsArgs{
			ThrottlingRateLimit:  pulumi.Float64(a.ThrottleRate),
			ThrottlingBurstLimit: pulumi.Int(a.ThrottleBurst),
		},
		RouteSettings: a.routeSettings(),
		AccessLogSettings: apigatewayv2.StageAccessLogSettingsArgs{
			DestinationArn: r.accessLog.Arn,
			Format:         pulumi.String(format),
		},
		Tags: pulumi.ToStringMap(a.Tags),
	}, r.child(routes...)...); err != nil {
		return fmt.Errorf("creating the stage: %w", err)
	}
	return nil
}

// routeSettings are the limits of routes that declare their own. Both values
// always, as above; a route's limit is never above the stage's.
func (a RestAPIArgs) routeSettings() apigatewayv2.StageRouteSettingArray {
	var out apigatewayv2.StageRouteSettingArray
	for _, r := range api.Routes() {
		if t := r.Throttle; t != nil {
			out = append(out, apigatewayv2.StageRouteSettingArgs{
				RouteKey:             pulumi.String(r.Key()),
				ThrottlingRateLimit:  pulumi.Float64(min(t.Rate, a.ThrottleRate)),
				ThrottlingBurstLimit: pulumi.Int(min(t.Burst, a.ThrottleBurst)),
			})
		}
	}
	return out
}

// addPermissions lets the gateway invoke the alias for each route and for
// nothing else. Their names differ from those of releases that called the
// function itself: so those permissions go last.
func (r *RestAPI) addPermissions(ctx *pulumi.Context, name string) ([]pulumi.Resource, error) {
	var out []pulumi.Resource
	for _, route := range api.Routes() {
		p, err := r.addPermission(
			ctx,
			name+"-"+Alias+"-"+strings.ToLower(string(route.Operation)),
			string(route.Operation),
			r.alias,
			source(route),
		)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// addPermission lets the gateway invoke an alias for a part of the API, which
// is given by the end of its ARN.
func (r *RestAPI) addPermission(
	ctx *pulumi.Context,
	name, id string,
	alias *lambda.Alias,
	source string,
) (*lambda.Permission, error) {
	p, err := lambda.NewPermission(ctx, name, &lambda.PermissionArgs{
		Action:      pulumi.String("lambda:InvokeFunction"),
		Function:    alias.FunctionName,
		Qualifier:   alias.Name,
		Principal:   pulumi.String("apigateway.amazonaws.com"),
		StatementId: pulumi.String(id),
		SourceArn:   pulumi.Sprintf("%s/%s", r.api.ExecutionArn, source),
	}, r.child()...)
	if err != nil {
		return nil, fmt.Errorf("creating the permission %s: %w", name, err)
	}
	return p, nil
}

func (r *RestAPI) addRoute(
	ctx *pulumi.Context,
	name string,
	auth Auth,
	route api.Route,
	integration *apigatewayv2.Integration,
	guard *guard,
) (*apigatewayv2.Route, error) {
	args := &apigatewayv2.RouteArgs{
		ApiId:             r.api.ID(),
		RouteKey:          pulumi.String(route.Key()),
		OperationName:     pulumi.String(string(route.Operation)),
		Target:            pulumi.Sprintf("integrations/%s", integration.ID()),
		AuthorizationType: pulumi.String("NONE"),
	}
	if guard != nil && !route.Public {
		args.AuthorizationType, args.AuthorizerId, args.AuthorizationScopes = pulumi.String(
			guard.kind,
		), guard.authorizer.ID(), auth.scopes(
			route,
		)
	}
	made, err := apigatewayv2.NewRoute(
		ctx,
		name+"-"+strings.ToLower(string(route.Operation)),
		args,
		r.child()...)
	if err != nil {
		return nil, fmt.Errorf("creating the route %s: %w", route.Key(), err)
	}
	return made, nil
}

var pathParameter = regexp.MustCompile(`\{[^}]+\}`)

// source names a route in a source ARN, below the API's own; a path parameter
// stands as *.
func source(route api.Route) string {
	return defaultStage + "/" + route.Method + pathParameter.ReplaceAllString(route.Path, "*")
}
