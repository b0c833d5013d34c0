package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
)

// functionArgs are what the functions differ in.
type functionArgs struct {
	description, zip string
	role             *iam.Role
	log              *cloudwatch.LogGroup
	timeoutSeconds   int
	variables        pulumi.StringMap
}

func (r *RestAPI) newFunction(
	ctx *pulumi.Context,
	name string,
	a RestAPIArgs,
	f functionArgs,
	after ...pulumi.Resource,
) (*lambda.Function, error) {
	function, err := lambda.NewFunction(ctx, name, &lambda.FunctionArgs{
		Description:   pulumi.String(f.description),
		Runtime:       pulumi.String("provided.al2023"),
		Handler:       pulumi.String("bootstrap"),
		Architectures: pulumi.StringArray{pulumi.String(a.Architecture)},
		// A zip made by ourselves: an archive made by Pulumi loses the
		// executable bit that the runtime needs.
		Code:                         pulumi.NewFileArchive(f.zip),
		Role:                         f.role.Arn,
		Publish:                      pulumi.Bool(true),
		MemorySize:                   pulumi.Int(a.MemoryMB),
		Timeout:                      pulumi.Int(f.timeoutSeconds),
		ReservedConcurrentExecutions: pulumi.Int(a.ReservedConcurrency),
		Environment:                  lambda.FunctionEnvironmentArgs{Variables: f.variables},
		LoggingConfig: lambda.FunctionLoggingConfigArgs{
			LogFormat: pulumi.String("JSON"),
			LogGroup:  f.log.Name,
		},
		VpcConfig: r.network.config(),
		Tags:      pulumi.ToStringMap(a.Tags),
	}, r.child(append(after, r.network.ready()...)...)...)
	if err != nil {
		return nil, fmt.Errorf("creating the function %s: %w", name, err)
	}
	return function, nil
}

func (r *RestAPI) addFunction(ctx *pulumi.Context, name string, a RestAPIArgs) (err error) {
	variables := pulumi.StringMap{
		api.EnvTableName: r.table.Name,
		api.EnvAuthMode:  pulumi.String(string(a.Auth.Mode)),
	}
	if path := a.Domain.path(); path != "" {
		variables[api.EnvBasePath] = pulumi.String(path)
	}
	r.function, err = r.newFunction(ctx, name, a, functionArgs{
		description:    "Answers the requests of " + name,
		zip:            a.Package,
		role:           r.role,
		log:            r.functionLog,
		timeoutSeconds: a.TimeoutSeconds,
		variables:      variables,
	}, r.policy)
	return err
}
