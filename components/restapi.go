// Package components holds the Pulumi component of the REST API. It ranges
// over the declaration in internal/api; it must not import the handler or the
// local cloud.
package components

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
	"items-api/internal/store"
)

// Token is the component's type.
const Token = "items:api:RestApi"

// NoReservation is a ReservedConcurrency with which functions share what the
// account has left. AWS's provider writes it in the same way.
const NoReservation = -1

// defaultReservation is the field's usual example: a tenth of the account's
// limit as AWS gives it.
const defaultReservation = 100

// burstFor returns how many requests a route may let in at once: as many as the
// function may work on, but not more than API Gateway's account limit of 5,000.
func burstFor(reserved int) int {
	if reserved == NoReservation {
		return defaultReservation
	}
	return min(max(reserved, 1), 5000)
}

// RestAPIArgs are chosen at deployment time.
type RestAPIArgs struct {
	// Package is the path of the handler's zip.
	Package string
	// Architecture is arm64 or x86_64; arm64 if empty.
	Architecture string
	// MemoryMB is the function's memory, 128 to 10,240 MB; 256 if 0.
	MemoryMB int
	// TimeoutSeconds is the function's time-out, 1 to 29 s, so that it ends
	// before the integration's, which is one second longer; 10 if 0.
	TimeoutSeconds int
	// ReservedConcurrency is what each function reserves of the account's
	// limit, at least 1, or NoReservation; 100 if 0.
	ReservedConcurrency int
	// LogRetentionDays is one of the values that CloudWatch Logs accepts; 30 if 0.
	LogRetentionDays int
	// ThrottleRate is in requests per second, ThrottleBurst in requests; both
	// hold for each route. If they are 0, the rate is 100, and the burst what
	// each function reserves, or 100 if nothing is reserved.
	ThrottleRate  float64
	ThrottleBurst int
	CORS          CORS
	Auth          Auth
	Release       Release
	Alarms        Alarms
	Domain        Domain
	Network       Network
	Encryption    Encryption
	Audit         Audit
	Table         Table
	// Schema guards the table; nothing does if it is nil.
	Schema *SchemaGuard
	// DeletionProtection keeps table and user pool from being deleted, and the
	// key and the audit trail's bucket when their options are switched off.
	DeletionProtection bool
	Tags               map[string]string
}

// RestAPI is a serverless REST API: gateway, function and table.
type RestAPI struct {
	pulumi.ResourceState

	// URL is where clients reach the API, without a trailing slash. Endpoint is
	// the API's own, which answers 404 if there is a custom domain; DomainTarget
	// is what the domain's name has to be an alias of.
	URL, Endpoint, DomainTarget pulumi.StringOutput

	APIID     pulumi.StringOutput
	TableName pulumi.StringOutput
	// UserPoolID and UserPoolClientID are set in the mode cognito, the outputs
	// of the authorizer in the mode lambda.
	UserPoolID, UserPoolClientID                  pulumi.StringOutput
	AuthorizerName, AuthorizerLog, AuthorizerRole pulumi.StringOutput
	// Zones are the availability zones of the private network.
	Zones []string
	// SignInCommand is set with Auth.AdminPasswordAuth: lines for a POSIX shell
	// that make a user and put a token into the variable TOKEN.
	SignInCommand pulumi.StringOutput
	// AuditBucket is set when the audit trail is enabled.
	AuditBucket  pulumi.StringOutput
	FunctionName pulumi.StringOutput
	// Version is the newest published version of the function, LiveVersion the
	// one that answers, apart from a canary.
	Version, LiveVersion pulumi.StringOutput
	// ReleaseCommand and RollbackCommand are set with a strategy of CodeDeploy:
	// command lines for a POSIX shell that move the alias to the newest version,
	// and to the one that VERSION names.
	ReleaseCommand, RollbackCommand pulumi.StringOutput

	RoleName    pulumi.StringOutput
	LogGroup    pulumi.StringOutput
	AccessLog   pulumi.StringOutput
	table       *dynamodb.Table
	functionLog *cloudwatch.LogGroup
	accessLog   *cloudwatch.LogGroup
	roles       []functionRole
	role        *iam.Role
	policy      *iam.RolePolicy
	network     *network
	key         *kms.Key
	function    *lambda.Function
	authorizer  *lambda.Function // of the mode lambda
	alias       *lambda.Alias
	alarms      pulumi.StringArray
	api         *apigatewayv2.Api
	stage       *apigatewayv2.Stage
	domain      *apigatewayv2.DomainName
	beforeAPI   []pulumi.Resource
}

