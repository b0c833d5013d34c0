package provider

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"items-api/internal/localcloud/gateway"
	"items-api/internal/localcloud/state"
)

const (
	authorizerType = "aws:apigatewayv2/authorizer:Authorizer"

	// Limits of HTTP APIs. Source: API Gateway quotas.
	maxAuthorizers = 10
	maxAudiences   = 50
	maxScopes      = 10
)

func authorizerResource() *Type {
	return &Type{
		Token: authorizerType,
		Properties: []Property{
			apiID(),
			{
				Name:  "authorizerCredentialsArn",
				Kind:  String,
				Level: Refused,
				Note:  "the function's resource policy is what counts; use aws.lambda.Permission",
			},
			{
				Name:  "authorizerPayloadFormatVersion",
				Kind:  String,
				Level: Enforced,
				Check: oneOf("1.0", "2.0"),
			},
			{
				Name:     "authorizerResultTtlInSeconds",
				Kind:     Int,
				Level:    Enforced,
				Computed: true,
			},
			{
				Name:     "authorizerType",
				Kind:     String,
				Level:    Enforced,
				Required: true,
			},
			{
				Name:  "authorizerUri",
				Kind:  String,
				Level: Enforced,
				Check: functionURI,
			},
			{
				Name:  "enableSimpleResponses",
				Kind:  Bool,
				Level: Enforced,
			},
			{
				Name:  "identitySources",
				Kind:  Set,
				Elem:  String,
				Level: Enforced,
				Each: func(v any) error {
					s, _ := v.(string)
					return gateway.ValidateIdentitySource(s)
				},
			},
			{
				Name:  "jwtConfiguration",
				Kind:  Object,
				Level: Enforced,
				Fields: []Property{
					{
						Name:  "audiences",
						Kind:  Set,
						Elem:  String,
						Level: Enforced,
					},
					{
						Name:  "issuer",
						Kind:  String,
						Level: Enforced,
						Check: issuerURL,
						Note:  "http on loopback is accepted locally; AWS accepts https only",
					},
				},
			},
			{
				Name:  "name",
				Kind:  String,
				Level: Enforced,
			},
		},
		Name:    "name",
		NameMax: 128,
		Check:   checkAuthorizer,
		Create:  createAuthorizer,
		Update:  updateAuthorizer,
		Apply:   applyChild,
		Removed: applyChild,
		Delete:  unusedAuthorizer,
	}
}

