package provider

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"items-api/internal/localcloud/state"
)

const (
	alarmType = "aws:cloudwatch/metricAlarm:MetricAlarm"

	noMetrics = "there are no metrics locally; an alarm never changes its state"
)

var (
	statistic = []string{"SampleCount", "Average", "Sum", "Minimum", "Maximum"}
	// extended is a percentile or another extended statistic. Source:
	// CloudWatch user guide, "CloudWatch statistics definitions".
	extended = regexp.MustCompile(
		`^((p|tm|wm|tc|ts)(\d{1,2}(\.\d{1,2})?|100)|IQM|(TM|WM|PR|TC|TS)\((\d+(\.\d+)?%?)?:(\d+(\.\d+)?%?)?\))$`,
	)
	queryID = regexp.MustCompile(`^[a-z][A-Za-z0-9_]{0,254}$`)
	anyARN  = regexp.MustCompile(`^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[a-z0-9]*:.+$`)
	// detection are the comparison operators of anomaly detection.
	detection = []string{
		"LessThanLowerOrGreaterThanUpperThreshold",
		"LessThanLowerThreshold",
		"GreaterThanUpperThreshold",
	}
)

func alarmTypes() []*Type {
	actions := func(name string) Property {
		return Property{
			Name:  name,
			Kind:  Set,
			Elem:  String,
			Level: Recorded,
			Note:  noMetrics,
			Each:  matching(anyARN, "an action is an ARN, such as that of an SNS topic"),
		}
	}
	dimensions := Property{
		Name:  "dimensions",
		Kind:  Map,
		Elem:  String,
		Level: Recorded,
	}
	unit := Property{
		Name:  "unit",
		Kind:  String,
		Level: Recorded,
	}
	return []*Type{{
		Token:   alarmType,
		Outputs: []string{"arn", "tagsAll"},
		Name:    "name",
		NameMax: 255,
		Properties: []Property{
			{
				Name:    "actionsEnabled",
				Kind:    Bool,
				Level:   Recorded,
				Default: true,
				Note:    noMetrics,
			},
			actions("alarmActions"),
			{
				Name:  "alarmDescription",
				Kind:  String,
				Level: Recorded,
			},
			{
				Name:     "comparisonOperator",
				Kind:     String,
				Level:    Recorded,
				Required: true,
			},
			{
				Name:  "datapointsToAlarm",
				Kind:  Int,
				Level: Recorded,
			},
			dimensions,
			{
				Name:     "evaluateLowSampleCountPercentiles",
				Kind:     String,
				Level:    Recorded,
				Computed: true,
				Check:    oneOf("evaluate", "ignore"),
			},
			{
				Name:     "evaluationPeriods",
				Kind:     Int,
				Level:    Recorded,
				Required: true,
			},
			{
				Name:  "extendedStatistic",
				Kind:  String,
				Level: Recorded,
				Check: matching(extended, "it must be an extended statistic such as p99 or tm95"),
			},
			actions("insufficientDataActions"),
			{
				Name:  "metricName",
				Kind:  String,
				Level: Recorded,
			},
			{
				Name:  "metricQueries",
				Kind:  Set,
				Level: Recorded,
				Check: atMost(20),
				Fields: []Property{
					{
						Name:  "accountId",
						Kind:  String,
						Level: Recorded,
					},
					{
						Name:  "expression",
						Kind:  String,
						Level: Recorded,
						Check: length(1, 1024),
					},
					{
						Name:     "id",
						Kind:     String,
						Level:    Recorded,
						Required: true,
						Check: matching(
							queryID,
							"it must have 1 to 255 letters, digits or '_' and begin with a lower-case letter",
						),
					},
					{
						Name:  "label",
						Kind:  String,
						Level: Recorded,
					},
					{
						Name:  "metric",
						Kind:  Object,
						Level: Recorded,
						Fields: []Property{
							dimensions,
							{
								Name:     "metricName",
								Kind:     String,
								Level:    Recorded,
								Required: true,
							},
							{
								Name:  "namespace",
								Kind:  String,
								Level: Recorded,
								Check: namespace,
							},
							{
								Name:     "period",
								Kind:     Int,
								Level:    Recorded,
								Required: true,
								Check:    period(1, 5, 10, 20, 30),
							},
							{
								Name:     "stat",
								Kind:     String,
								Level:    Recorded,
								Required: true,
								Check: func(v any) error {
									if oneOf(statistic...)(v) == nil {
										return nil
									}
									return matching(
										extended,
										"it must be one of SampleCount, Average, Sum, Minimum, Maximum, "+
											"or an extended statistic such as p99",
									)(
										v,
									)
								},
							},
							unit,
						},
					},
					{
						Name:  "period",
						Kind:  Int,
						Level: Recorded,
						Check: period(1, 5, 10, 20, 30),
					},
					{
						Name:    "returnData",
						Kind:    Bool,
						Level:   Recorded,
						Default: false,
					},
				},
			},
			{
				Name:    "name",
				Kind:    String,
				Level:   Enforced,
				Replace: true,
			},
			{
				Name:  "namespace",
				Kind:  String,
				Level: Recorded,
				Check: namespace,
			},
			actions("okActions"),
			{
				Name:  "period",
				Kind:  Int,
				Level: Recorded,
				Check: period(10, 20, 30),
			},
			{
				Name:  "statistic",
				Kind:  String,
				Level: Recorded,
			},
			tags(),
			{
				Name:  "threshold",
				Kind:  Number,
				Level: Recorded,
			},
			{
				Name:  "thresholdMetricId",
				Kind:  String,
				Level: Recorded,
			},
			{
				Name:    "treatMissingData",
				Kind:    String,
				Level:   Recorded,
				Default: "missing",
				Check:   oneOf("missing", "ignore", "breaching", "notBreaching"),
			},
			unit,
		},
		Check: checkAlarm,
		Create: func(_ context.Context, p *Provider, in values) (state.Record, error) {
			rec := p.alarmRecord(in)
			if _, err := p.Store.Get(alarmType, rec.ID); err == nil {
				// PutMetricAlarm would overwrite it: two resources would be one alarm.
				return rec, fmt.Errorf("the alarm %s exists already: give it another name", rec.ID)
			}
			return rec, nil
		},
		Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
			rec := p.alarmRecord(in)
			rec.Private = old.Private
			return rec, nil
		},
		Volatile: volatileTags,
	}}
}

