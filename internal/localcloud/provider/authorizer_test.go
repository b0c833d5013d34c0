package provider

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const lambdaURI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" +
	"arn:aws:lambda:us-east-1:000000000000:function:f/invocations"

func many(n int) []any {
	var out []any
	for i := range n {
		out = append(out, fmt.Sprint("x", i))
	}
	return out
}

func jwt(changes map[string]any) map[string]any {
	out := map[string]any{
		"apiId":            "a",
		"authorizerType":   "JWT",
		"identitySources":  []any{"$request.header.Authorization"},
		"jwtConfiguration": map[string]any{"issuer": "https://issuer.example", "audiences": []any{"x"}},
	}
	for k, v := range changes {
		out[k] = v
	}
	return out
}

func keys(changes map[string]any) map[string]any {
	out := map[string]any{
		"apiId":                          "a",
		"authorizerType":                 "REQUEST",
		"identitySources":                []any{"$request.header.x-api-key"},
		"authorizerPayloadFormatVersion": "2.0",
		"authorizerUri":                  lambdaURI,
	}
	for k, v := range changes {
		out[k] = v
	}
	return out
}

func TestAuthorizersThatAWSRefusesAreRefusedByName(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	issuer := func(url string) map[string]any {
		return jwt(map[string]any{"jwtConfiguration": map[string]any{"issuer": url, "audiences": []any{"x"}}})
	}
	for _, c := range []struct {
		in   map[string]any
		want string
	}{
		{jwt(nil), ""},
		{issuer("http://127.0.0.1:1/x"), ""},
		{issuer("http://issuer.example"), "Invalid issuer: http://issuer.example"},
		{issuer("issuer.example"), "Invalid issuer"},
		{jwt(map[string]any{"identitySources": many(0)}), "exactly one identity source"},
		{jwt(map[string]any{"identitySources": []any{"Authorization"}}), "is no identity source"},
		{jwt(map[string]any{"jwtConfiguration": map[string]any{
			"issuer":    "https://i.example",
			"audiences": many(51),
		}}), "1 to 50 audiences"},
		{jwt(map[string]any{"jwtConfiguration": map[string]any{
			"issuer":    "https://i.example",
			"audiences": many(50),
		}}), ""},
		{jwt(map[string]any{"jwtConfiguration": map[string]any{"audiences": many(1)}}), "needs an issuer"},
		{jwt(map[string]any{"authorizerUri": lambdaURI}), "does not belong"},
		{jwt(map[string]any{"authorizerType": "TOKEN"}), "must be one of JWT, REQUEST"},
		{keys(nil), ""},
		{keys(map[string]any{"authorizerPayloadFormatVersion": nil}), "authorizerPayloadFormatVersion"},
		{keys(map[string]any{"authorizerPayloadFormatVersion": "3.0"}), "must be one of 1.0, 2.0"},
		{keys(map[string]any{
			"authorizerPayloadFormatVersion": "1.0",
			"enableSimpleResponses":          true,
		}), "simple responses need"},
		{keys(map[string]any{"authorizerResultTtlInSeconds": 3601}), "from 0 to 3600"},
		{keys(map[string]any{"authorizerResultTtlInSeconds": 3600}), ""},
		{keys(map[string]any{"authorizerResultTtlInSeconds": 0}), ""},
		{keys(map[string]any{
			"authorizerResultTtlInSeconds": 10,
			"identitySources":              many(0),
		}), "kept by identity sources"},
		{keys(map[string]any{"jwtConfiguration": map[string]any{"issuer": "https://i.example"}}), "does not belong"},
		{keys(map[string]any{"authorizerCredentialsArn": "arn"}), `does not support the property "authorizerCredentialsArn"`},
		{keys(map[string]any{"identitySources": []any{"$context.nonsense"}}), "does not know the " +
			"identity source"},
	} {
		_, problems := check(t, s, authorizerType, "x", nil, props(c.in))
		if c.want == "" && len(problems) > 0 ||
			c.want != "" && (!strings.Contains(strings.Join(problems, "\n"), c.want)) {
			t.Errorf("%v: got %q, want %q", c.in, problems, c.want)
		}
	}
}

func TestTTLIsFiveMinutesUnlessGiven(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	api, _, _ := create(t, s, apiType, "a", props(map[string]any{"protocolType": "HTTP"}))
	_, out, _ := create(t, s, authorizerType, "z", props(keys(map[string]any{"apiId": api})))
	if out.number("authorizerResultTtlInSeconds") != 300 {
		t.Errorf("got %v", out)
	}
}

// tries registers a resource and returns what the cloud says.
func tries(t *testing.T, s *Server, token, name string, in map[string]any) error {
	t.Helper()
	return attempt(t, s, token, name, props(in))
}

// attempt checks and creates a resource, and returns what is wrong with it.
func attempt(t *testing.T, s *Server, token, name string, in resource.PropertyMap) error {
	t.Helper()
	inputs, problems := check(t, s, token, name, nil, in)
	if len(problems) > 0 {
		return errors.New(strings.Join(problems, "\n"))
	}
	_, err := s.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(token, name), Properties: inputs})
	return err
}

