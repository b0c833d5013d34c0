package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
)

func (r *RestAPI) addFunction(ctx *pulumi.Context, name string, a RestAPIArgs) (err error) {
	r.function, err = lambda.NewFunction(ctx, name, &lambda.FunctionArgs{
		Description:   pulumi.String("Answers the requests of " + name),
		Runtime:       pulumi.String("provided.al2023"),
		Handler:       pulumi.String("bootstrap"),
		Architectures: pulumi.StringArray{pulumi.String(a.Architecture)},
		// A zip made by ourselves: an archive made by Pulumi loses the
		// executable bit that the runtime needs.
		Code:                         pulumi.NewFileArchive(a.Package),
		Role:                         r.role.Arn,
		MemorySize:                   pulumi.Int(a.MemoryMB),
		Timeout:                      pulumi.Int(a.TimeoutSeconds),
		ReservedConcurrentExecutions: pulumi.Int(a.ReservedConcurrency),
		Environment:                  lambda.FunctionEnvironmentArgs{Variables: pulumi.StringMap{api.EnvTableName: r.table.Name}},
		LoggingConfig:                lambda.FunctionLoggingConfigArgs{LogFormat: pulumi.String("JSON"), LogGroup: r.functionLog.Name},
		Tags:                         pulumi.ToStringMap(a.Tags),
	}, r.child(r.policy)...)
	if err != nil {
		return fmt.Errorf("creating the function: %w", err)
	}
	return nil
}
