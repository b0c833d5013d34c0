package components

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Alarms say when the API is in trouble. CloudWatch counts
// minutes: an alarm goes off when two of the last three are above its limit.
type Alarms struct {
	// ErrorPercent is how many of a minute's invocations may fail, and how many
	// of its answers may have a status of 500 or above, each above 0 and below
	// 100; 5 if 0. An invocation fails that crashes, or runs out of time or
	// memory; what the function answers itself, whatever the status, has not
	// failed.
	ErrorPercent float64
	// LatencyMs is how long the slowest hundredth of a minute's invocations may
	// take, in milliseconds (the 99th percentile); 2,000 if 0.
	LatencyMs int
	// TopicARN is of an SNS topic that hears when an alarm goes off and when it
	// is over; nobody does if it is empty.
	TopicARN string
}

func (m Alarms) check() error {
	var errs []error
	if m.ErrorPercent <= 0 || m.ErrorPercent >= 100 {
		errs = append(
			errs,
			fmt.Errorf("Alarms.ErrorPercent must be above 0 and below 100, not %v", m.ErrorPercent),
		)
	}
	if m.LatencyMs < 1 {
		errs = append(errs, fmt.Errorf("Alarms.LatencyMs must be at least 1, not %d", m.LatencyMs))
	}
	if m.TopicARN != "" && !strings.HasPrefix(m.TopicARN, "arn:") {
		errs = append(errs, fmt.Errorf("Alarms.TopicARN must be an ARN, not %q", m.TopicARN))
	}
	return errors.Join(errs...)
}

const minute = 60 // seconds

// namedAlarm is an alarm by the end of its name.
type namedAlarm struct {
	suffix string
	args   *cloudwatch.MetricAlarmArgs
}

// addAlarms makes alarms on what the gateway answers, on the alias, and on the
// newest version behind it, whose errors would not weigh much among all while
// it gets few requests; and on what never reaches the handler: requests for
// which there is no concurrency left, and the authorizer's failures.
//
// Lambda emits metrics by alias with the dimensions FunctionName and Resource,
// and by alias and version with ExecutedVersion beside them. Source: Lambda
// Developer Guide, "Viewing metrics for Lambda functions", and API
// Gateway Developer Guide, "Monitor CloudWatch metrics for HTTP APIs". Whether there are
// metrics by version while the alias points to one version only is not
// verified; without them the alarm stays silent.
func (r *RestAPI) addAlarms(ctx *pulumi.Context, name string, a RestAPIArgs) error {
	alarms := r.handlerAlarms(name, a.Alarms)
	if r.authorizer != nil {
		alarms = append(alarms, namedAlarm{"-authorizer", authorizerAlarm(r.authorizer, name, a.Alarms)})
	}
	for _, alarm := range alarms {
		if err := r.addAlarm(ctx, name+alarm.suffix, a, alarm.args); err != nil {
			return err
		}
	}
	return nil
}

func (r *RestAPI) handlerAlarms(name string, m Alarms) []namedAlarm {
	alias := pulumi.StringMap{
		"FunctionName": r.function.Name,
		"Resource":     pulumi.Sprintf("%s:%s", r.function.Name, Alias),
	}
	newest := pulumi.StringMap{
		"FunctionName":    alias["FunctionName"],
		"Resource":        alias["Resource"],
		"ExecutedVersion": r.function.Version,
	}
	gateway := pulumi.StringMap{"ApiId": r.api.ID(), "Stage": r.stage.Name}
	failed := func(dimensions pulumi.StringMap, of string) *cloudwatch.MetricAlarmArgs {
		return m.percent("100 * bad / all", "the invocations of "+of+" fail",
			sum("bad", lambdaMetrics, "Errors", dimensions),
			sum("all", lambdaMetrics, "Invocations", dimensions))
	}
	return []namedAlarm{
		{"-answers", m.percent("100 * bad / all", "the answers of "+name+" have a status of 500 or above",
			sum("bad", "AWS/ApiGateway", "5xx", gateway),
			sum("all", "AWS/ApiGateway", "Count", gateway))},
		{"-errors", failed(alias, name)},
		{"-version-errors", failed(newest, "the newest version of "+name)},
		{"-latency", m.latency(alias, name)},
		{"-throttles", throttles(r.function, name)},
	}
}

const lambdaMetrics = "AWS/Lambda"