func (p *Provider) alarmRecord(in values) state.Record {
	props := base(in)
	props["arn"] = p.arn("cloudwatch", "alarm:"+in.str("name"))
	props["tagsAll"] = tagsOf(in)
	if !in.has("evaluateLowSampleCountPercentiles") {
		props["evaluateLowSampleCountPercentiles"] = ""
	}
	return state.Record{ID: in.str("name"), Properties: props}
}

// period allows the high-resolution periods given, and multiples of a minute.
func period(short ...float64) func(any) error {
	return func(v any) error {
		n, _ := v.(float64)
		if slices.Contains(short, n) || n >= 60 && int(n)%60 == 0 {
			return nil
		}
		return fmt.Errorf("it must be one of %v seconds, or a multiple of 60", short)
	}
}

func namespace(v any) error {
	if s, _ := v.(string); len(s) > 0 && s[0] == ':' {
		return fmt.Errorf("it must not begin with a colon")
	}
	return length(1, 255)(v)
}

func checkAlarm(_ *Provider, in values) []Failure {
	var out []Failure
	fail := func(property, format string, args ...any) {
		out = append(out, Failure{property, fmt.Sprintf(format, args...)})
	}
	queries := in.has("metricQueries") && !empty(in["metricQueries"])
	for _, name := range []string{
		"metricName", "namespace", "period", "dimensions", "statistic", "extendedStatistic",
	} {
		one := name == "metricName" || name == "namespace" || name == "period"
		if queries && in.has(name) && !empty(in[name]) {
			fail(name, "%s cannot be given beside metricQueries", name)
		} else if !queries && one && !in.has(name) {
			fail(name, "missing required property %q: an alarm without metricQueries needs it", name)
		}
	}
	if !queries && in.has("statistic") == in.has("extendedStatistic") {
		fail("statistic", "exactly one of statistic and extendedStatistic must be given")
	}
	if in.has("threshold") == in.has("thresholdMetricId") {
		fail("threshold", "exactly one of threshold and thresholdMetricId must be given")
	} else if op := in.str("comparisonOperator"); op != "" && slices.Contains(detection, op) != in.has("thresholdMetricId") {
		fail(
			"comparisonOperator",
			"%s does not go with the threshold: %v need thresholdMetricId, the others a threshold",
			op,
			detection,
		)
	}
	if n, ok := in["datapointsToAlarm"].(float64); ok && known(in["evaluationPeriods"]) &&
		n > in.number("evaluationPeriods") {
		fail(
			"datapointsToAlarm",
			"it must be at most evaluationPeriods, %v, not %v",
			in.number("evaluationPeriods"),
			n,
		)
	}
	if queries {
		out = append(out, checkQueries(in)...)
	}
	return out
}

// checkQueries tests what involves several metric queries: exactly one of
// them is what the alarm looks at. Source: PutMetricAlarm, CloudWatch API
// reference.
func checkQueries(in values) []Failure {
	var out []Failure
	ids, returned := map[string]bool{}, 0
	for _, e := range in.list("metricQueries") {
		m, ok := e.(map[string]any)
		if !ok {
			return nil // not known yet
		}
		q := values(m)
		if !known(q["returnData"]) {
			return nil
		}
		if q.boolean("returnData") {
			returned++
		}
		if q.has("expression") == q.has("metric") {
			out = append(
				out,
				Failure{
					"metricQueries",
					fmt.Sprintf("the query %q must have exactly one of expression and metric", q.str("id")),
				},
			)
		}
		if id := q.str("id"); id != "" {
			if ids[id] {
				out = append(out, Failure{"metricQueries", fmt.Sprintf("two queries have the id %q", id)})
			}
			ids[id] = true
		}
	}
	// An alarm on an anomaly band returns both the metric and the band.
	if want := 1; !in.has("thresholdMetricId") && returned != want {
		out = append(
			out,
			Failure{
				"metricQueries",
				fmt.Sprintf("exactly one query must have returnData true, not %d", returned),
			},
		)
	}
	return out
}
