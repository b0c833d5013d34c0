package components

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"items-api/internal/api"
)

func withAlarms(m Alarms) *RestAPIArgs {
	a := *args
	a.Alarms = m
	return &a
}

// alarms returns the inputs of the alarms by the ends of their names.
func (r *recorder) alarms() map[string]resource.PropertyMap {
	out := map[string]resource.PropertyMap{}
	for _, m := range r.made {
		if m.TypeToken == "aws:cloudwatch/metricAlarm:MetricAlarm" {
			out[strings.TrimPrefix(m.Name, "items-")] = m.Inputs
		}
	}
	return out
}

func TestAlarmsWatchTheAliasAndTheNewestVersion(t *testing.T) {
	t.Parallel()
	both(t, withAlarms(Alarms{ErrorPercent: 2.5, LatencyMs: 700}), func(t *testing.T, r *recorder) {
		alarms := r.alarms()
		if len(alarms) != 5 {
			t.Fatalf("got %d alarms", len(alarms))
		}
		for name, a := range alarms {
			bad, of := 2.0, 3.0
			if name == "throttles" {
				bad, of = 1, 1 // a burst is over within a minute
			}
			if at(a, "comparisonOperator").StringValue() != "GreaterThanThreshold" ||
				at(a, "treatMissingData").StringValue() != "notBreaching" ||
				at(a, "evaluationPeriods").NumberValue() != of ||
				at(a, "datapointsToAlarm").NumberValue() != bad {
				t.Errorf("%s: got %v", name, a)
			}
			if a.HasValue("alarmActions") || a.HasValue("okActions") {
				t.Errorf("%s tells somebody", name)
			}
			want := map[string]float64{"latency": 700, "throttles": 0}
			percent := 2.5
			if n, other := want[name]; other {
				percent = n
			}
			if v := at(a, "threshold"); !v.IsNumber() || v.NumberValue() != percent {
				t.Errorf("%s has the threshold %v", name, v)
			}
		}
		dimensions := func(of resource.PropertyMap, version string) {
			t.Helper()
			d := at(of, "dimensions")
			if !d.IsObject() {
				if !r.unknown {
					t.Errorf("there are no dimensions in %v", of)
				}
				return
			}
			r.is(t, of, "items-1", "dimensions", "FunctionName")
			r.is(t, of, "items-1:live", "dimensions", "Resource")
			if v, there := d.ObjectValue()["ExecutedVersion"]; !r.unknown && there != (version != "") ||
				there && v.IsString() && v.StringValue() != version {
				t.Errorf("the version is %v", v)
			}
		}
		for name, version := range map[string]string{"errors": "", "version-errors": "3"} {
			queries := at(alarms[name], "metricQueries").ArrayValue()
			if len(queries) != 3 {
				t.Fatalf("%s: got %v", name, queries)
			}
			for i, id := range []string{"percent", "bad", "all"} {
				q := queries[i].ObjectValue()
				r.is(t, q, id, "id")
				if id == "percent" {
					r.is(t, q, "100 * bad / all", "expression")
					continue
				}
				r.is(t, q, map[string]string{
					"bad": "Errors",
					"all": "Invocations",
				}[id], "metric", "metricName")
				r.is(t, q, "Sum", "metric", "stat")
				dimensions(at(q, "metric").ObjectValue(), version)
			}
			if v := at(queries[0].ObjectValue(), "returnData"); !v.IsBool() || !v.BoolValue() {
				t.Errorf("%s: the alarm is about %v", name, queries)
			}
		}
		for i, metric := range []string{"5xx", "Count"} {
			q := at(alarms["answers"], "metricQueries").ArrayValue()[i+1].ObjectValue()
			r.is(t, q, metric, "metric", "metricName")
			r.is(t, q, "AWS/ApiGateway", "metric", "namespace")
			r.is(t, q, "$default", "metric", "dimensions", "Stage")
			r.is(t, q, "items-id", "metric", "dimensions", "ApiId")
		}
		r.is(t, alarms["latency"], "p99", "extendedStatistic")
		r.is(t, alarms["latency"], "Duration", "metricName")
		dimensions(alarms["latency"], "")
	})
}

// Lambda counts what it refuses neither as an invocation nor as an error.
func TestAlarmsWatchWhatLambdaRefusesAndTheAuthorizer(t *testing.T) {
	t.Parallel()
	a := *withAuth(modes[api.AuthLambda])
	a.Alarms = Alarms{ErrorPercent: 2.5}
	both(t, &a, func(t *testing.T, r *recorder) {
		alarms := r.alarms()
		if len(alarms) != 6 {
			t.Fatalf("got %d alarms", len(alarms))
		}
		throttles, authorizer := alarms["throttles"], alarms["authorizer"]
		r.is(t, throttles, "AWS/Lambda", "namespace")
		r.is(t, throttles, "Throttles", "metricName")
		r.is(t, throttles, "Sum", "statistic")
		r.is(t, throttles, "items-1", "dimensions", "FunctionName")
		queries := at(authorizer, "metricQueries").ArrayValue()
		metrics := map[string]string{"bad": "Errors", "throttled": "Throttles", "all": "Invocations"}
		for _, v := range queries[1:] {
			q := v.ObjectValue()
			id := at(q, "id").StringValue()
			r.is(t, q, metrics[id], "metric", "metricName")
			r.is(t, q, "items-authorizer-1", "metric", "dimensions", "FunctionName")
			delete(metrics, id)
			if !strings.Contains(
				at(queries[0].ObjectValue(), "expression").StringValue(),
				"FILL("+id+", 0)",
			) {
				t.Errorf("%s is not filled in %v", id, queries[0])
			}
		}
		if len(metrics) > 0 {
			t.Errorf("the alarm does not look at %v", metrics)
		}
	})
}

func TestTopicHearsWhenAnAlarmGoesOffAndWhenItIsOver(t *testing.T) {
	t.Parallel()
	const topic = "arn:aws:sns:us-east-1:111122223333:alarms"
	both(t, withAlarms(Alarms{TopicARN: topic}), func(t *testing.T, r *recorder) {
		for name, a := range r.alarms() {
			if got := append(
				texts(at(a, "alarmActions")),
				texts(at(a, "okActions"))...); len(got) != 2 || got[0] != topic ||
				got[1] != topic {
				t.Errorf("%s tells %v", name, got)
			}
		}
	})
}

func TestBadAlarmsRegisterNothing(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]Alarms{
		"Alarms.ErrorPercent": {ErrorPercent: 100},
		"Alarms.LatencyMs":    {LatencyMs: -1},
		"Alarms.TopicARN":     {TopicARN: "alarms"},
	} {
		refused(t, want, withAlarms(m))
	}
}
