package components

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"items-api/internal/api"
	"items-api/internal/apikey"
)

func withAuth(a Auth) *RestAPIArgs {
	return &RestAPIArgs{Package: "handler.zip", Auth: a, DeletionProtection: true}
}

var modes = map[api.AuthMode]Auth{
	api.AuthNone:    {Mode: api.AuthNone},
	api.AuthCognito: {Mode: api.AuthCognito},
	api.AuthJWT:     {Mode: api.AuthJWT, Issuer: "https://issuer.example", Audiences: []string{"items"}},
	api.AuthLambda:  {Mode: api.AuthLambda, Package: "authorizer.zip", CacheSeconds: 60},
}

func texts(v resource.PropertyValue) []string {
	var out []string
	if !v.IsArray() {
		return nil
	}
	for _, e := range v.ArrayValue() {
		out = append(out, e.StringValue())
	}
	return out
}

func TestRoutesAreGuardedAsTheDeclarationSays(t *testing.T) {
	t.Parallel()
	kinds := map[api.AuthMode]string{
		api.AuthNone:    "NONE",
		api.AuthCognito: "JWT",
		api.AuthJWT:     "JWT",
		api.AuthLambda:  "CUSTOM",
	}
	scopes := map[api.AuthMode]func(api.Route) []string{
		api.AuthCognito: func(r api.Route) []string { return []string{"items/" + string(r.Scope), api.SignedInScope} },
		api.AuthJWT:     func(r api.Route) []string { return []string{string(r.Scope)} },
	}
	for _, mode := range api.AuthModes() {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			both(t, withAuth(modes[mode]), func(t *testing.T, r *recorder) {
				found := map[string]resource.PropertyMap{}
				for _, m := range r.all("aws:apigatewayv2/route:Route") {
					found[m["routeKey"].StringValue()] = m
				}
				for _, route := range api.Routes() {
					m := found[route.Key()]
					kind, want := kinds[mode], []string(nil)
					if f := scopes[mode]; f != nil && !route.Public {
						want = f(route)
					}
					if route.Public {
						kind = "NONE"
					}
					if got := at(m, "authorizationType"); !got.IsString() || got.StringValue() != kind {
						t.Errorf("%s has the authorization %v, want %s", route.Key(), got, kind)
					}
					if got := texts(at(m, "authorizationScopes")); !slices.Equal(got, want) {
						t.Errorf("%s asks for the scopes %v, want %v", route.Key(), got, want)
					}
					// An unknown id is not among the inputs of a preview.
					if id := at(m, "authorizerId"); !r.unknown && (kind == "NONE") != id.IsNull() {
						t.Errorf("%s has the authorizer %v with %s", route.Key(), id, kind)
					}
				}
				if n := len(
					r.all("aws:apigatewayv2/authorizer:Authorizer"),
				); (n == 1) != (mode != api.AuthNone) {
					t.Errorf("%d authorizers were registered", n)
				}
			})
		})
	}
}

func TestEveryRouteIsPublicOrHasAScope(t *testing.T) {
	t.Parallel()
	for _, r := range api.Routes() {
		if _, known := api.Scopes()[r.Scope]; known == r.Public {
			t.Errorf("%s is public (%v) with the scope %q", r.Key(), r.Public, r.Scope)
		}
	}
}

func TestUserPoolIsProtectedWithTheTable(t *testing.T) {
	t.Parallel()
	for mfa, want := range map[string]string{
		"":         "OPTIONAL",
		"optional": "OPTIONAL",
		"off":      "OFF",
		"required": "ON",
	} {
		for protection, text := range map[bool]string{true: "ACTIVE", false: "INACTIVE"} {
			a := withAuth(Auth{Mode: api.AuthCognito, MFA: mfa})
			a.DeletionProtection = protection
			both(t, a, func(t *testing.T, r *recorder) {
				pool := r.one(t, "aws:cognito/userPool:UserPool")
				if got := at(pool, "deletionProtection").StringValue(); got != text {
					t.Errorf("the pool's protection is %s, the table's %v", got, protection)
				}
				if got := at(pool, "mfaConfiguration").StringValue(); got != want {
					t.Errorf("MFA is %s, want %s", got, want)
				}
				if software := at(
					pool,
					"softwareTokenMfaConfiguration",
				); software.IsNull() != (want == "OFF") {
					t.Errorf("with MFA %s the software token is %v", want, software)
				}
				if v := at(
					pool,
					"adminCreateUserConfig",
					"allowAdminCreateUserOnly",
				); !v.IsBool() ||
					!v.BoolValue() {
					t.Errorf("everybody may register: %v", v)
				}
				if n := at(pool, "passwordPolicy", "minimumLength"); !n.IsNumber() || n.NumberValue() < 12 {
					t.Errorf("a password has %v characters", n)
				}
				client := r.one(t, "aws:cognito/userPoolClient:UserPoolClient")
				if flows := texts(
					at(client, "explicitAuthFlows"),
				); slices.Contains(flows, "ALLOW_USER_PASSWORD_AUTH") ||
					at(client, "preventUserExistenceErrors").StringValue() != "ENABLED" {
					t.Errorf("got the client %v", client)
				}
				if n := len(texts(at(client, "allowedOauthFlows"))); n != 0 {
					t.Errorf("there are %d OAuth flows without a sign-in page", n)
				}
			})
		}
	}
}

