// Package previous composes the API as the release before aliases did, with
// the names and inputs that its resources had: upgrades are tried from the
// state that it leaves. It holds what a deployment with a user pool had, and
// is not to be changed with the component.
package previous

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cognito"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
	"items-api/internal/store"
)

const name = "items"

type restAPI struct {
	pulumi.ResourceState
	child pulumi.ResourceOption
}

// Compose makes the API of a handler's zip for an architecture and exports
// what the release exported.
func Compose(ctx *pulumi.Context, zip, architecture string) error {
	r := &restAPI{}
	if err := ctx.RegisterComponentResource("items:api:RestApi", name, r); err != nil {
		return err
	}
	r.child = pulumi.Parent(r)
	table, err := r.table(ctx)
	if err != nil {
		return err
	}
	logs, err := cloudwatch.NewLogGroup(
		ctx,
		name+"-function",
		&cloudwatch.LogGroupArgs{RetentionInDays: pulumi.Int(30)},
		r.child,
	)
	if err != nil {
		return err
	}
	access, err := cloudwatch.NewLogGroup(
		ctx,
		name+"-access",
		&cloudwatch.LogGroupArgs{RetentionInDays: pulumi.Int(30)},
		r.child,
	)
	if err != nil {
		return err
	}
	role, policy, err := r.role(ctx, table, logs)
	if err != nil {
		return err
	}
	function, err := lambda.NewFunction(ctx, name, &lambda.FunctionArgs{
		Description:                  pulumi.String("Answers the requests of items"),
		Runtime:                      pulumi.String("provided.al2023"),
		Handler:                      pulumi.String("bootstrap"),
		Architectures:                pulumi.StringArray{pulumi.String(architecture)},
		Code:                         pulumi.NewFileArchive(zip),
		Role:                         role.Arn,
		MemorySize:                   pulumi.Int(256),
		Timeout:                      pulumi.Int(10),
		ReservedConcurrentExecutions: pulumi.Int(10),
		Environment: lambda.FunctionEnvironmentArgs{Variables: pulumi.StringMap{
			api.EnvTableName: table.Name,
			api.EnvAuthMode:  pulumi.String(string(api.AuthCognito)),
		}},
		LoggingConfig: lambda.FunctionLoggingConfigArgs{
			LogFormat: pulumi.String("JSON"),
			LogGroup:  logs.Name,
		},
	}, r.child, pulumi.DependsOn([]pulumi.Resource{policy}))
	if err != nil {
		return err
	}
	gateway, err := apigatewayv2.NewApi(
		ctx,
		name,
		&apigatewayv2.ApiArgs{ProtocolType: pulumi.String("HTTP")},
		r.child,
	)
	if err != nil {
		return err
	}
	pool, client, authorizer, err := r.userPool(ctx, gateway)
	if err != nil {
		return err
	}
	if err := r.routes(ctx, gateway, function, authorizer, access); err != nil {
		return err
	}
	for key, v := range map[string]pulumi.Input{
		"url":              gateway.ApiEndpoint,
		"apiId":            gateway.ID(),
		"tableName":        table.Name,
		"functionName":     function.Name,
		"roleName":         role.Name,
		"logGroup":         logs.Name,
		"accessLog":        access.Name,
		"userPoolId":       pool.ID(),
		"userPoolClientId": client.ID(),
	} {
		ctx.Export(key, v)
	}
	return nil
}

func (r *restAPI) table(ctx *pulumi.Context) (*dynamodb.Table, error) {
	key := func(n string) dynamodb.TableAttributeInput {
		return dynamodb.TableAttributeArgs{Name: pulumi.String(n), Type: pulumi.String("S")}
	}
	return dynamodb.NewTable(ctx, name, &dynamodb.TableArgs{
		BillingMode:          pulumi.String("PAY_PER_REQUEST"),
		HashKey:              pulumi.String("PK"),
		RangeKey:             pulumi.String("SK"),
		Attributes:           dynamodb.TableAttributeArray{key("PK"), key("SK")},
		PointInTimeRecovery:  dynamodb.TablePointInTimeRecoveryArgs{Enabled: pulumi.Bool(true)},
		ServerSideEncryption: dynamodb.TableServerSideEncryptionArgs{Enabled: pulumi.Bool(true)},
		Ttl: dynamodb.TableTtlArgs{
			AttributeName: pulumi.String(api.TTLAttribute),
			Enabled:       pulumi.Bool(true),
		},
	}, r.child)
}

