package components

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
)

// Alias is the name of the alias of each function that the gateway calls.
const Alias = "live"

// Strategy is the way from one version of the handler's function to the next.
type Strategy string

// The strategies. With AllAtOnce Pulumi moves the alias; with the others it
// leaves the alias alone, and AWS CodeDeploy moves it when it is told to.
const (
	AllAtOnce        Strategy = "all-at-once"
	CodeDeployLinear Strategy = "codedeploy-linear"
	CodeDeployCanary Strategy = "codedeploy-canary"
)

// Strategies returns all strategies.
func Strategies() []Strategy { return []Strategy{AllAtOnce, CodeDeployLinear, CodeDeployCanary} }

// CodeDeploy reports whether CodeDeploy moves the alias.
func (s Strategy) CodeDeploy() bool { return s == CodeDeployLinear || s == CodeDeployCanary }

// Release says which versions of the handler's function answer requests. Each
// deployment that changes code or configuration publishes a new version.
type Release struct {
	// Strategy is AllAtOnce if empty.
	Strategy Strategy
	// Version pins what answers to a published version, a number from 1. If it
	// is empty the newest version answers.
	Version string
	// CanaryPercent of the requests, chosen at random, go to the newest version,
	// from 0 to below 100; the rest goes to Version, or if that is empty to the
	// version that the alias points to before the deployment.
	CanaryPercent float64
}

var publishedVersion = regexp.MustCompile(`^[1-9][0-9]{0,8}$`)

// PublishedVersion reports whether a text can be the number of a published
// version.
func PublishedVersion(text string) bool { return publishedVersion.MatchString(text) }

func (r Release) check() error {
	var errs []error
	if s := r.Strategy; s != AllAtOnce && !s.CodeDeploy() {
		errs = append(errs, fmt.Errorf("Release.Strategy must be one of %v, not %q", Strategies(), s))
	}
	if r.Version != "" && !PublishedVersion(r.Version) {
		errs = append(
			errs,
			fmt.Errorf("Release.Version must be the number of a published version, not %q", r.Version),
		)
	}
	if r.CanaryPercent < 0 || r.CanaryPercent >= 100 {
		errs = append(
			errs,
			fmt.Errorf("Release.CanaryPercent must be from 0 to below 100, not %v", r.CanaryPercent),
		)
	}
	if r.Strategy.CodeDeploy() && (r.Version != "" || r.CanaryPercent > 0) {
		errs = append(
			errs,
			fmt.Errorf(
				"Release.Version and Release.CanaryPercent are not possible with the strategy %s, with "+
					"which CodeDeploy moves the alias",
				r.Strategy,
			),
		)
	}
	return errors.Join(errs...)
}

// What the alias is described as says who moves it: when Pulumi takes it over
// from CodeDeploy it is written whatever the state says, since that does not
// know where CodeDeploy has moved it. And it tells an alias with a canary.
const (
	moved             = "What the gateway calls"
	split             = moved + ", with a canary"
	movedByCodeDeploy = moved + ", moved by CodeDeploy"
)

// addAlias makes the alias of a function that always points to its newest
// version.
func (r *RestAPI) addAlias(
	ctx *pulumi.Context,
	name string,
	function *lambda.Function,
) (*lambda.Alias, error) {
	return r.newAlias(ctx, name, &lambda.AliasArgs{
		FunctionName:    function.Name,
		FunctionVersion: function.Version,
	})
}

func (r *RestAPI) newAlias(
	ctx *pulumi.Context,
	name string,
	args *lambda.AliasArgs,
	opts ...pulumi.ResourceOption,
) (*lambda.Alias, error) {
	args.Name = pulumi.String(Alias)
	if args.Description == nil {
		args.Description = pulumi.String(moved)
	}
	alias, err := lambda.NewAlias(ctx, name, args, append(r.child(), opts...)...)
	if err != nil {
		return nil, fmt.Errorf("creating the alias of the function %s: %w", name, err)
	}
	return alias, nil
}

// addRelease makes the alias of the handler's function.
func (r *RestAPI) addRelease(ctx *pulumi.Context, name string, a RestAPIArgs) (err error) {
	if a.Release.Strategy.CodeDeploy() {
		r.alias, err = r.newAlias(ctx, name, &lambda.AliasArgs{
			FunctionName:    r.function.Name,
			FunctionVersion: r.whole(ctx, a),
			Description:     pulumi.String(movedByCodeDeploy),
		},
			pulumi.IgnoreChanges([]string{"functionVersion", "routingConfig"}))
		return err
	}
	args := &lambda.AliasArgs{FunctionName: r.function.Name}
	switch {
	case a.Release.Version != "":
		args.FunctionVersion = r.pinned(ctx, a)
	case a.Release.CanaryPercent > 0:
		args.FunctionVersion = r.answering(ctx, a)
	default:
		args.FunctionVersion = r.function.Version
	}
	if weight := a.Release.CanaryPercent / 100; weight > 0 {
		args.Description = pulumi.All(args.FunctionVersion, r.function.Version).ApplyT(func(versions []any) string {
			if versions[0] == versions[1] {
				return moved
			}
			return split
		}).(pulumi.StringOutput)
		args.RoutingConfig = pulumi.All(args.FunctionVersion, r.function.Version).ApplyT(func(versions []any) *lambda.AliasRoutingConfig {
			main, newest := versions[0].(string), versions[1].(string)
			if main == newest {
				return nil
			}
			return &lambda.AliasRoutingConfig{AdditionalVersionWeights: map[string]float64{newest: weight}}
		}).(lambda.AliasRoutingConfigPtrOutput)
	}
	r.alias, err = r.newAlias(ctx, name, args)
	return err
}

