package conformance

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/build"
)

// plan is everything that is deployed for the vectors: sites that several
// vectors may share, and functions that several sites may share.
type plan struct {
	zip, empty string // packages: the function's, and one without a bootstrap
	capture    string // directory with "function" and "authorizer"
	issuer     string
	functions  map[string]function // by name
	sites      map[string]site     // by name
	siteOf     map[string]string   // name by vector
	byContent  map[string]string   // name by content
}

type function struct {
	behaviour
	role      string // function or authorizer
	timeout   int    // seconds
	reserved  *int
	permitted bool
}

type site struct {
	given
	function, authorizer string
}

// name gives equal contents the same name.
func (p *plan) name(kind string, content any) string {
	data, err := json.Marshal(content)
	if err != nil {
		panic(err) // vectors came from JSON
	}
	key := kind + string(data)
	if p.byContent[key] == "" {
		p.byContent[key] = fmt.Sprintf("%s%d", kind, len(p.byContent))
	}
	return p.byContent[key]
}

func (p *plan) function(b behaviour, role string, g given) string {
	f := function{
		behaviour: b,
		role:      role,
		timeout:   10,
		reserved:  g.ReservedConcurrency,
		permitted: g.Permission == nil || *g.Permission,
	}
	if g.FunctionTimeoutSeconds > 0 {
		f.timeout = g.FunctionTimeoutSeconds
	}
	if role == "authorizer" {
		f.reserved, f.permitted = nil, true
	}
	name := p.name("f", []any{f.behaviour, f.role, f.timeout, f.reserved, f.permitted})
	p.functions[name] = f
	return name
}

func (p *plan) add(v vector) {
	s := site{given: v.Given}
	s.Token = nil
	own := ""
	if s.Throttling != nil || s.Auth != nil && s.Auth.TTL > 0 {
		own = v.ID // what it remembers is its own
	}
	name := p.name("s", []any{s.given, own})
	s.function = p.function(v.Given.Function, "function", v.Given)
	if a := v.Given.Auth; a != nil && a.Function != nil {
		s.authorizer = p.function(*a.Function, "authorizer", v.Given)
	}
	p.sites[name], p.siteOf[v.ID] = s, name
}

const (
	executeAPI = "arn:aws:execute-api:us-east-1:000000000000:*"
	trust      = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
)