func TestLimitsOfAuthorizersAndScopes(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	api, _, _ := create(t, s, apiType, "a", props(map[string]any{"protocolType": "HTTP"}))
	for i := range 10 {
		if err := tries(
			t,
			s,
			authorizerType,
			fmt.Sprint("z", i),
			jwt(map[string]any{"apiId": api}),
		); err != nil {
			t.Fatal(err)
		}
	}
	if err := tries(
		t,
		s,
		authorizerType,
		"z10",
		jwt(map[string]any{"apiId": api}),
	); err == nil ||
		!strings.Contains(err.Error(), "at most 10 authorizers") {
		t.Errorf("the eleventh gave %v", err)
	}
	if _, problems := check(t, s, routeType, "r", nil, props(map[string]any{
		"apiId":               api,
		"routeKey":            "GET /x",
		"authorizationScopes": many(11),
	})); len(problems) != 1 {
		t.Errorf("11 scopes gave %q", problems)
	}
}

func TestRoutesNeedAnAuthorizerOfTheirKind(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	api, _, _ := create(t, s, apiType, "a", props(map[string]any{"protocolType": "HTTP"}))
	other, _, _ := create(t, s, apiType, "b", props(map[string]any{"protocolType": "HTTP"}))
	token, _, _ := create(t, s, authorizerType, "jwt", props(jwt(map[string]any{"apiId": api})))
	function, _, _ := create(t, s, authorizerType, "key", props(keys(map[string]any{"apiId": api})))
	foreign, _, _ := create(t, s, authorizerType, "foreign", props(jwt(map[string]any{"apiId": other})))
	for i, c := range []struct {
		kind, id, want string
		scopes         []any
	}{
		{"JWT", token, "", many(1)},
		{"CUSTOM", function, "", nil},
		{"NONE", "", "", nil},
		{"JWT", "nope", "Invalid authorizer ID specified. Setting the authorization type to JWT requires " +
			"a valid JWT authorizer.", nil},
		{"JWT", function, "requires a valid JWT authorizer", nil},
		{"JWT", foreign, "requires a valid JWT authorizer", nil},
		{"CUSTOM", token, "requires a valid custom authorizer", nil},
		{"CUSTOM", function, "scopes are only supported", many(1)},
		{"NONE", "", "scopes are only supported", many(1)},
	} {
		in := map[string]any{
			"apiId":               api,
			"routeKey":            fmt.Sprint("GET /", i),
			"authorizationType":   c.kind,
			"authorizerId":        c.id,
			"authorizationScopes": c.scopes,
		}
		if err := tries(
			t,
			s,
			routeType,
			fmt.Sprint("r", i),
			in,
		); (err == nil) != (c.want == "") ||
			err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v", c, err)
		}
	}
	if err := destroyed(
		t,
		s,
		authorizerType,
		"jwt",
		token,
	); err == nil ||
		!strings.Contains(err.Error(), "ConflictException") {
		t.Errorf("deleting an authorizer that is in use gave %v", err)
	}
}

func destroyed(t *testing.T, s *Server, token, name, id string) error {
	t.Helper()
	_, err := s.Delete(t.Context(), &pulumirpc.DeleteRequest{Urn: urn(token, name), Id: id})
	return err
}

func TestWhatAWSDoesAndTheLocalCloudDoesNotIsRefusedByName(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	integration := map[string]any{
		"apiId":           "a",
		"integrationType": "AWS_PROXY",
		"integrationUri":  "arn:aws:lambda:us-east-1:000000000000:function:f",
	}
	with := func(k string, v any) map[string]any {
		out := map[string]any{"payloadFormatVersion": "2.0"}
		for k, v := range integration {
			out[k] = v
		}
		out[k] = v
		return out
	}
	for _, c := range []struct {
		token string
		in    map[string]any
		want  string
	}{
		{integrationType, with("payloadFormatVersion", "3.0"), "it must be one of 1.0, 2.0"},
		{integrationType, with("requestParameters", map[string]any{"append:header.x": "$request.path"}), `does not support the property "requestParameters"`},
		{integrationType, with("responseParameters", []any{map[string]any{
			"statusCode": "200",
			"mappings":   map[string]any{},
		}}), `does not support the property "responseParameters"`},
		{routeType, map[string]any{
			"apiId":             "a",
			"routeKey":          "GET /x",
			"authorizationType": "AWS_IAM",
		}, `not "AWS_IAM"`},
	} {
		if _, problems := check(
			t,
			s,
			c.token,
			"x",
			nil,
			props(c.in),
		); len(problems) != 1 ||
			!strings.Contains(problems[0], c.want) {
			t.Errorf("%v: got %q, want %q", c.in, problems, c.want)
		}
	}
}

