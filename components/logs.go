package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// vendedLogs is where the log groups belong that services of AWS write to. With
// access logs switched on, AWS names the log group in a resource policy of the
// account and region. That may have 5,120 characters, for all APIs and other
// services together: when it is full, no stage with access logs can be made any
// more. Groups below this prefix are let in by one statement for all of them.
// Source: CloudWatch Logs user guide, "Enable logging from AWS services"; Step
// Functions developer guide, "Avoiding Amazon CloudWatch Logs resource policy
// size restrictions".
const vendedLogs = "/aws/vendedlogs/"

// addLogs makes the log groups before anything writes to them: one that
// Lambda makes itself would keep its lines for ever.
func (r *RestAPI) addLogs(ctx *pulumi.Context, name string, a RestAPIArgs) (err error) {
	if r.functionLog, err = r.addLogGroup(ctx, name+"-function", a); err != nil {
		return err
	}
	r.accessLog, err = r.addAccessLog(ctx, name+"-access", a)
	return err
}

func (r *RestAPI) addLogGroup(ctx *pulumi.Context, name string, a RestAPIArgs) (*cloudwatch.LogGroup, error) {
	return r.newLogGroup(ctx, name, r.logGroupArgs(a))
}

// addAccessLog makes the log group of the gateway's access log. One that was
// made under another name keeps that, and with it its lines: another name is
// another group, and the old one would be deleted.
func (r *RestAPI) addAccessLog(
	ctx *pulumi.Context,
	name string,
	a RestAPIArgs,
) (*cloudwatch.LogGroup, error) {
	args := r.logGroupArgs(a)
	args.NamePrefix = pulumi.String(vendedLogs + name + "-")
	return r.newLogGroup(ctx, name, args, pulumi.IgnoreChanges([]string{"name", "namePrefix"}))
}

func (r *RestAPI) logGroupArgs(a RestAPIArgs) *cloudwatch.LogGroupArgs {
	return &cloudwatch.LogGroupArgs{
		RetentionInDays: pulumi.Int(a.LogRetentionDays),
		KmsKeyId:        r.keyARN(),
		Tags:            pulumi.ToStringMap(a.Tags),
	}
}

func (r *RestAPI) newLogGroup(
	ctx *pulumi.Context, name string, args *cloudwatch.LogGroupArgs, opts ...pulumi.ResourceOption,
) (*cloudwatch.LogGroup, error) {
	g, err := cloudwatch.NewLogGroup(ctx, name, args, append(r.child(), opts...)...)
	if err != nil {
		return nil, fmt.Errorf("creating the log group %s: %w", name, err)
	}
	return g, nil
}
