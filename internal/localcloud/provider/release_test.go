package provider

import (
	"strings"
	"testing"
)

func alarmOf(more map[string]any, without ...string) map[string]any {
	out := map[string]any{
		"comparisonOperator": "GreaterThanThreshold",
		"evaluationPeriods":  2,
		"threshold":          5,
		"metricName":         "Errors",
		"namespace":          "AWS/Lambda",
		"period":             60,
		"statistic":          "Sum",
	}
	for k, v := range more {
		out[k] = v
	}
	for _, k := range without {
		delete(out, k)
	}
	return out
}

// query is an alarm on an expression over one metric.
func query(more map[string]any) map[string]any {
	rate := map[string]any{"id": "rate", "expression": "100*m", "returnData": true}
	for k, v := range more {
		rate[k] = v
	}
	return alarmOf(map[string]any{"metricQueries": []any{rate, map[string]any{
		"id": "m",
		"metric": map[string]any{
			"metricName": "Errors",
			"namespace":  "AWS/Lambda",
			"period":     60,
			"stat":       "p99",
		},
	}}},
		"metricName", "namespace", "period", "statistic")
}

func TestAlarmThatCloudWatchWouldRefuseIsNamed(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	_, out, _ := create(t, s, alarmType, "a", props(alarmOf(map[string]any{
		"name":             "errors",
		"treatMissingData": "notBreaching",
		"alarmActions":     []any{"arn:aws:sns:us-east-1:000000000000:t"},
	})))
	if out.str("arn") != "arn:aws:cloudwatch:us-east-1:000000000000:alarm:errors" ||
		out["actionsEnabled"] != true {
		t.Errorf("got %v", out)
	}
	create(t, s, alarmType, "p99", props(alarmOf(map[string]any{"extendedStatistic": "p99.9"}, "statistic")))
	create(t, s, alarmType, "q", props(query(nil)))
	if err := tryCreate(
		t,
		s,
		alarmType,
		alarmOf(map[string]any{"name": "errors"}),
	); err == nil ||
		!strings.Contains(err.Error(), "exists already") {
		t.Errorf("a second alarm of the name got %v", err)
	}
	for want, in := range map[string]map[string]any{
		"comparisonOperator is invalid":                   alarmOf(map[string]any{"comparisonOperator": "Above"}),
		"evaluationPeriods is invalid":                    alarmOf(map[string]any{"evaluationPeriods": 0}),
		"period is invalid":                               alarmOf(map[string]any{"period": 90}),
		"statistic is invalid":                            alarmOf(map[string]any{"statistic": "p99"}),
		"extendedStatistic is invalid":                    alarmOf(map[string]any{"extendedStatistic": "q99"}, "statistic"),
		"exactly one of statistic and extendedStatistic":  alarmOf(map[string]any{"extendedStatistic": "p99"}),
		"exactly one of statistic and ":                   alarmOf(nil, "statistic"),
		"treatMissingData is invalid":                     alarmOf(map[string]any{"treatMissingData": "good"}),
		`missing required property "metricName"`:          alarmOf(nil, "metricName"),
		"exactly one of threshold and thresholdMetricId":  alarmOf(nil, "threshold"),
		"it must be at most evaluationPeriods, 2":         alarmOf(map[string]any{"datapointsToAlarm": 3}),
		"alarmActions[0] is invalid: an action is an ARN": alarmOf(map[string]any{"alarmActions": []any{"topic"}}),
		"it must have at most 5 elements, not 6": alarmOf(map[string]any{"okActions": []any{
			foreign, foreign, foreign, foreign, foreign, foreign,
		}}),
		"exactly one query must have returnData true, not 0": query(map[string]any{"returnData": false}),
		`two queries have the id "m"`:                        query(map[string]any{"id": "m"}),
		"exactly one of expression and metric": query(map[string]any{"metric": map[string]any{
			"metricName": "x",
			"period":     60,
			"stat":       "Sum",
		}}),
		"begin with a lower-case letter":                        query(map[string]any{"id": "Rate"}),
		"namespace cannot be given beside metricQueries":        func() map[string]any { m := query(nil); m["namespace"] = "x"; return m }(),
		"need thresholdMetricId, the others a threshold":        alarmOf(map[string]any{"comparisonOperator": "LessThanLowerThreshold"}),
		"the local cloud does not know the property \"metric\"": alarmOf(map[string]any{"metric": "x"}),
	} {
		if _, problems := check(
			t,
			s,
			alarmType,
			"x",
			nil,
			props(in),
		); !strings.Contains(
			strings.Join(problems, "\n"),
			want,
		) {
			t.Errorf("got %q, want %s", problems, want)
		}
	}
}

func groupOf(more map[string]any) map[string]any {
	out := map[string]any{
		"appName":              "app",
		"deploymentGroupName":  "live",
		"serviceRoleArn":       "arn:aws:iam::000000000000:role/deploy",
		"deploymentConfigName": "CodeDeployDefault.LambdaAllAtOnce",
		"deploymentStyle": map[string]any{
			"deploymentOption": "WITH_TRAFFIC_CONTROL",
			"deploymentType":   "BLUE_GREEN",
		},
	}
	for k, v := range more {
		out[k] = v
	}
	return out
}