func (r *restAPI) role(
	ctx *pulumi.Context,
	table *dynamodb.Table,
	logs *cloudwatch.LogGroup,
) (*iam.Role, *iam.RolePolicy, error) {
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Description: pulumi.String("Runs the function of items"),
		AssumeRolePolicy: pulumi.String(
			`{"Version":"2012-10-17","Statement":[{"Sid":"AssumedByLambda","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":["sts:AssumeRole"]}]}`,
		),
	}, r.child)
	if err != nil {
		return nil, nil, err
	}
	document := pulumi.All(table.Arn, logs.Arn).ApplyT(func(arns []any) (string, error) {
		data, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{
			map[string]any{
				"Sid":       "Items",
				"Effect":    "Allow",
				"Action":    store.Actions(),
				"Resource":  []any{arns[0]},
				"Condition": map[string]any{"ForAllValues:StringLike": map[string]any{"dynamodb:LeadingKeys": []string{api.OwnerPartitions + "*"}}},
			},
			map[string]any{
				"Sid":      "Logs",
				"Effect":   "Allow",
				"Action":   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
				"Resource": []any{arns[1], fmt.Sprint(arns[1], ":log-stream:*")},
			},
		}})
		return string(data), err
	}).(pulumi.StringOutput)
	policy, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{
		Role:   role.Name,
		Policy: document,
	}, r.child)
	return role, policy, err
}

func (r *restAPI) userPool(
	ctx *pulumi.Context,
	gateway *apigatewayv2.Api,
) (*cognito.UserPool, *cognito.UserPoolClient, *apigatewayv2.Authorizer, error) {
	pool, err := cognito.NewUserPool(ctx, name, &cognito.UserPoolArgs{
		DeletionProtection: pulumi.String("INACTIVE"),
		MfaConfiguration:   pulumi.String("OPTIONAL"),
		SoftwareTokenMfaConfiguration: cognito.UserPoolSoftwareTokenMfaConfigurationArgs{
			Enabled: pulumi.Bool(true),
		},
		AdminCreateUserConfig: cognito.UserPoolAdminCreateUserConfigArgs{
			AllowAdminCreateUserOnly: pulumi.Bool(true),
		},
		UsernameAttributes:     pulumi.ToStringArray([]string{"email"}),
		AutoVerifiedAttributes: pulumi.ToStringArray([]string{"email"}),
		UsernameConfiguration: cognito.UserPoolUsernameConfigurationArgs{
			CaseSensitive: pulumi.Bool(false),
		},
		PasswordPolicy: cognito.UserPoolPasswordPolicyArgs{
			MinimumLength:                 pulumi.Int(12),
			RequireLowercase:              pulumi.Bool(true),
			RequireUppercase:              pulumi.Bool(true),
			RequireNumbers:                pulumi.Bool(true),
			RequireSymbols:                pulumi.Bool(false),
			TemporaryPasswordValidityDays: pulumi.Int(3),
		},
		AccountRecoverySetting: cognito.UserPoolAccountRecoverySettingArgs{
			RecoveryMechanisms: cognito.UserPoolAccountRecoverySettingRecoveryMechanismArray{
				cognito.UserPoolAccountRecoverySettingRecoveryMechanismArgs{
					Name:     pulumi.String("verified_email"),
					Priority: pulumi.Int(1),
				}},
		},
	}, r.child)
	if err != nil {
		return nil, nil, nil, err
	}
	server, err := cognito.NewResourceServer(ctx, name, &cognito.ResourceServerArgs{
		UserPoolId: pool.ID(),
		Identifier: pulumi.String(api.ResourceServer),
		Scopes: cognito.ResourceServerScopeArray{
			cognito.ResourceServerScopeArgs{
				ScopeName:        pulumi.String("items:read"),
				ScopeDescription: pulumi.String(api.Scopes()["items:read"]),
			},
			cognito.ResourceServerScopeArgs{
				ScopeName:        pulumi.String("items:write"),
				ScopeDescription: pulumi.String(api.Scopes()["items:write"]),
			},
		},
	}, r.child)
	if err != nil {
		return nil, nil, nil, err
	}
	client, err := cognito.NewUserPoolClient(ctx, name, &cognito.UserPoolClientArgs{
		UserPoolId:                 pool.ID(),
		GenerateSecret:             pulumi.Bool(false),
		PreventUserExistenceErrors: pulumi.String("ENABLED"),
		EnableTokenRevocation:      pulumi.Bool(true),
		ExplicitAuthFlows: pulumi.ToStringArray(
			[]string{"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"},
		),
		AccessTokenValidity:  pulumi.Int(60),
		IdTokenValidity:      pulumi.Int(60),
		RefreshTokenValidity: pulumi.Int(30),
		TokenValidityUnits: cognito.UserPoolClientTokenValidityUnitsArgs{
			AccessToken:  pulumi.String("minutes"),
			IdToken:      pulumi.String("minutes"),
			RefreshToken: pulumi.String("days"),
		},
	}, r.child, pulumi.DependsOn([]pulumi.Resource{server}))
	if err != nil {
		return nil, nil, nil, err
	}
	authorizer, err := apigatewayv2.NewAuthorizer(ctx, name+"-cognito", &apigatewayv2.AuthorizerArgs{
		ApiId:           gateway.ID(),
		AuthorizerType:  pulumi.String("JWT"),
		IdentitySources: pulumi.ToStringArray([]string{"$request.header.Authorization"}),
		JwtConfiguration: apigatewayv2.AuthorizerJwtConfigurationArgs{
			Issuer:    pulumi.Sprintf("https://%s", pool.Endpoint),
			Audiences: pulumi.StringArray{client.ID()},
		},
	}, r.child)
	return pool, client, authorizer, err
}