// percent is an alarm on how many of all fail.
func (m Alarms) percent(
	expression, what string, metrics ...cloudwatch.MetricAlarmMetricQueryInput,
) *cloudwatch.MetricAlarmArgs {
	queries := cloudwatch.MetricAlarmMetricQueryArray{cloudwatch.MetricAlarmMetricQueryArgs{
		Id:         pulumi.String("percent"),
		Expression: pulumi.String(expression),
		Label:      pulumi.String("percent"),
		ReturnData: pulumi.Bool(true),
	}}
	return &cloudwatch.MetricAlarmArgs{
		AlarmDescription: pulumi.Sprintf("More than %v %% of %s", m.ErrorPercent, what),
		Threshold:        pulumi.Float64(m.ErrorPercent),
		MetricQueries:    append(queries, metrics...),
	}
}

func (m Alarms) latency(alias pulumi.StringMap, name string) *cloudwatch.MetricAlarmArgs {
	return &cloudwatch.MetricAlarmArgs{
		AlarmDescription: pulumi.Sprintf(
			"The slowest hundredth of the invocations of %s takes more than %d ms", name, m.LatencyMs),
		Threshold:         pulumi.Float64(m.LatencyMs),
		Namespace:         pulumi.String(lambdaMetrics),
		MetricName:        pulumi.String("Duration"),
		Dimensions:        alias,
		ExtendedStatistic: pulumi.String("p99"),
		Period:            pulumi.Int(minute),
	}
}

// throttles is an alarm on invocations that Lambda refuses because the
// function's concurrency is used up. They count neither as invocations nor as
// errors. Each is a request that got a bare 503, so that one is enough: a burst
// is over within a minute, and would never be in two. Source: Lambda Developer
// Guide, "Types of metrics for Lambda functions".
func throttles(function *lambda.Function, name string) *cloudwatch.MetricAlarmArgs {
	return &cloudwatch.MetricAlarmArgs{
		AlarmDescription: pulumi.Sprintf("Invocations of %s are refused: its concurrency is used up", name),
		Threshold:        pulumi.Float64(0),
		Namespace:        pulumi.String(lambdaMetrics),
		MetricName:       pulumi.String("Throttles"),
		Dimensions:       pulumi.StringMap{"FunctionName": function.Name},
		Statistic:        pulumi.String("Sum"),
		Period:           pulumi.Int(minute),

		EvaluationPeriods: pulumi.Int(1),
		DatapointsToAlarm: pulumi.Int(1),
	}
}

// authorizerAlarm is an alarm on invocations of the authorizer that fail or are
// refused. No request of theirs reaches the handler.
func authorizerAlarm(function *lambda.Function, name string, m Alarms) *cloudwatch.MetricAlarmArgs {
	of := pulumi.StringMap{"FunctionName": function.Name}
	return m.percent(
		// With nothing but refusals there are no invocations to count.
		"100 * (FILL(bad, 0) + FILL(throttled, 0)) / (FILL(all, 0) + FILL(throttled, 0))",
		"the invocations of the authorizer of "+name+" fail or are refused",
		sum("bad", lambdaMetrics, "Errors", of),
		sum("throttled", lambdaMetrics, "Throttles", of),
		sum("all", lambdaMetrics, "Invocations", of),
	)
}

// addAlarm makes an alarm with what all have in common. Two of three minutes
// are to be bad unless it says otherwise; one that goes off after a single minute
// does not stop a deployment by CodeDeploy.
func (r *RestAPI) addAlarm(
	ctx *pulumi.Context,
	name string,
	a RestAPIArgs,
	args *cloudwatch.MetricAlarmArgs,
) error {
	args.ComparisonOperator = pulumi.String("GreaterThanThreshold")
	lasting := args.EvaluationPeriods == nil
	if lasting {
		args.EvaluationPeriods, args.DatapointsToAlarm = pulumi.Int(3), pulumi.Int(2)
	}
	// Nobody called: that is no trouble.
	args.TreatMissingData = pulumi.String("notBreaching")
	args.Tags = pulumi.ToStringMap(a.Tags)
	if a.Alarms.TopicARN != "" {
		topic := pulumi.Array{pulumi.String(a.Alarms.TopicARN)}
		args.AlarmActions, args.OkActions = topic, topic
	}
	made, err := cloudwatch.NewMetricAlarm(ctx, name, args, r.child()...)
	if err != nil {
		return fmt.Errorf("creating the alarm %s: %w", name, err)
	}
	if lasting {
		r.alarms = append(r.alarms, made.Name)
	}
	return nil
}

// sum is how often something happened in a minute.
func sum(
	id, namespace, metric string, dimensions pulumi.StringMap,
) cloudwatch.MetricAlarmMetricQueryArgs {
	return cloudwatch.MetricAlarmMetricQueryArgs{
		Id: pulumi.String(id),
		Metric: cloudwatch.MetricAlarmMetricQueryMetricArgs{
			Namespace:  pulumi.String(namespace),
			MetricName: pulumi.String(metric),
			Dimensions: dimensions,
			Stat:       pulumi.String("Sum"),
			Period:     pulumi.Int(minute),
		},
	}
}
