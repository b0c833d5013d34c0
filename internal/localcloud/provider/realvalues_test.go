package provider

import (
	"strings"
	"testing"
)

const aKeyARN = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"

// TestValuesOfProgramsInUseAreTaken checks values that AWS takes and that look
// as if they were wrong. A refusal of one would keep a program from the local
// cloud for nothing.
func TestValuesOfProgramsInUseAreTaken(t *testing.T) {
	t.Parallel()
	cases := []struct {
		token, property string
		value           any
	}{
		{functionType, "tags", map[string]any{"team": ""}},
		{apiType, "tags", map[string]any{"team": ""}},
		{stageType, "tags", map[string]any{"team": ""}},
		{domainType, "tags", map[string]any{"team": ""}},
		{tableType, "tags", map[string]any{"a b/c:d": "é–ü"}},
		{tableType, "tags", map[string]any{"kubernetes.io/cluster/x": "owned"}},
		{functionType, "environment", map[string]any{"variables": map[string]any{"TZ": "Europe/Zurich"}}},
		{functionType, "environment", map[string]any{"variables": map[string]any{
			"LANG": "de_CH.UTF-8",
			"a1":   "",
		}}},
		{functionType, "description", "Läuft täglich – für alle (v1.2)\nsecond line"},
		{functionType, "name", "my_function-1"},
		{functionType, "handler", "bootstrap"},
		{functionType, "role", "arn:aws:iam::123456789012:role/service-role/teams/a.b@c"},
		{
			functionType,
			"kmsKeyArn",
			"arn:aws:kms:us-east-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
		},
		{functionType, "kmsKeyArn", "arn:aws:kms:us-east-1:123456789012:alias/my/key"},
		{functionType, "reservedConcurrentExecutions", 0.0},
		{roleType, "path", "/"},
		{roleType, "path", "/service-role/"},
		{roleType, "path", "/teams/a.b/c_d/"},
		{roleType, "description", "Rôle (été)"},
		{roleType, "name", "app+role=1,2.3@x_y-z"},
		{policyType, "path", "/a/b.c/"},
		{policyType, "name", "Pol.icy+1=2"},
		{keyAliasType, "name", "alias/my/app_1-key"},
		{keyAliasType, "targetKeyId", aKeyARN},
		{logGroupType, "name", "/aws/lambda/my_function.v2#1"},
		{logGroupType, "name", "API-Gateway-Execution-Logs_abc/prod"},
		{logGroupType, "namePrefix", "/aws/vendedlogs/"},
		{logGroupType, "retentionInDays", 0.0},
		{logGroupType, "retentionInDays", 3653.0},
		{logGroupType, "kmsKeyId", aKeyARN},
		{certificateType, "domainName", "*.api.example.co.uk"},
		{certificateType, "domainName", "xn--bcher-kva.example"},
		{domainType, "domainName", "*.example.com"},
		{zoneType, "name", "example.com."},
		{zoneType, "name", "10.in-addr.arpa"},
		{recordType, "name", "_acme-challenge.example.com"},
		{recordType, "name", "*.example.com"},
		{recordType, "name", "_x1.example.com."},
		{recordType, "type", "CAA"},
		{recordType, "records", []any{"v=spf1 include:example.com ~all"}},
		{bucketType, "bucket", "my.bucket-1.example.com"},
		{bucketType, "bucketPrefix", "trail-"},
		{tableType, "name", "My.Table_1-x"},
		{tableType, "hashKey", "pk#1"},
		{alarmType, "name", "5xx > 1 % – Läufe (prod)/api:v1"},
		{alarmType, "namespace", "My App/Sub.Space#1:x_y-z"},
		{alarmType, "metricName", "Requests per second (p99)"},
		{alarmType, "period", 10.0},
		{alarmType, "period", 300.0},
		{alarmType, "alarmActions", []any{"arn:aws:automate:us-east-1:ec2:stop"}},
		{alarmType, "alarmActions", []any{"arn:aws:lambda:us-east-1:123456789012:function:f:live"}},
		{alarmType, "extendedStatistic", "p99.9"},
		{alarmType, "extendedStatistic", "tm99"},
		{alarmType, "extendedStatistic", "PR(:300)"},
		{alarmType, "treatMissingData", "ignore"},
		{permissionType, "function", "123456789012:function:f"},
		{permissionType, "function", "arn:aws:lambda:us-east-1:000000000000:function:f"},
		{permissionType, "action", "lambda:*"},
		{permissionType, "action", "lambda:InvokeFunctionUrl"},
		{permissionType, "principal", "arn:aws:iam::123456789012:role/x"},
		{permissionType, "principal", "123456789012"},
		{permissionType, "principal", "*"},
		{permissionType, "sourceArn", "arn:aws:execute-api:us-east-1:000000000000:abc123/*/GET/items/{id+}"},
		{permissionType, "sourceArn", "arn:aws:s3:::my.bucket"},
		{permissionType, "sourceArn", "arn:aws:execute-api:us-iso-east-1:123456789012:abc/*"},
		{permissionType, "sourceArn", "arn:aws-eusc:execute-api:eusc-de-east-1:123456789012:abc/*"},
		{permissionType, "statementId", "Allow-API_1"},
		{permissionType, "qualifier", "live"},
		{aliasType, "functionName", "arn:aws:lambda:us-east-1:000000000000:function:f"},
		{aliasType, "name", "PROD_v1-2"},
		{resourceServerType, "identifier", "https://api.example.com/items?x=1"},
		{resourceServerType, "identifier", "urn:items:api"},
		{resourceServerType, "name", "Items_API +=,.@-1"},
		{poolType, "name", "users of items, prod"},
		{poolType, "emailVerificationMessage", "Hallo! Dein Code: {####}\n– das Team"},
		{poolType, "emailVerificationSubject", "Dein Code – jetzt"},
		{poolType, "smsAuthenticationMessage", "Code {####}"},
		{poolClientType, "callbackUrls", []any{"myapp://callback", "http://localhost:3000/x?y=z"}},
		{poolClientType, "allowedOauthScopes", []any{"openid", "https://a.example/items:read"}},
		{poolClientType, "supportedIdentityProviders", []any{"COGNITO", "SignInWithApple", "My SAML 1"}},
		{poolClientType, "refreshTokenValidity", 0.0},
		{poolClientType, "explicitAuthFlows", []any{"ALLOW_USER_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}},
		{poolDomainType, "domain", "my-items-prod"},
		{poolDomainType, "domain", "auth.laws.example.com"},
		{keyType, "description", "Schlüssel – für „alles“"},
		{keyType, "deletionWindowInDays", 7.0},
		{keyType, "customerMasterKeySpec", "SYMMETRIC_DEFAULT"},
		{trailType, "tags", map[string]any{"team": "a"}},
		{trailType, "s3KeyPrefix", "logs/2026"},
		{integrationType, "payloadFormatVersion", "1.0"},
		{routeType, "routeKey", "ANY /files/{proxy+}"},
		{routeType, "routeKey", "$default"},
		{routeType, "operationName", "List.items"},
		{stageType, "name", "$default"},
		{stageType, "name", "v1-beta_2"},
		{apiType, "name", "Items – Läufe / prod"},
		{apiType, "version", "2026-01-01"},
		{apiType, "corsConfiguration", map[string]any{"allowOrigins": []any{"https://*"}, "maxAge": -1.0}},
		{vpcType, "cidrBlock", "10.0.0.0/16"},
		{vpcType, "cidrBlock", "100.64.0.0/16"},
		{securityGroupType, "name", "web (prod) #1: a/b"},
		{securityGroupType, "description", "Managed by Pulumi; ports [443], {x} & $1!*"},
		{applicationType, "name", "My app/1"},
	}
	server, _ := server(t)
	for _, c := range cases {
		typ := server.p.types[c.token]
		if typ.property(c.property) == nil {
			t.Errorf("%s has no %s", c.token, c.property)
			continue
		}
		in := values{c.property: c.value}
		_, failures := typ.check(server.p, nil, in, autonaming{resource: "x", random: "0123456789ab"})
		for _, f := range failures {
			if strings.FieldsFunc(f.Property, func(r rune) bool { return r == '.' || r == '[' })[0] == c.property {
				t.Errorf("%s: %s is refused: %s", c.token, text(c.value), f.Reason)
			}
		}
	}
}