var pathParameter = regexp.MustCompile(`\{[^}]+\}`)

func (r *restAPI) routes(
	ctx *pulumi.Context,
	gateway *apigatewayv2.Api,
	function *lambda.Function,
	authorizer *apigatewayv2.Authorizer,
	access *cloudwatch.LogGroup,
) error {
	integration, err := apigatewayv2.NewIntegration(ctx, name, &apigatewayv2.IntegrationArgs{
		ApiId:                gateway.ID(),
		IntegrationType:      pulumi.String("AWS_PROXY"),
		IntegrationUri:       function.InvokeArn,
		PayloadFormatVersion: pulumi.String("2.0"),
		TimeoutMilliseconds:  pulumi.Int(11000),
	}, r.child)
	if err != nil {
		return err
	}
	var made []pulumi.Resource
	for _, route := range api.Routes() {
		child := name + "-" + strings.ToLower(string(route.Operation))
		args := &apigatewayv2.RouteArgs{
			ApiId:             gateway.ID(),
			RouteKey:          pulumi.String(route.Key()),
			OperationName:     pulumi.String(string(route.Operation)),
			Target:            pulumi.Sprintf("integrations/%s", integration.ID()),
			AuthorizationType: pulumi.String("NONE"),
		}
		if !route.Public {
			args.AuthorizationType, args.AuthorizerId = pulumi.String("JWT"), authorizer.ID()
			args.AuthorizationScopes = pulumi.ToStringArray(
				[]string{api.ResourceServer + "/" + string(route.Scope), api.SignedInScope},
			)
		}
		r1, err := apigatewayv2.NewRoute(ctx, child, args, r.child)
		if err != nil {
			return err
		}
		source := "$default/" + route.Method + pathParameter.ReplaceAllString(route.Path, "*")
		p, err := lambda.NewPermission(ctx, child, &lambda.PermissionArgs{
			Action:      pulumi.String("lambda:InvokeFunction"),
			Function:    function.Name,
			Principal:   pulumi.String("apigateway.amazonaws.com"),
			StatementId: pulumi.String(string(route.Operation)),
			SourceArn:   pulumi.Sprintf("%s/%s", gateway.ExecutionArn, source),
		}, r.child)
		if err != nil {
			return err
		}
		made = append(made, r1, p)
	}
	_, err = apigatewayv2.NewStage(ctx, name, &apigatewayv2.StageArgs{
		ApiId:      gateway.ID(),
		Name:       pulumi.String("$default"),
		AutoDeploy: pulumi.Bool(true),
		DefaultRouteSettings: apigatewayv2.StageDefaultRouteSettingsArgs{
			ThrottlingRateLimit:  pulumi.Float64(10000),
			ThrottlingBurstLimit: pulumi.Int(5000),
		},
		AccessLogSettings: apigatewayv2.StageAccessLogSettingsArgs{
			DestinationArn: access.Arn,
			Format:         pulumi.String(`{"requestId":"$context.requestId","status":"$context.status"}`),
		},
	}, r.child, pulumi.DependsOn(made))
	return err
}