func TestSignInPageUsesTheCodeFlowOnly(t *testing.T) {
	t.Parallel()
	a := withAuth(Auth{
		Mode:         api.AuthCognito,
		SelfSignUp:   true,
		SignInDomain: "my-items",
		CallbackURLs: []string{"https://app.example/callback"},
	})
	both(t, a, func(t *testing.T, r *recorder) {
		if got := at(
			r.one(t, "aws:cognito/userPoolDomain:UserPoolDomain"),
			"domain",
		).StringValue(); got != "my-items" {
			t.Errorf("the domain is %s", got)
		}
		if v := at(
			r.one(t, "aws:cognito/userPool:UserPool"),
			"adminCreateUserConfig",
			"allowAdminCreateUserOnly",
		); !v.IsBool() ||
			v.BoolValue() {
			t.Errorf("nobody may register: %v", v)
		}
		client := r.one(t, "aws:cognito/userPoolClient:UserPoolClient")
		if got := texts(at(client, "allowedOauthFlows")); !slices.Equal(got, []string{"code"}) {
			t.Errorf("the flows are %v", got)
		}
		if got := texts(
			at(client, "allowedOauthScopes"),
		); !slices.Equal(
			got,
			[]string{"openid", "items/items:read", "items/items:write"},
		) {
			t.Errorf("the scopes are %v", got)
		}
	})
}

func TestKeyAuthorizerMayReadKeysAndNothingElse(t *testing.T) {
	t.Parallel()
	both(t, withAuth(modes[api.AuthLambda]), func(t *testing.T, r *recorder) {
		authorizer := r.one(t, "aws:apigatewayv2/authorizer:Authorizer")
		if got := texts(
			at(authorizer, "identitySources"),
		); !slices.Equal(
			got,
			[]string{"$request.header.x-api-key", "$context.routeKey"},
		) {
			t.Errorf("the identity sources are %v", got)
		}
		if at(authorizer, "authorizerPayloadFormatVersion").StringValue() != "2.0" ||
			!at(authorizer, "enableSimpleResponses").BoolValue() ||
			at(authorizer, "authorizerResultTtlInSeconds").NumberValue() != 60 {
			t.Errorf("got the authorizer %v", authorizer)
		}
		// Both functions, each with a role, a policy and a log of its own.
		for token, want := range map[string]int{
			"aws:lambda/function:Function":     2,
			"aws:iam/role:Role":                2,
			"aws:iam/rolePolicy:RolePolicy":    2,
			"aws:cloudwatch/logGroup:LogGroup": 3,
		} {
			if n := len(r.all(token)); n != want {
				t.Errorf("%d of %s were registered, want %d", n, token, want)
			}
		}
		if r.unknown {
			return
		}
		var items, keys int
		for _, m := range r.all("aws:iam/rolePolicy:RolePolicy") {
			var d policyDocument
			if err := json.Unmarshal([]byte(m["policy"].StringValue()), &d); err != nil {
				t.Fatal(err)
			}
			own := d.Statement[0]
			switch own.Sid {
			case "Keys":
				keys++
				if !slices.Equal(own.Action, []string{"dynamodb:GetItem"}) ||
					!slices.Equal(own.Action, apikey.Actions()) {
					t.Errorf("the authorizer may %v", own.Action)
				}
				if got := own.Condition["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"]; !slices.Equal(
					got,
					[]string{api.KeyPartition},
				) {
					t.Errorf("the authorizer may read the partitions %v", got)
				}
			case "Items":
				items++
				for _, got := range own.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] {
					if strings.HasPrefix(api.KeyPartition, strings.TrimSuffix(got, "*")) {
						t.Errorf("the handler may reach the keys by %s", got)
					}
				}
			}
		}
		if items != 1 || keys != 1 {
			t.Errorf("%d policies for items and %d for keys", items, keys)
		}
	})
}

