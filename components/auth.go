package components

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cognito"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
	"items-api/internal/apikey"
)

// Auth chooses how callers are authenticated.
type Auth struct {
	// Mode must be given.
	Mode api.AuthMode

	// Issuer and Audiences are for the mode jwt. AWS asks the issuer for its
	// discovery document when the authorizer is made.
	Issuer    string
	Audiences []string

	// MFA of the mode cognito is off, optional or required; optional if empty.
	MFA string
	// SelfSignUp lets everybody register with the user pool; otherwise its
	// administrators make users.
	SelfSignUp bool
	// SignInDomain is the prefix of the sign-in page's domain, unique in the
	// region; there is no such page if it is empty.
	SignInDomain string
	// CallbackURLs are where the sign-in page may send users back to.
	CallbackURLs []string

	// AdminPasswordAuth lets administrators of the mode cognito sign users in
	// with a password (AdminInitiateAuth), for which AWS credentials are needed.
	AdminPasswordAuth bool

	// Package of the mode lambda is the path of the authorizer's zip.
	Package string
	// CacheSeconds is how long the gateway keeps what the authorizer decided,
	// 0 to 3,600 s; a revoked key may be good for that long.
	CacheSeconds int
}

// mfaModes are Cognito's names of what Auth.MFA may be.
var mfaModes = map[string]string{"": "OPTIONAL", "optional": "OPTIONAL", "off": "OFF", "required": "ON"}

func (a Auth) check() error {
	var errs []error
	need := func(missing bool, what string) {
		if missing {
			errs = append(errs, fmt.Errorf("%s is missing: the mode %s needs it", what, a.Mode))
		}
	}
	switch a.Mode {
	case api.AuthNone, api.AuthCognito:
	case api.AuthJWT:
		need(a.Issuer == "", "Auth.Issuer")
		need(len(a.Audiences) == 0, "Auth.Audiences")
	case api.AuthLambda:
		need(a.Package == "", "Auth.Package")
	default:
		errs = append(errs, fmt.Errorf("Auth.Mode must be one of %v, not %q", api.AuthModes(), a.Mode))
	}
	if mfaModes[a.MFA] == "" {
		errs = append(errs, fmt.Errorf("Auth.MFA must be off, optional or required, not %q", a.MFA))
	}
	if a.CacheSeconds < 0 || a.CacheSeconds > 3600 {
		errs = append(errs, fmt.Errorf("Auth.CacheSeconds must be from 0 to 3600, not %d", a.CacheSeconds))
	}
	if len(a.CallbackURLs) > 0 != (a.SignInDomain != "") {
		errs = append(errs, errors.New("Auth.SignInDomain and Auth.CallbackURLs need each other"))
	}
	return errors.Join(errs...)
}

// guard is what a route needs to be protected.
type guard struct {
	kind       string // of authorization
	authorizer *apigatewayv2.Authorizer
}

// scopes returns what a token must have one of for a route.
func (a Auth) scopes(route api.Route) pulumi.StringArrayInput {
	switch a.Mode {
	case api.AuthCognito:
		return pulumi.ToStringArray(
			[]string{api.ResourceServer + "/" + string(route.Scope), api.SignedInScope},
		)
	case api.AuthJWT:
		return pulumi.ToStringArray([]string{string(route.Scope)})
	}
	// An authorizer function checks scopes itself.
	return nil
}

// caller is the access log's variable that names the caller.
func (a Auth) caller() string {
	switch a.Mode {
	case api.AuthCognito, api.AuthJWT:
		return "$context.authorizer.claims.sub"
	case api.AuthLambda:
		return "$context.authorizer." + api.ContextOwner
	}
	return api.AnonymousOwner
}

func (r *RestAPI) addGuard(ctx *pulumi.Context, name string, a RestAPIArgs) (*guard, error) {
	switch a.Auth.Mode {
	case api.AuthCognito:
		issuer, client, err := r.addUserPool(ctx, name, a)
		if err != nil {
			return nil, err
		}
		return r.addJWT(ctx, name+"-cognito", issuer, pulumi.StringArray{client})
	case api.AuthJWT:
		return r.addJWT(
			ctx,
			name+"-jwt",
			pulumi.String(a.Auth.Issuer),
			pulumi.ToStringArray(a.Auth.Audiences),
		)
	case api.AuthLambda:
		return r.addKeyAuthorizer(ctx, name, a)
	}
	return nil, nil
}