// pinned returns a version after it has been seen to exist and to fit, so that a
// preview fails for one that does not.
func (r *RestAPI) pinned(ctx *pulumi.Context, a RestAPIArgs) pulumi.StringOutput {
	return pulumi.All(r.function.Name, r.table.Name).ApplyT(func(names []any) (string, error) {
		return fits(ctx, names[0].(string), a.Release.Version, names[1].(string), a.Auth.Mode)
	}).(pulumi.StringOutput)
}

// fits returns a version that is to answer although it is not the newest. Its
// environment is as it was: one that knows callers in another way than the
// gateway would refuse all of them, or take all of them for one and the same.
func fits(ctx *pulumi.Context, name, version, table string, mode api.AuthMode) (string, error) {
	found, err := lambda.LookupFunction(ctx, &lambda.LookupFunctionArgs{
		FunctionName: name,
		Qualifier:    &version,
	})
	switch {
	case notFound(err):
		return "", fmt.Errorf(
			"the function %s has no version %s to go back to: name one of `aws lambda "+
				"list-versions-by-function --function-name %s`, or none for the newest",
			name,
			version,
			name,
		)
	case err != nil:
		return "", fmt.Errorf("looking up the version %s of the function %s, for which the deployer needs "+
			"lambda:GetFunction and lambda:GetFunctionCodeSigningConfig: %w", version, name, err)
	}
	const next = "let the newest version answer at once (strategy all-at-once, no version, no canary); " +
		"its code may be the old one"
	env := found.Environment.Variables
	if was := api.AuthMode(env[api.EnvAuthMode]); was != mode && !(tokens(was) && tokens(mode)) {
		return "", fmt.Errorf(
			"the version %s of the function %s, which would answer, is for callers of the mode %q, and "+
				"the gateway lets in those of the mode %q: %s",
			version,
			name,
			was,
			mode,
			next,
		)
	}
	if was := env[api.EnvTableName]; was != table {
		return "", fmt.Errorf(
			"the version %s of the function %s, which would answer, is for the table %q, and the "+
				"table is %s: %s",
			version,
			name,
			was,
			table,
			next,
		)
	}
	return found.Version, nil
}

// tokens reports whether callers of a mode show JWTs, whoever issues them.
func tokens(mode api.AuthMode) bool { return mode == api.AuthCognito || mode == api.AuthJWT }

// before looks the alias up as it is before this deployment; nil if there is
// none yet. The version that it points to goes on answering, and has to fit.
func (r *RestAPI) before(
	ctx *pulumi.Context,
	a RestAPIArgs,
	use func(name string, found *lambda.LookupAliasResult) (pulumi.StringOutput, error),
) pulumi.StringOutput {
	return pulumi.All(r.function.Name, r.table.Name).ApplyT(func(names []any) (pulumi.StringOutput, error) {
		name := names[0].(string)
		found, err := lambda.LookupAlias(ctx, &lambda.LookupAliasArgs{FunctionName: name, Name: Alias})
		switch {
		case notFound(err):
			return use(name, nil)
		case err != nil:
			return pulumi.StringOutput{}, fmt.Errorf("looking up which version of the function %s "+
				"answers, for which the deployer needs lambda:GetAlias: %w", name, err)
		}
		if _, err := fits(ctx, name, found.FunctionVersion, names[1].(string), a.Auth.Mode); err != nil {
			return pulumi.StringOutput{}, err
		}
		return use(name, found)
	}).(pulumi.StringOutput)
}

// whole returns the newest version after the alias has been seen not to have a
// canary. CodeDeploy fails with an alias that points to two versions, and would
// leave it so. Source: CodeDeploy User Guide, "Troubleshoot AWS Lambda
// deployment issues".
func (r *RestAPI) whole(ctx *pulumi.Context, a RestAPIArgs) pulumi.StringOutput {
	return r.before(ctx, a, func(name string, found *lambda.LookupAliasResult) (pulumi.StringOutput, error) {
		if found != nil && found.Description == split {
			return pulumi.StringOutput{}, fmt.Errorf(
				"the alias of the function %s has a canary, with which CodeDeploy cannot start: deploy "+
					"once with the strategy %s and without a canary, with a version to go back or without "+
					"one to let the newest answer, and choose CodeDeploy then",
				name,
				AllAtOnce,
			)
		}
		return r.function.Version, nil
	})
}

// answering returns the version that the alias points to before this
// deployment; the newest if there is no alias yet.
func (r *RestAPI) answering(ctx *pulumi.Context, a RestAPIArgs) pulumi.StringOutput {
	return r.before(ctx, a, func(name string, found *lambda.LookupAliasResult) (pulumi.StringOutput, error) {
		if found == nil {
			return r.function.Version, ctx.Log.Warn(
				fmt.Sprintf(
					"the function %s has no version yet to compare a new one with: all requests go "+
						"to the new one",
					name,
				),
				&pulumi.LogArgs{Resource: r},
			)
		}
		return pulumi.String(found.FunctionVersion).ToStringOutput(), nil
	})
}

// notFound reports whether a lookup failed because there is no such thing. The
// AWS provider puts words of its own in the place of AWS's error
// (retry.NotFoundError, terraform-provider-aws).
func notFound(err error) bool {
	return err != nil && strings.Contains(err.Error(), "couldn't find resource")
}
