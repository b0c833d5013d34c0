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

const (
	defaultStage = "$default"
	corsMaxAge   = 600 // seconds
)

// accessLogFormat has one JSON object for each request.
func accessLogFormat() (string, error) {
	data, err := json.Marshal(map[string]string{
		"requestId": "$context.requestId", "time": "$context.requestTime", "routeKey": "$context.routeKey", "method": "$context.httpMethod",
		"path": "$context.path", "status": "$context.status", "latencyMs": "$context.responseLatency",
		"integrationLatencyMs": "$context.integrationLatency", "integrationError": "$context.integrationErrorMessage",
		"sourceIp": "$context.identity.sourceIp", "userAgent": "$context.identity.userAgent", "responseLength": "$context.responseLength",
	})
	return string(data), err
}

func (r *RestAPI) addGateway(ctx *pulumi.Context, name string, a RestAPIArgs) (err error) {
	if r.api, err = apigatewayv2.NewApi(ctx, name, &apigatewayv2.ApiArgs{
		ProtocolType: pulumi.String("HTTP"), CorsConfiguration: cors(a.CORSOrigins), Tags: pulumi.ToStringMap(a.Tags),
	}, r.child()...); err != nil {
		return fmt.Errorf("creating the API: %w", err)
	}
	integration, err := apigatewayv2.NewIntegration(ctx, name, &apigatewayv2.IntegrationArgs{
		ApiId: r.api.ID(), IntegrationType: pulumi.String("AWS_PROXY"), IntegrationUri: r.function.InvokeArn,
		PayloadFormatVersion: pulumi.String("2.0"), TimeoutMilliseconds: pulumi.Int((a.TimeoutSeconds + 1) * 1000),
	}, r.child()...)
	if err != nil {
		return fmt.Errorf("creating the integration: %w", err)
	}
	var routes []pulumi.Resource
	for _, route := range api.Routes() {
		made, err := r.addRoute(ctx, name, route, integration)
		if err != nil {
			return err
		}
		routes = append(routes, made...)
	}
	format, err := accessLogFormat()
	if err != nil {
		return err
	}
	if _, err := apigatewayv2.NewStage(ctx, name, &apigatewayv2.StageArgs{
		ApiId: r.api.ID(), Name: pulumi.String(defaultStage), AutoDeploy: pulumi.Bool(true),
		// Both values always: a block with one of them sends 0 for the other,
		// and every request gets 429.
		DefaultRouteSettings: apigatewayv2.StageDefaultRouteSettingsArgs{
			ThrottlingRateLimit: pulumi.Float64(a.ThrottleRate), ThrottlingBurstLimit: pulumi.Int(a.ThrottleBurst)},
		AccessLogSettings: apigatewayv2.StageAccessLogSettingsArgs{DestinationArn: r.accessLog.Arn, Format: pulumi.String(format)},
		Tags:              pulumi.ToStringMap(a.Tags),
	}, r.child(routes...)...); err != nil {
		return fmt.Errorf("creating the stage: %w", err)
	}
	return nil
}

func cors(origins []string) apigatewayv2.ApiCorsConfigurationPtrInput {
	if len(origins) == 0 {
		return nil
	}
	return apigatewayv2.ApiCorsConfigurationArgs{
		AllowOrigins:  pulumi.ToStringArray(origins),
		AllowMethods:  pulumi.ToStringArray(api.Methods()),
		AllowHeaders:  pulumi.ToStringArray([]string{"authorization", "content-type", "idempotency-key", "if-match", "if-none-match"}),
		ExposeHeaders: pulumi.ToStringArray([]string{"etag", "location", "retry-after"}),
		MaxAge:        pulumi.Int(corsMaxAge),
	}
}

// addRoute makes a route, and the permission for the gateway to invoke the
// function for it and for nothing else.
func (r *RestAPI) addRoute(ctx *pulumi.Context, name string, route api.Route, integration *apigatewayv2.Integration) ([]pulumi.Resource, error) {
	child := name + "-" + strings.ToLower(string(route.Operation))
	made, err := apigatewayv2.NewRoute(ctx, child, &apigatewayv2.RouteArgs{
		ApiId: r.api.ID(), RouteKey: pulumi.String(route.Key()), OperationName: pulumi.String(string(route.Operation)),
		Target: pulumi.Sprintf("integrations/%s", integration.ID()),
	}, r.child()...)
	if err != nil {
		return nil, fmt.Errorf("creating the route %s: %w", route.Key(), err)
	}
	permission, err := lambda.NewPermission(ctx, child, &lambda.PermissionArgs{
		Action: pulumi.String("lambda:InvokeFunction"), Function: r.function.Name, Principal: pulumi.String("apigateway.amazonaws.com"),
		StatementId: pulumi.String(string(route.Operation)), SourceArn: pulumi.Sprintf("%s/%s", r.api.ExecutionArn, source(route)),
	}, r.child()...)
	if err != nil {
		return nil, fmt.Errorf("creating the permission for the route %s: %w", route.Key(), err)
	}
	return []pulumi.Resource{made, permission}, nil
}

var pathParameter = regexp.MustCompile(`\{[^}]+\}`)

// source names a route in a source ARN, below the API's own; a path parameter
// stands as *.
func source(route api.Route) string {
	return defaultStage + "/" + route.Method + pathParameter.ReplaceAllString(route.Path, "*")
}