func (r *RestAPI) addJWT(
	ctx *pulumi.Context,
	name string,
	issuer pulumi.StringInput,
	audiences pulumi.StringArrayInput,
) (*guard, error) {
	authorizer, err := apigatewayv2.NewAuthorizer(ctx, name, &apigatewayv2.AuthorizerArgs{
		ApiId:            r.api.ID(),
		AuthorizerType:   pulumi.String("JWT"),
		IdentitySources:  pulumi.ToStringArray([]string{"$request.header.Authorization"}),
		JwtConfiguration: apigatewayv2.AuthorizerJwtConfigurationArgs{Issuer: issuer, Audiences: audiences},
	}, r.child()...)
	if err != nil {
		return nil, fmt.Errorf("creating the JWT authorizer: %w", err)
	}
	return &guard{kind: "JWT", authorizer: authorizer}, nil
}

// addUserPool returns the pool's issuer and the id of its client.
func (r *RestAPI) addUserPool(
	ctx *pulumi.Context,
	name string,
	a RestAPIArgs,
) (pulumi.StringInput, pulumi.StringInput, error) {
	protection := "INACTIVE"
	if a.DeletionProtection {
		protection = "ACTIVE"
	}
	mfa := mfaModes[a.Auth.MFA]
	var software cognito.UserPoolSoftwareTokenMfaConfigurationPtrInput
	if mfa != "OFF" {
		// AWS refuses a kind of MFA while MFA is off.
		software = cognito.UserPoolSoftwareTokenMfaConfigurationArgs{Enabled: pulumi.Bool(true)}
	}
	pool, err := cognito.NewUserPool(ctx, name, &cognito.UserPoolArgs{
		DeletionProtection:            pulumi.String(protection),
		MfaConfiguration:              pulumi.String(mfa),
		SoftwareTokenMfaConfiguration: software,
		AdminCreateUserConfig: cognito.UserPoolAdminCreateUserConfigArgs{
			AllowAdminCreateUserOnly: pulumi.Bool(!a.Auth.SelfSignUp),
		},
		UsernameAttributes:     pulumi.ToStringArray([]string{"email"}),
		AutoVerifiedAttributes: pulumi.ToStringArray([]string{"email"}),
		UsernameConfiguration: cognito.UserPoolUsernameConfigurationArgs{
			CaseSensitive: pulumi.Bool(false),
		},
		// Length counts for more than kinds of characters (NIST SP 800-63B).
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
		Tags: pulumi.ToStringMap(a.Tags),
	}, r.child()...)
	if err != nil {
		return nil, nil, fmt.Errorf("creating the user pool: %w", err)
	}
	scopes := cognito.ResourceServerScopeArray{}
	granted := []string{"openid"}
	for _, s := range slices.Sorted(maps.Keys(api.Scopes())) {
		scopes = append(scopes, cognito.ResourceServerScopeArgs{
			ScopeName:        pulumi.String(string(s)),
			ScopeDescription: pulumi.String(api.Scopes()[s]),
		})
		granted = append(granted, api.ResourceServer+"/"+string(s))
	}
	server, err := cognito.NewResourceServer(ctx, name, &cognito.ResourceServerArgs{
		UserPoolId: pool.ID(),
		Identifier: pulumi.String(api.ResourceServer),
		Scopes:     scopes,
	}, r.child()...)
	if err != nil {
		return nil, nil, fmt.Errorf("creating the resource server: %w", err)
	}
	args := &cognito.UserPoolClientArgs{
		UserPoolId:                 pool.ID(),
		GenerateSecret:             pulumi.Bool(false),
		PreventUserExistenceErrors: pulumi.String("ENABLED"),
		EnableTokenRevocation:      pulumi.Bool(true),
		// Passwords never reach the API's own code.
		ExplicitAuthFlows:    pulumi.ToStringArray(a.Auth.flows()),
		AccessTokenValidity:  pulumi.Int(60),
		IdTokenValidity:      pulumi.Int(60),
		RefreshTokenValidity: pulumi.Int(30),
		TokenValidityUnits: cognito.UserPoolClientTokenValidityUnitsArgs{
			AccessToken:  pulumi.String("minutes"),
			IdToken:      pulumi.String("minutes"),
			RefreshToken: pulumi.String("days"),
		},
	}
	if a.Auth.SignInDomain != "" {
		if _, err := cognito.NewUserPoolDomain(ctx, name, &cognito.UserPoolDomainArgs{
			UserPoolId: pool.ID(),
			Domain:     pulumi.String(a.Auth.SignInDomain),
		}, r.child()...); err != nil {
			return nil, nil, fmt.Errorf("creating the sign-in domain: %w", err)
		}
		args.AllowedOauthFlowsUserPoolClient, args.AllowedOauthFlows = pulumi.Bool(
			true,
		), pulumi.ToStringArray(
			[]string{"code"},
		)
		args.AllowedOauthScopes, args.CallbackUrls = pulumi.ToStringArray(
			granted,
		), pulumi.ToStringArray(
			a.Auth.CallbackURLs,
		)
		args.SupportedIdentityProviders = pulumi.ToStringArray([]string{"COGNITO"})
	}
	client, err := cognito.NewUserPoolClient(ctx, name, args, r.child(server)...)
	if err != nil {
		return nil, nil, fmt.Errorf("creating the user pool's client: %w", err)
	}
	r.UserPoolID, r.UserPoolClientID = pool.ID().ToStringOutput(), client.ID().ToStringOutput()
	if a.Auth.AdminPasswordAuth {
		r.SignInCommand = pulumi.All(pool.Arn, pool.ID(), client.ID()).ApplyT(func(v []any) (string, error) {
			return signInCommand(v[0].(string), string(v[1].(pulumi.ID)), string(v[2].(pulumi.ID)))
		}).(pulumi.StringOutput)
	}
	return pulumi.Sprintf("https://%s", pool.Endpoint), client.ID().ToStringOutput(), nil
}