func (p *plan) program(ctx *pulumi.Context) error {
	role, err := iam.NewRole(ctx, "role", &iam.RoleArgs{AssumeRolePolicy: pulumi.String(trust)})
	if err != nil {
		return err
	}
	functions := map[string]*lambda.Function{}
	for name, f := range p.functions {
		payload := f.Payload
		switch f.Kind {
		case "sleep":
			payload = fmt.Sprint(f.MS)
		case "exit":
			payload = fmt.Sprint(f.Code)
		case "error":
			payload = f.ErrorMessage
		}
		code := p.zip
		if f.Kind == "noBootstrap" {
			code = p.empty
		}
		args := &lambda.FunctionArgs{
			Role:    role.Arn,
			Runtime: pulumi.String("provided.al2023"),
			Handler: pulumi.String("bootstrap"),
			Code:    pulumi.NewFileArchive(code),
			Timeout: pulumi.Int(f.timeout),
			Environment: lambda.FunctionEnvironmentArgs{Variables: pulumi.StringMap{
				"KIND":        pulumi.String(f.Kind),
				"PAYLOAD":     pulumi.String(payload),
				"CAPTURE_DIR": pulumi.String(filepath.Join(p.capture, f.role)),
			}},
		}
		if f.reserved != nil {
			args.ReservedConcurrentExecutions = pulumi.Int(*f.reserved)
		}
		if functions[name], err = lambda.NewFunction(ctx, name, args); err != nil {
			return err
		}
		if !f.permitted {
			continue
		}
		if _, err := lambda.NewPermission(ctx, name, &lambda.PermissionArgs{
			Action:    pulumi.String("lambda:InvokeFunction"),
			Function:  functions[name].Name,
			Principal: pulumi.String("apigateway.amazonaws.com"),
			SourceArn: pulumi.String(executeAPI),
		}); err != nil {
			return err
		}
	}
	for name, s := range p.sites {
		if err := p.site(ctx, name, s, functions); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) site(ctx *pulumi.Context, name string, s site, functions map[string]*lambda.Function) error {
	args := &apigatewayv2.ApiArgs{ProtocolType: pulumi.String("HTTP")}
	if c := s.CORS; c != nil {
		args.CorsConfiguration = apigatewayv2.ApiCorsConfigurationArgs{
			AllowOrigins:     pulumi.ToStringArray(c.AllowOrigins),
			AllowMethods:     pulumi.ToStringArray(c.AllowMethods),
			AllowHeaders:     pulumi.ToStringArray(c.AllowHeaders),
			ExposeHeaders:    pulumi.ToStringArray(c.ExposeHeaders),
			MaxAge:           pulumi.Int(c.MaxAge),
			AllowCredentials: pulumi.Bool(c.AllowCredentials),
		}
	}
	if s.QuickCreate {
		args.Target = functions[s.function].Arn
		args.RouteKey = pulumi.String(s.Routes[0])
	}
	api, err := apigatewayv2.NewApi(ctx, name, args)
	if err != nil {
		return err
	}
	ctx.Export(name, api.ApiEndpoint)
	if s.QuickCreate {
		return nil
	}
	version := s.Integration.PayloadFormatVersion
	if version == "" {
		version = "2.0"
	}
	integration := &apigatewayv2.IntegrationArgs{
		ApiId:                api.ID(),
		IntegrationType:      pulumi.String("AWS_PROXY"),
		IntegrationUri:       functions[s.function].InvokeArn,
		PayloadFormatVersion: pulumi.String(version),
	}
	if ms := s.IntegrationTimeoutMillis; ms > 0 {
		integration.TimeoutMilliseconds = pulumi.Int(ms)
	}
	target, err := apigatewayv2.NewIntegration(ctx, name, integration)
	if err != nil {
		return err
	}
	var authorizer *apigatewayv2.Authorizer
	if a := s.Auth; a != nil {
		args := &apigatewayv2.AuthorizerArgs{
			ApiId:           api.ID(),
			AuthorizerType:  pulumi.String(a.Type),
			IdentitySources: pulumi.ToStringArray(a.IdentitySource),
		}
		if a.Type == "JWT" {
			if len(a.IdentitySource) == 0 {
				args.IdentitySources = pulumi.ToStringArray([]string{"$request.header.Authorization"})
			}
			if len(a.Audience) == 0 {
				a.Audience = []string{"aud1"}
			}
			args.JwtConfiguration = apigatewayv2.AuthorizerJwtConfigurationArgs{
				Issuer:    pulumi.String(p.issuer),
				Audiences: pulumi.ToStringArray(a.Audience),
			}
		} else {
			args.AuthorizerUri, args.AuthorizerPayloadFormatVersion = functions[s.authorizer].InvokeArn, pulumi.String(
				a.PayloadFormatVersion,
			)
			args.EnableSimpleResponses, args.AuthorizerResultTtlInSeconds = pulumi.Bool(
				a.EnableSimpleResponses,
			), pulumi.Int(
				a.TTL,
			)
		}
		if authorizer, err = apigatewayv2.NewAuthorizer(ctx, name, args); err != nil {
			return err
		}
	}
	var routes []pulumi.Resource
	for i, key := range s.Routes {
		args := &apigatewayv2.RouteArgs{
			ApiId:    api.ID(),
			RouteKey: pulumi.String(key),
			Target:   pulumi.Sprintf("integrations/%s", target.ID()),
		}
		if authorizer != nil && slices.Contains(s.Auth.Routes, key) {
			kind := map[string]string{"JWT": "JWT", "REQUEST": "CUSTOM"}[s.Auth.Type]
			args.AuthorizationType, args.AuthorizerId, args.AuthorizationScopes = pulumi.String(
				kind,
			), authorizer.ID(), pulumi.ToStringArray(
				s.Auth.AuthorizationScopes,
			)
		}
		r, err := apigatewayv2.NewRoute(ctx, fmt.Sprintf("%s-%d", name, i), args)
		if err != nil {
			return err
		}
		routes = append(routes, r)
	}
	stage := &apigatewayv2.StageArgs{
		ApiId:          api.ID(),
		Name:           pulumi.String(s.Stage),
		AutoDeploy:     pulumi.Bool(true),
		StageVariables: pulumi.ToStringMap(s.StageVariables),
	}
	if s.Stage == "" {
		stage.Name = pulumi.String("$default")
	}
	if th := s.Throttling; th != nil {
		stage.DefaultRouteSettings = apigatewayv2.StageDefaultRouteSettingsArgs{
			ThrottlingRateLimit:  pulumi.Float64(th.Default.Rate),
			ThrottlingBurstLimit: pulumi.Int(th.Default.Burst),
		}
		var own apigatewayv2.StageRouteSettingArray
		for key, l := range th.Routes {
			own = append(own, apigatewayv2.StageRouteSettingArgs{
				RouteKey:             pulumi.String(key),
				ThrottlingRateLimit:  pulumi.Float64(l.Rate),
				ThrottlingBurstLimit: pulumi.Int(l.Burst),
			})
		}
		stage.RouteSettings = own
	}
	_, err = apigatewayv2.NewStage(ctx, name, stage, pulumi.DependsOn(routes))
	return err
}

// packages builds the function's zip, and one without a bootstrap.
func packages(t *testing.T, root, dir string) (full, empty string) {
	t.Helper()
	full, err := build.Function(context.Background(), root, "./e2e/conformance/testdata/function", build.Host)
	if err != nil {
		t.Fatal(err)
	}
	var data bytes.Buffer
	z := zip.NewWriter(&data)
	w, err := z.Create("readme.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := strings.NewReader("nothing to run").WriteTo(w); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	empty = filepath.Join(dir, "empty.zip")
	if err := os.WriteFile(empty, data.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return full, empty
}