func TestUserPoolKeepsItsUsersWhenProtected(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	id, out, _ := create(t, s, poolType, "p", props(map[string]any{"deletionProtection": "ACTIVE"}))
	if want := "cognito-idp.us-east-1.amazonaws.com/" + id; out.str("endpoint") != want {
		t.Errorf("the endpoint is %q, want %q", out.str("endpoint"), want)
	}
	if err := destroyed(
		t,
		s,
		poolType,
		"p",
		id,
	); err == nil ||
		!strings.Contains(err.Error(), "deletion protection is activated") {
		t.Errorf("got %v", err)
	}
	client := map[string]any{
		"userPoolId":                      id,
		"allowedOauthFlowsUserPoolClient": true,
		"allowedOauthFlows":               []any{"code"},
		"callbackUrls":                    []any{"https://a.example"},
		"allowedOauthScopes":              []any{"x/read"},
	}
	if err := tries(
		t,
		s,
		poolClientType,
		"c",
		client,
	); err == nil ||
		!strings.Contains(err.Error(), "ScopeDoesNotExistException") {
		t.Errorf("a client with an unknown scope gave %v", err)
	}
	create(t, s, resourceServerType, "s", props(map[string]any{
		"userPoolId": id,
		"identifier": "x",
		"scopes":     []any{map[string]any{"scopeName": "read", "scopeDescription": "d"}},
	}))
	if err := tries(t, s, poolClientType, "c", client); err != nil {
		t.Error(err)
	}
	for k, v := range map[string]any{
		"callbackUrls":       many(0),
		"allowedOauthScopes": many(0),
		"allowedOauthFlows":  []any{"client_credentials"},
	} {
		in := map[string]any{}
		for k, v := range client {
			in[k] = v
		}
		in[k] = v
		if _, problems := check(
			t,
			s,
			poolClientType,
			"c",
			nil,
			props(in),
		); len(problems) != 1 ||
			!strings.Contains(problems[0], "InvalidOAuthFlowException") {
			t.Errorf("%s = %v: got %q", k, v, problems)
		}
	}
	if _, problems := check(t, s, poolClientType, "c", nil, props(map[string]any{
		"userPoolId":   id,
		"callbackUrls": []any{"http://a.example"},
	})); len(problems) != 1 {
		t.Errorf("an http callback gave %q", problems)
	}
}

func TestUserPoolRefusesWhatCognitoRefuses(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	units := func(unit string) map[string]any {
		return map[string]any{
			"accessToken":  unit,
			"refreshToken": unit,
		}
	}
	for _, c := range []struct {
		token string
		in    map[string]any
		want  string // "" if it is accepted
	}{
		{poolType, map[string]any{
			"mfaConfiguration":              "OFF",
			"softwareTokenMfaConfiguration": map[string]any{"enabled": true},
		}, "MFA cannot be off"},
		{poolType, map[string]any{"mfaConfiguration": "OFF"}, ""},
		{poolType, map[string]any{"mfaConfiguration": "ON"}, "MFA needs"},
		{poolType, map[string]any{
			"mfaConfiguration":              "OPTIONAL",
			"softwareTokenMfaConfiguration": map[string]any{"enabled": true},
		}, ""},
		{poolClientType, map[string]any{"userPoolId": "us-east-1_p", "accessTokenValidity": 24}, ""},
		{poolClientType, map[string]any{
			"userPoolId":          "us-east-1_p",
			"accessTokenValidity": 25,
		}, "accessTokenValidity"},
		{poolClientType, map[string]any{
			"userPoolId":          "us-east-1_p",
			"accessTokenValidity": 299,
			"tokenValidityUnits":  units("seconds"),
		}, "accessTokenValidity"},
		{poolClientType, map[string]any{
			"userPoolId":          "us-east-1_p",
			"accessTokenValidity": 300,
			"tokenValidityUnits":  units("seconds"),
		}, ""},
		{poolClientType, map[string]any{
			"userPoolId":           "us-east-1_p",
			"refreshTokenValidity": 3651,
		}, "refreshTokenValidity"},
		{poolClientType, map[string]any{
			"userPoolId":           "us-east-1_p",
			"refreshTokenValidity": 59,
			"tokenValidityUnits":   units("minutes"),
		}, "refreshTokenValidity"},
		{poolClientType, map[string]any{
			"userPoolId":        "us-east-1_p",
			"allowedOauthFlows": []any{"magic"},
		}, `"magic"`},
	} {
		_, problems := check(t, s, c.token, "x", nil, props(c.in))
		if c.want == "" && len(problems) > 0 ||
			c.want != "" && (len(problems) != 1 || !strings.Contains(problems[0], c.want)) {
			t.Errorf("%v: got %q, want %q", c.in, problems, c.want)
		}
	}
}

func TestStageVariablesAreAtMostAHundred(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	variables := func(n int) map[string]any {
		out := map[string]any{}
		for i := range n {
			out[fmt.Sprint("v", i)] = "x"
		}
		return map[string]any{"apiId": "a", "name": "x", "stageVariables": out}
	}
	if _, problems := check(t, s, stageType, "s", nil, props(variables(100))); len(problems) != 0 {
		t.Errorf("100 gave %q", problems)
	}
	if _, problems := check(
		t,
		s,
		stageType,
		"s",
		nil,
		props(variables(101)),
	); len(problems) != 1 ||
		!strings.Contains(problems[0], "at most 100") {
		t.Errorf("101 gave %q", problems)
	}
}