// addKeyAuthorizer makes the authorizer for API keys: a function of its own
// with a role of its own, which may read the records of keys and nothing else.
func (r *RestAPI) addKeyAuthorizer(ctx *pulumi.Context, name string, a RestAPIArgs) (*guard, error) {
	child := name + "-authorizer"
	log, err := r.addLogGroup(ctx, child, a)
	if err != nil {
		return nil, err
	}
	role, policy, err := r.addFunctionRole(ctx, child, a, log, keyStatement)
	if err != nil {
		return nil, err
	}
	// It waits for the handler, which may have to give up some of what it
	// reserves of the account's limit before the authorizer can reserve as much.
	function, err := r.newFunction(ctx, child, a, functionArgs{
		description:    "Checks the API keys of " + name,
		zip:            a.Auth.Package,
		role:           role,
		log:            log,
		timeoutSeconds: 5,
		variables:      pulumi.StringMap{api.EnvTableName: r.table.Name},
	}, policy, r.function)
	if err != nil {
		return nil, err
	}
	alias, err := r.addAlias(ctx, child, function)
	if err != nil {
		return nil, err
	}
	// All authorizers of this API, of which this is the only one: naming it by
	// its id would let the permission come only after the gateway asks.
	permission, err := r.addPermission(ctx, child+"-"+Alias, "Authorizer", alias, "authorizers/*")
	if err != nil {
		return nil, err
	}
	r.authorizer = function
	r.AuthorizerName, r.AuthorizerLog, r.AuthorizerRole = function.Name, log.Name, role.Name
	authorizer, err := apigatewayv2.NewAuthorizer(ctx, name+"-key", &apigatewayv2.AuthorizerArgs{
		ApiId:                          r.api.ID(),
		AuthorizerType:                 pulumi.String("REQUEST"),
		AuthorizerUri:                  alias.InvokeArn,
		AuthorizerPayloadFormatVersion: pulumi.String("2.0"),
		EnableSimpleResponses:          pulumi.Bool(true),
		// The route is part of what a decision is kept by, because scopes
		// differ from route to route.
		IdentitySources: pulumi.ToStringArray(
			[]string{"$request.header." + api.APIKeyHeader, "$context.routeKey"},
		),
		AuthorizerResultTtlInSeconds: pulumi.Int(a.Auth.CacheSeconds),
	}, r.child(permission)...)
	if err != nil {
		return nil, fmt.Errorf("creating the authorizer for API keys: %w", err)
	}
	return &guard{kind: "CUSTOM", authorizer: authorizer}, nil
}

// keyStatement lets the authorizer read the records of keys.
func keyStatement(tableARN string) statement {
	return statement{
		Sid:      "Keys",
		Effect:   "Allow",
		Action:   apikey.Actions(),
		Resource: []string{tableARN},
		Condition: map[string]map[string][]string{
			"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": {api.KeyPartition}},
		},
	}
}
