package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/components"
	"items-api/internal/api"
	"items-api/internal/build"
)

// LocalAccount is the account of the local cloud.
const LocalAccount = "000000000000"

// Deploy is the program of every stack.
func Deploy(ctx *pulumi.Context) error {
	s, err := Load(ctx)
	if err == nil {
		err = errors.Join(
			s.Check(ctx.Stack()),
			s.Domain.checkRegion(region(ctx)),
			s.Alarms.checkRegion(region(ctx)),
			s.Network.checkRegion(region(ctx)),
		)
	}
	if err != nil {
		return fmt.Errorf(
			"the configuration of the stack %s is invalid; correct Pulumi.%s.yaml:\n%w",
			ctx.Stack(),
			ctx.Stack(),
			err,
		)
	}
	target, err := compiledFor(ctx, s)
	if err != nil {
		return err
	}
	if s, err = s.sized(ctx); err != nil {
		return err
	}
	root, err := build.Root(".")
	if err != nil {
		return err
	}
	var zips Packages
	if zips.Handler, err = build.Function(context.Background(), root, "./handler", target); err != nil {
		return err
	}
	if s.Auth.Mode == api.AuthLambda {
		if zips.Authorizer, err = build.Function(
			context.Background(),
			root,
			"./handler/authorizer",
			target,
		); err != nil {
			return err
		}
	}
	return Compose(ctx, s, zips)
}

// Load reads the configuration. Under the pulumi command all keys can be seen,
// so that unknown ones are found; otherwise the known ones are asked for.
func Load(ctx *pulumi.Context) (Settings, error) {
	config := map[string]string{}
	if text := os.Getenv(pulumi.EnvConfig); text != "" {
		if err := json.Unmarshal([]byte(text), &config); err != nil {
			return Settings{}, fmt.Errorf("reading the configuration that pulumi passed: %w", err)
		}
	}
	for _, key := range Keys() {
		if v, ok := ctx.GetConfig(Namespace + ":" + key); ok {
			config[Namespace+":"+key] = v
		}
	}
	return Parse(config)
}

// Packages are the paths of the functions' zips. There is an authorizer in the
// mode lambda only.
type Packages struct{ Handler, Authorizer string }

// Compose makes the component of built functions and exports its outputs. What
// follows from the account's limit stands in the settings as a number.
func Compose(ctx *pulumi.Context, s Settings, zips Packages) error {
	before, err := lastDeployment(ctx)
	if err != nil {
		return err
	}
	guard, err := s.guard(ctx, before)
	if err != nil {
		return err
	}
	r, err := components.NewRestAPI(ctx, "items", &components.RestAPIArgs{
		Schema:              guard,
		Table:               components.Table(s.Table),
		Package:             zips.Handler,
		Architecture:        s.Architecture.Lambda(),
		MemoryMB:            s.MemoryMB,
		TimeoutSeconds:      s.TimeoutSeconds,
		ReservedConcurrency: s.ReservedConcurrency,
		LogRetentionDays:    s.LogRetentionDays,
		ThrottleRate:        float64(s.ThrottleRate),
		ThrottleBurst:       s.ThrottleBurst,
		CORS: components.CORS{
			Origins:          s.CORSOrigins,
			AllowHeaders:     s.CORS.AllowHeaders,
			ExposeHeaders:    s.CORS.ExposeHeaders,
			MaxAgeSeconds:    s.CORS.MaxAgeSeconds,
			AllowCredentials: s.CORS.AllowCredentials,
		},
		Auth: components.Auth{
			Mode:              s.Auth.Mode,
			Issuer:            s.Auth.Issuer,
			Audiences:         s.Auth.Audiences,
			MFA:               s.Auth.MFA,
			SelfSignUp:        s.Auth.SelfSignUp,
			SignInDomain:      s.Auth.SignInDomain,
			CallbackURLs:      s.Auth.CallbackURLs,
			Package:           zips.Authorizer,
			CacheSeconds:      s.Auth.CacheSeconds,
			AdminPasswordAuth: s.adminPasswordAuth(),
		},
		Release: components.Release{
			Strategy:      s.Release.Strategy,
			Version:       string(s.Release.Version),
			CanaryPercent: s.Canary.Weight,
		},
		Domain:             s.Domain.component(),
		Alarms:             components.Alarms(s.Alarms),
		Network:            s.Network.component(before.zones),
		Encryption:         components.Encryption(s.Encryption),
		Audit:              components.Audit(s.Audit),
		DeletionProtection: s.DeletionProtection,
		Tags:               s.Tags,
	})
	if err != nil {
		return err
	}
	ctx.Export("url", r.URL)
	ctx.Export("endpoint", r.Endpoint)
	if s.Domain.Name != "" && s.Domain.ZoneID == "" {
		ctx.Export("domainTarget", r.DomainTarget)
	}
	ctx.Export("apiId", r.APIID)
	ctx.Export("tableName", r.TableName)
	ctx.Export("tableRetained", pulumi.Bool(s.DeletionProtection))
	ctx.Export("functionName", r.FunctionName)
	ctx.Export("version", r.Version)
	ctx.Export("liveVersion", r.LiveVersion)
	ctx.Export("roleName", r.RoleName)
	ctx.Export("logGroup", r.LogGroup)
	ctx.Export("accessLog", r.AccessLog)
	ctx.Export("authMode", pulumi.String(string(s.Auth.Mode)))
	switch s.Auth.Mode {
	case api.AuthCognito:
		ctx.Export("userPoolId", r.UserPoolID)
		ctx.Export("userPoolClientId", r.UserPoolClientID)
		if s.adminPasswordAuth() {
			ctx.Export("signIn", r.SignInCommand)
		}
	case api.AuthLambda:
		ctx.Export("authorizerName", r.AuthorizerName)
		ctx.Export("authorizerRole", r.AuthorizerRole)
		ctx.Export("authorizerLog", r.AuthorizerLog)
	}
	if s.Release.Strategy.CodeDeploy() {
		ctx.Export("release", r.ReleaseCommand)
		ctx.Export("rollback", r.RollbackCommand)
	}
	ctx.Export(
		"tryIt",
		pulumi.Sprintf(
			`curl -sS%s -X POST %s/items%s -H 'content-type: application/json' -d '{"name":"first"}'`,
			s.Domain.curl(),
			r.URL,
			CurlHeader(s.Auth.Mode),
		),
	)
	if s.Audit.Enabled {
		ctx.Export("auditBucket", r.AuditBucket)
	}
	if len(r.Zones) > 0 {
		ctx.Export("zones", pulumi.ToStringArray(r.Zones))
	}
	return nil
}

// CurlHeader returns the argument with which curl sends what a mode asks for,
// from the variable TOKEN or KEY; "" if it asks for nothing.
func CurlHeader(mode api.AuthMode) string {
	switch mode {
	case api.AuthCognito, api.AuthJWT:
		return ` -H "authorization: Bearer $TOKEN"`
	case api.AuthLambda:
		return ` -H "` + api.APIKeyHeader + `: $KEY"`
	}
	return ""
}