// issuerURL accepts what the gateway may ask for keys.
func issuerURL(v any) error {
	s, _ := v.(string)
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return fmt.Errorf(
			"BadRequestException: Invalid issuer: %s. Issuer must have a valid discovery endpoint ended "+
				"with '/.well-known/openid-configuration': it begins with https://, or on the local cloud "+
				"with http:// and a loopback address",
			s,
		)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkAuthorizer tests what one property asks of another.
func checkAuthorizer(_ *Provider, in values) []Failure {
	var out []Failure
	need := func(name string) {
		if !in.has(name) {
			out = append(
				out,
				Failure{
					name,
					fmt.Sprintf(
						"missing property %q: an authorizer of the type %s needs it",
						name,
						in.str("authorizerType"),
					),
				},
			)
		}
	}
	forbid := func(name string) {
		if v, ok := in[name]; ok && !empty(v) {
			out = append(
				out,
				Failure{
					name,
					fmt.Sprintf(
						"the property %q does not belong to an authorizer of the type %s",
						name,
						in.str("authorizerType"),
					),
				},
			)
		}
	}
	switch in.str("authorizerType") {
	case "JWT":
		need("jwtConfiguration")
		if l, ok := in["identitySources"].([]any); !ok && known(in["identitySources"]) || ok && len(l) != 1 {
			out = append(
				out,
				Failure{
					"identitySources",
					"a JWT authorizer has exactly one identity source, usually $request.header.Authorization",
				},
			)
		}
		for _, name := range []string{"authorizerUri", "authorizerPayloadFormatVersion", "enableSimpleResponses", "authorizerResultTtlInSeconds"} {
			forbid(name)
		}
		if c := in.object("jwtConfiguration"); c != nil {
			if !c.has("issuer") {
				out = append(out, Failure{"jwtConfiguration.issuer", "a JWT authorizer needs an issuer"})
			}
			if l, ok := c["audiences"].([]any); known(c["audiences"]) &&
				(!ok || len(l) == 0 || len(l) > maxAudiences) {
				out = append(
					out,
					Failure{
						"jwtConfiguration.audiences",
						fmt.Sprintf("a JWT authorizer has 1 to %d audiences", maxAudiences),
					},
				)
			}
		}
	case "REQUEST":
		need("authorizerUri")
		need("authorizerPayloadFormatVersion")
		forbid("jwtConfiguration")
		if in.boolean("enableSimpleResponses") && in.str("authorizerPayloadFormatVersion") == "1.0" {
			out = append(
				out,
				Failure{"enableSimpleResponses", "simple responses need authorizerPayloadFormatVersion 2.0"},
			)
		}
		if n := in.number(
			"authorizerResultTtlInSeconds",
		); n > 0 && known(in["identitySources"]) &&
			len(in.list("identitySources")) == 0 {
			out = append(
				out,
				Failure{
					"authorizerResultTtlInSeconds",
					"results are kept by identity sources, and there are none: give identitySources, " +
						"or a TTL of 0",
				},
			)
		}
	}
	return out
}

func createAuthorizer(ctx context.Context, p *Provider, in values) (state.Record, error) {
	api := in.str("apiId")
	if err := p.apiExists(api); err != nil {
		return state.Record{}, err
	}
	if n := len(p.children(authorizerType, api)); n >= maxAuthorizers {
		return state.Record{}, fmt.Errorf(
			"TooManyRequestsException: an API has at most %d authorizers",
			maxAuthorizers,
		)
	}
	props, err := p.authorizerOutputs(ctx, in)
	return state.Record{ID: p.ID(6), Properties: props}, err
}

func updateAuthorizer(ctx context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
	props, err := p.authorizerOutputs(ctx, in)
	return state.Record{Properties: props, Private: old.Private}, err
}

func (p *Provider) authorizerOutputs(ctx context.Context, in values) (map[string]any, error) {
	props := base(in)
	if in.str("authorizerType") == "JWT" {
		// AWS asks the issuer too, and refuses one that does not answer.
		issuer := in.object("jwtConfiguration").str("issuer")
		if err := p.Cloud.Discover(ctx, issuer); err != nil {
			return nil, fmt.Errorf(
				"BadRequestException: Invalid issuer: %s. Issuer must have a valid discovery endpoint "+
					"ended with '/.well-known/openid-configuration': %w",
				issuer,
				err,
			)
		}
		return props, nil
	}
	if name := FunctionName(
		in.str("authorizerUri"),
	); !strings.Contains(in.str("authorizerUri"), ":function:") ||
		functionName(name) != nil {
		return nil, fmt.Errorf(
			"BadRequestException: Invalid Authorizer URI: %s; use the function's invokeArn",
			in.str("authorizerUri"),
		)
	}
	if !in.has("authorizerResultTtlInSeconds") {
		props["authorizerResultTtlInSeconds"] = 300.0
		if len(in.list("identitySources")) == 0 {
			props["authorizerResultTtlInSeconds"] = 0.0
		}
	}
	return props, nil
}

func unusedAuthorizer(_ context.Context, p *Provider, r state.Record) error {
	for _, route := range p.children(routeType, values(r.Properties).str("apiId")) {
		if v := values(route.Properties); v.str("authorizerId") == r.ID {
			return fmt.Errorf(
				"ConflictException: Cannot delete Authorizer '%s' due to the reference from Route '%s'",
				r.ID,
				v.str("routeKey"),
			)
		}
	}
	return nil
}

// checkRouteAuthorization tests a route against its authorizer.
func (p *Provider) checkRouteAuthorization(in values) error {
	kind, id := in.str("authorizationType"), in.str("authorizerId")
	want := map[string]string{"JWT": "JWT", "CUSTOM": "REQUEST"}[kind]
	if want == "" {
		if len(in.list("authorizationScopes")) > 0 {
			return fmt.Errorf(
				"BadRequestException: Authorization scopes are only supported with authorization type JWT",
			)
		}
		return nil
	}
	r, err := p.Store.Get(authorizerType, id)
	if err != nil || values(r.Properties).str("apiId") != in.str("apiId") ||
		values(r.Properties).str("authorizerType") != want {
		what := map[string]string{"JWT": "a valid JWT", "CUSTOM": "a valid custom"}[kind]
		return fmt.Errorf(
			"BadRequestException: Invalid authorizer ID specified. Setting the authorization type to %s "+
				"requires %s authorizer.",
			kind,
			what,
		)
	}
	if kind == "CUSTOM" && len(in.list("authorizationScopes")) > 0 {
		return fmt.Errorf(
			"BadRequestException: Authorization scopes are only supported with authorization type JWT",
		)
	}
	return nil
}

func gatewayAuthorizer(p *Provider, r state.Record) gateway.Authorizer {
	v := values(r.Properties)
	jwt := v.object("jwtConfiguration")
	out := gateway.Authorizer{
		ID:                   r.ID,
		Name:                 v.str("name"),
		Type:                 v.str("authorizerType"),
		IdentitySources:      v.strings("identitySources"),
		Issuer:               jwt.str("issuer"),
		Audiences:            jwt.strings("audiences"),
		PayloadFormatVersion: v.str("authorizerPayloadFormatVersion"),
		SimpleResponses:      v.boolean("enableSimpleResponses"),
		TTL:                  time.Duration(v.number("authorizerResultTtlInSeconds")) * time.Second,
	}
	if uri := v.str("authorizerUri"); uri != "" {
		out.FunctionARN = p.functionARN(uri)
	}
	slices.Sort(out.IdentitySources)
	return out
}