// NewRestAPI composes the API.
func NewRestAPI(
	ctx *pulumi.Context,
	name string,
	args *RestAPIArgs,
	opts ...pulumi.ResourceOption,
) (*RestAPI, error) {
	a := args.withDefaults()
	if err := errors.Join(a.check(), a.Audit.checkName(ctx, name)); err != nil {
		return nil, fmt.Errorf("the arguments of the RestApi %s: %w", name, err)
	}
	r := &RestAPI{}
	if err := ctx.RegisterComponentResource(Token, name, r, opts...); err != nil {
		return nil, fmt.Errorf("registering the RestApi %s: %w", name, err)
	}
	for _, part := range []func(*pulumi.Context, string, RestAPIArgs) error{
		r.addRoles, r.addKey, r.addTable, r.addLogs, r.addRole, r.addNetwork, r.addFunction, r.addRelease,
		r.addDomain, r.addGateway, r.addMapping, r.addAlarms, r.addCodeDeploy, r.addAudit,
	} {
		if err := part(ctx, name, a); err != nil {
			return nil, err
		}
	}
	r.TableName, r.FunctionName, r.RoleName = r.table.Name, r.function.Name, r.role.Name
	r.Version, r.LiveVersion = r.function.Version, r.alias.FunctionVersion
	r.LogGroup, r.AccessLog = r.functionLog.Name, r.accessLog.Name
	r.APIID = r.api.ID().ToStringOutput()
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{
		"url":          r.URL,
		"endpoint":     r.Endpoint,
		"apiId":        r.APIID,
		"tableName":    r.TableName,
		"functionName": r.FunctionName,
		"version":      r.Version,
		"liveVersion":  r.LiveVersion,
		"roleName":     r.RoleName,
		"logGroup":     r.LogGroup,
		"accessLog":    r.AccessLog,
	})
}

func (a *RestAPIArgs) withDefaults() RestAPIArgs {
	var out RestAPIArgs
	if a != nil {
		out = *a
	}
	if out.Release.Strategy == "" {
		out.Release.Strategy = AllAtOnce
	}
	if out.Architecture == "" {
		out.Architecture = "arm64"
	}
	for _, d := range []struct {
		field *int
		value int
	}{
		{&out.MemoryMB, 256},
		{&out.TimeoutSeconds, 10},
		{&out.ReservedConcurrency, defaultReservation},
		{&out.LogRetentionDays, 30},
		{&out.Alarms.LatencyMs, 2000},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if out.Alarms.ErrorPercent == 0 {
		out.Alarms.ErrorPercent = 5
	}
	if out.ThrottleRate == 0 {
		out.ThrottleRate = 100
	}
	if out.ThrottleBurst == 0 {
		out.ThrottleBurst = burstFor(out.ReservedConcurrency)
	}
	out.Network, out.Audit = out.Network.withDefaults(), out.Audit.withDefaults()
	return out
}

func (a RestAPIArgs) check() error {
	var errs []error
	if a.Package == "" {
		errs = append(errs, errors.New("Package is missing: the path of the handler's zip"))
	}
	if a.TimeoutSeconds < 1 || a.TimeoutSeconds > 29 {
		errs = append(errs, fmt.Errorf("TimeoutSeconds must be from 1 to 29, not %d", a.TimeoutSeconds))
	}
	if a.ReservedConcurrency < 1 && a.ReservedConcurrency != NoReservation {
		errs = append(
			errs,
			fmt.Errorf(
				"ReservedConcurrency must be at least 1, or NoReservation, not %d",
				a.ReservedConcurrency,
			),
		)
	}
	if a.ThrottleRate < 0 || a.ThrottleBurst < 0 {
		errs = append(errs, errors.New("ThrottleRate and ThrottleBurst must not be negative"))
	}
	errs = append(errs, api.Check(), store.Check())
	return errors.Join(
		append(
			errs,
			a.CORS.check(),
			a.Auth.check(),
			a.Release.check(),
			a.Alarms.check(),
			a.Domain.check(),
			a.Network.check(),
			a.Audit.check(),
		)...)
}

// child returns the options of a child: its parent and what it waits for.
func (r *RestAPI) child(after ...pulumi.Resource) []pulumi.ResourceOption {
	out := []pulumi.ResourceOption{pulumi.Parent(r)}
	if len(after) > 0 {
		out = append(out, pulumi.DependsOn(after))
	}
	return out
}