func TestRoutesHaveBothThrottlesAndNoneAboveTheStage(t *testing.T) {
	t.Parallel()
	declared := map[string]api.Throttle{}
	for _, r := range api.Routes() {
		if r.Throttle != nil {
			declared[r.Key()] = *r.Throttle
		}
	}
	if len(declared) == 0 {
		t.Fatal("no route declares a throttle")
	}
	for _, stage := range []api.Throttle{{Rate: 1000, Burst: 1000}, {Rate: 10, Burst: 20}} {
		a := withAuth(modes[api.AuthNone])
		a.ThrottleRate, a.ThrottleBurst = stage.Rate, stage.Burst
		both(t, a, func(t *testing.T, r *recorder) {
			settings := at(r.one(t, "aws:apigatewayv2/stage:Stage"), "routeSettings")
			if !settings.IsArray() || len(settings.ArrayValue()) != len(declared) {
				t.Fatalf("the settings of routes are %v", settings)
			}
			for _, v := range settings.ArrayValue() {
				m := v.ObjectValue()
				want := declared[m["routeKey"].StringValue()]
				if got := m["throttlingRateLimit"]; !got.IsNumber() ||
					got.NumberValue() != min(want.Rate, stage.Rate) {
					t.Errorf("the rate is %v with %v and the stage's %v", got, want, stage)
				}
				if got := m["throttlingBurstLimit"]; !got.IsNumber() ||
					int(got.NumberValue()) != min(want.Burst, stage.Burst) {
					t.Errorf("the burst is %v with %v and the stage's %v", got, want, stage)
				}
			}
		})
	}
}

func TestAccessLogSaysWhoAndWhy(t *testing.T) {
	t.Parallel()
	callers := map[api.AuthMode]string{
		api.AuthNone:    api.AnonymousOwner,
		api.AuthCognito: "$context.authorizer.claims.sub",
		api.AuthJWT:     "$context.authorizer.claims.sub",
		api.AuthLambda:  "$context.authorizer.owner",
	}
	for mode, auth := range modes {
		format := at(
			compose(t, false, withAuth(auth)).one(t, "aws:apigatewayv2/stage:Stage"),
			"accessLogSettings",
			"format",
		).StringValue()
		var got map[string]string
		if err := json.Unmarshal([]byte(format), &got); err != nil {
			t.Fatal(err)
		}
		if got["caller"] != callers[mode] {
			t.Errorf("%s: the caller is %s", mode, got["caller"])
		}
		for member, variable := range map[string]string{
			"requestId":            "requestId",
			"routeKey":             "routeKey",
			"status":               "status",
			"latencyMs":            "responseLatency",
			"integrationLatencyMs": "integrationLatency",
			"integrationError":     "integrationErrorMessage",
			"authorizerError":      "authorizer.error",
			"sourceIp":             "identity.sourceIp",
			"userAgent":            "identity.userAgent",
		} {
			if got[member] != "$context."+variable {
				t.Errorf("%s: %s is %q", mode, member, got[member])
			}
		}
	}
}

func TestCORSReachesTheAPIWhole(t *testing.T) {
	t.Parallel()
	a := withAuth(modes[api.AuthNone])
	a.CORS = CORS{
		Origins:          []string{"https://a.example"},
		AllowHeaders:     []string{"x-a"},
		ExposeHeaders:    []string{"x-b"},
		MaxAgeSeconds:    60,
		AllowCredentials: true,
	}
	c := at(compose(t, false, a).one(t, "aws:apigatewayv2/api:Api"), "corsConfiguration").ObjectValue()
	if !slices.Equal(texts(c["allowOrigins"]), a.CORS.Origins) ||
		!slices.Equal(texts(c["allowHeaders"]), a.CORS.AllowHeaders) ||
		!slices.Equal(texts(c["exposeHeaders"]), a.CORS.ExposeHeaders) ||
		c["maxAge"].NumberValue() != 60 ||
		!c["allowCredentials"].BoolValue() {
		t.Errorf("got %v", c)
	}
}

func TestBadAccessArgumentsRegisterNothing(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]*RestAPIArgs{
		"Auth.Mode":      withAuth(Auth{}),
		"Auth.Issuer":    withAuth(Auth{Mode: api.AuthJWT, Audiences: []string{"a"}}),
		"Auth.Audiences": withAuth(Auth{Mode: api.AuthJWT, Issuer: "https://a.example"}),
		"Auth.Package":   withAuth(Auth{Mode: api.AuthLambda}),
		"Auth.CacheSeconds": withAuth(Auth{
			Mode:         api.AuthLambda,
			Package:      "x",
			CacheSeconds: 3601,
		}),
		"Auth.MFA": withAuth(Auth{Mode: api.AuthCognito, MFA: "sometimes"}),
		"Auth.SignInDomain": withAuth(Auth{
			Mode:         api.AuthCognito,
			CallbackURLs: []string{"https://a.example"},
		}),
		"CORS.AllowCredentials": {
			Package: "x",
			Auth:    modes[api.AuthNone],
			CORS:    CORS{Origins: []string{"*"}, AllowCredentials: true},
		},
		"CORS.MaxAgeSeconds": {
			Package: "x",
			Auth:    modes[api.AuthNone],
			CORS:    CORS{MaxAgeSeconds: 86401},
		},
		"ThrottleRate and ThrottleBurst": {Package: "x", Auth: modes[api.AuthNone], ThrottleRate: -1},
	} {
		refused(t, want, a)
	}
}