func TestDeploymentGroupNeedsWhatItNames(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	create(t, s, roleType, "r", props(map[string]any{"name": "r", "assumeRolePolicy": trust}))
	create(t, s, roleType, "deploy", props(map[string]any{
		"name":             "deploy",
		"assumeRolePolicy": strings.ReplaceAll(trust, "lambda.", "codedeploy."),
	}))
	create(t, s, applicationType, "a", props(map[string]any{"name": "app", "computePlatform": "Lambda"}))
	create(t, s, alarmType, "a", props(alarmOf(map[string]any{"name": "errors"})))
	own := map[string]any{
		"deploymentConfigName": "slow",
		"computePlatform":      "Lambda",
		"trafficRoutingConfig": map[string]any{
			"type":            "TimeBasedLinear",
			"timeBasedLinear": map[string]any{"interval": 1, "percentage": 20},
		},
	}
	config, _, _ := create(t, s, deploymentConfigType, "c", props(own))
	alarms := func(name string) map[string]any {
		return map[string]any{"alarmConfiguration": map[string]any{"enabled": true, "alarms": []any{name}}}
	}
	for want, more := range map[string]map[string]any{
		"No application found for name: none":               {"appName": "none"},
		"No deployment configuration found for name: none":  {"deploymentConfigName": "none"},
		"CodeDeploy does not have the permissions required": {"serviceRoleArn": "arn:aws:iam::000000000000:role/r"},
		"InvalidRoleException":                              {"serviceRoleArn": "arn:aws:iam::000000000000:role/none"},
		"the alarm none of the deployment group live":       alarms("none"),
	} {
		if err := tryCreate(
			t,
			s,
			deploymentGroupType,
			groupOf(more),
		); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	in := groupOf(alarms("errors"))
	in["deploymentConfigName"] = config
	in["autoRollbackConfiguration"] = map[string]any{
		"enabled": true,
		"events":  []any{"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"},
	}
	_, out, _ := create(t, s, deploymentGroupType, "g", props(in))
	if out.str("computePlatform") != "Lambda" ||
		out.str("arn") != "arn:aws:codedeploy:us-east-1:000000000000:deploymentgroup:app/live" {
		t.Errorf("got %v", out)
	}
	if err := tryCreate(
		t,
		s,
		deploymentGroupType,
		in,
	); err == nil ||
		!strings.Contains(err.Error(), "DeploymentGroupAlreadyExistsException") {
		t.Errorf("got %v", err)
	}
	if err := remove(
		t,
		s,
		deploymentConfigType,
		config,
		values{},
	); err == nil ||
		!strings.Contains(err.Error(), "DeploymentConfigInUseException") {
		t.Errorf("got %v", err)
	}
	for want, c := range map[string]struct {
		token string
		in    map[string]any
	}{
		"no deployment configuration for Lambda":                 {deploymentGroupType, groupOf(map[string]any{"deploymentConfigName": "CodeDeployDefault.OneAtATime"})},
		`only "BLUE_GREEN" for "deploymentStyle.deploymentType"`: {deploymentGroupType, groupOf(map[string]any{"deploymentStyle": map[string]any{"deploymentOption": "WITH_TRAFFIC_CONTROL"}})},
		"need at least one event":                                {deploymentGroupType, groupOf(map[string]any{"autoRollbackConfiguration": map[string]any{"enabled": true}})},
		"DEPLOYMENT_FAILURE, DEPLOYMENT_STOP_ON_ALARM": {deploymentGroupType, groupOf(map[string]any{"autoRollbackConfiguration": map[string]any{
			"enabled": true,
			"events":  []any{"FAILURE"},
		}})},
		"need at least one name":                       {deploymentGroupType, groupOf(map[string]any{"alarmConfiguration": map[string]any{"enabled": true}})},
		`supports only "Lambda" for "computePlatform"`: {applicationType, nil},
		"is AWS's own":                                 {deploymentConfigType, merged(own, "x", nil)},
		"timeBasedCanary belongs to the type TimeBasedCanary": {deploymentConfigType, map[string]any{
			"computePlatform":      "Lambda",
			"trafficRoutingConfig": map[string]any{"type": "TimeBasedCanary"},
		}},
		`missing required property "trafficRoutingConfig"`: {deploymentConfigType, map[string]any{"computePlatform": "Lambda"}},
		"trafficRoutingConfig.timeBasedLinear.percentage is inval": {deploymentConfigType, map[string]any{
			"computePlatform": "Lambda",
			"trafficRoutingConfig": map[string]any{
				"type":            "TimeBasedLinear",
				"timeBasedLinear": map[string]any{"interval": 1, "percentage": 100},
			},
		}},
	} {
		if want == "is AWS's own" {
			c.in["deploymentConfigName"] = "CodeDeployDefault.Mine"
		}
		if _, problems := check(
			t,
			s,
			c.token,
			"x",
			nil,
			props(c.in),
		); len(problems) != 1 ||
			!strings.Contains(problems[0], want) {
			t.Errorf("got %q, want %s", problems, want)
		}
	}
	if err := remove(
		t,
		s,
		applicationType,
		"x:app",
		values{},
	); err != nil ||
		len(s.p.Store.List(deploymentGroupType)) > 0 {
		t.Errorf("got %v, with the groups %v", err, s.p.Store.List(deploymentGroupType))
	}
}
