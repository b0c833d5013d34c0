package components

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
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
		errs = append(errs, fmt.Errorf("Alarms.ErrorPercent must be above 0 and below 100, not %v", m.ErrorPercent))
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

// addAlarms makes alarms on what the gateway answers, on the alias, and on the
// newest version behind it, whose errors would not weigh much among all while
// it gets few requests.
// Lambda emits metrics by alias with the dimensions FunctionName and Resource,
// and by alias and version with ExecutedVersion beside them. Source: Lambda
// Developer Guide, "Viewing metrics for Lambda functions", and API
// Gateway Developer Guide, "Monitor CloudWatch metrics for HTTP APIs". Whether there are
// metrics by version while the alias points to one version only is not
// verified; without them the alarm stays silent.
func (r *RestAPI) addAlarms(ctx *pulumi.Context, name string, a RestAPIArgs) error {
	alias := pulumi.StringMap{"FunctionName": r.function.Name, "Resource": pulumi.Sprintf("%s:%s", r.function.Name, Alias)}
	newest := pulumi.StringMap{"FunctionName": alias["FunctionName"], "Resource": alias["Resource"], "ExecutedVersion": r.function.Version}
	percent := func(namespace, bad, all string, dimensions pulumi.StringMap, what string) *cloudwatch.MetricAlarmArgs {
		return &cloudwatch.MetricAlarmArgs{
			AlarmDescription: pulumi.Sprintf("More than %v %% of %s", a.Alarms.ErrorPercent, what),
			Threshold:        pulumi.Float64(a.Alarms.ErrorPercent),
			MetricQueries: cloudwatch.MetricAlarmMetricQueryArray{
				cloudwatch.MetricAlarmMetricQueryArgs{Id: pulumi.String("percent"), Expression: pulumi.String("100 * bad / all"),
					Label: pulumi.String("percent"), ReturnData: pulumi.Bool(true)},
				sum("bad", namespace, bad, dimensions), sum("all", namespace, all, dimensions),
			},
		}
	}
	failed := func(dimensions pulumi.StringMap, of string) *cloudwatch.MetricAlarmArgs {
		return percent("AWS/Lambda", "Errors", "Invocations", dimensions, "the invocations of "+of+" fail")
	}
	for _, alarm := range []struct {
		suffix string
		args   *cloudwatch.MetricAlarmArgs
	}{
		{"-answers", percent("AWS/ApiGateway", "5xx", "Count", pulumi.StringMap{"ApiId": r.api.ID(), "Stage": r.stage.Name}, "the answers of "+name+" have a status of 500 or above")},
		{"-errors", failed(alias, name)},
		{"-version-errors", failed(newest, "the newest version of "+name)},
		{"-latency", &cloudwatch.MetricAlarmArgs{
			AlarmDescription: pulumi.Sprintf("The slowest hundredth of the invocations of %s takes more than %d ms", name, a.Alarms.LatencyMs),
			Threshold:        pulumi.Float64(a.Alarms.LatencyMs),
			Namespace:        pulumi.String("AWS/Lambda"), MetricName: pulumi.String("Duration"), Dimensions: alias,
			ExtendedStatistic: pulumi.String("p99"), Period: pulumi.Int(minute),
		}},
	} {
		args := alarm.args
		args.ComparisonOperator = pulumi.String("GreaterThanThreshold")
		args.EvaluationPeriods, args.DatapointsToAlarm = pulumi.Int(3), pulumi.Int(2)
		// Nobody called: that is no trouble.
		args.TreatMissingData = pulumi.String("notBreaching")
		args.Tags = pulumi.ToStringMap(a.Tags)
		if a.Alarms.TopicARN != "" {
			topic := pulumi.Array{pulumi.String(a.Alarms.TopicARN)}
			args.AlarmActions, args.OkActions = topic, topic
		}
		made, err := cloudwatch.NewMetricAlarm(ctx, name+alarm.suffix, args, r.child()...)
		if err != nil {
			return fmt.Errorf("creating the alarm %s: %w", name+alarm.suffix, err)
		}
		r.alarms = append(r.alarms, made.Name)
	}
	return nil
}

// sum is how often something happened in a minute.
func sum(id, namespace, metric string, dimensions pulumi.StringMap) cloudwatch.MetricAlarmMetricQueryArgs {
	return cloudwatch.MetricAlarmMetricQueryArgs{Id: pulumi.String(id), Metric: cloudwatch.MetricAlarmMetricQueryMetricArgs{
		Namespace: pulumi.String(namespace), MetricName: pulumi.String(metric), Dimensions: dimensions, Stat: pulumi.String("Sum"), Period: pulumi.Int(minute)}}
}
