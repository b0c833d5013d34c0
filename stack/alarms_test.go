package stack

import (
	"strings"
	"testing"
)

func TestAlarmsAreChecked(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{ // "" is accepted
		`{}`:                   "",
		`{"errorPercent":0.5}`: "",
		`{"latencyMs":29000}`:  "",
		`{"topicArn":"arn:aws:sns:us-east-1:111122223333:alarms"}`: "",

		`{"errorPercent":0}`:    "errorPercent",
		`{"errorPercent":100}`:  "errorPercent",
		`{"errorPercent":"5"}`:  "errorPercent",
		`{"latencyMs":0}`:       "latencyMs",
		`{"latencyMs":29001}`:   "latencyMs",
		`{"latencyMs":1.5}`:     "latencyMs",
		`{"topicArn":"alarms"}`: "topicArn",
		`{"topicArn":"arn:aws:sns:us-east-1:111122223333:alarms.fifo"}`: "standard topic",
		`{"errors":5}`: `"errors"`,
		`5`:            "must be a map",
	} {
		s, err := Parse(map[string]string{"items-api:alarms": value})
		if (err != nil) != (want != "") ||
			err != nil &&
				(!strings.Contains(err.Error(), want) || strings.Count(err.Error(), "items-api:alarms ") != 1) {
			t.Errorf("%s: got %v, want %q", value, err, want)
		}
		if value == `{}` && s.Alarms != defaultAlarms() {
			t.Errorf("got %v", s.Alarms)
		}
	}
}

func TestTopicOfAnotherRegionIsRefused(t *testing.T) {
	t.Parallel()
	config := map[string]string{
		"items-api:alarms": `{"topicArn":"arn:aws:sns:us-east-1:111122223333:alarms"}`,
		"aws:region":       "eu-west-1",
	}
	made, err := deploy(config)
	if err == nil ||
		!strings.Contains(
			err.Error(),
			"items-api:alarms holds topicArn of the region us-east-1, and the alarms are in eu-west-1",
		) ||
		len(made) > 0 {
		t.Errorf("%v was registered, %v", made, err)
	}
	s, err := Parse(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, region := range []string{"us-east-1", ""} {
		if err := s.Alarms.checkRegion(region); err != nil {
			t.Errorf("%q: %v", region, err)
		}
	}
}
