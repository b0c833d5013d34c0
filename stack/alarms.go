package stack

import (
	"fmt"
	"regexp"
)

// Alarms is the configuration key alarms.
type Alarms struct {
	ErrorPercent float64 `json:"errorPercent"`
	LatencyMs    int     `json:"latencyMs"`
	TopicARN     string  `json:"topicArn"`
}

func defaultAlarms() Alarms { return Alarms{ErrorPercent: 5, LatencyMs: 2000} }

var topicARN = regexp.MustCompile(`^arn:aws(-[a-z]+)*:sns:([a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_-]{1,256}$`)

func (p *parser) alarms(text string) Alarms {
	a := defaultAlarms()
	if p.object(text, &a) == nil {
		return a
	}
	if a.ErrorPercent <= 0 || a.ErrorPercent >= 100 {
		p.fail("holds errorPercent %v; it must be above 0 and below 100", a.ErrorPercent)
	}
	if a.LatencyMs < 1 || a.LatencyMs > 29000 {
		p.fail("holds latencyMs %d; it must be from 1 to 29000", a.LatencyMs)
	}
	if a.TopicARN != "" && !topicARN.MatchString(a.TopicARN) {
		p.fail(
			"holds topicArn %q; one of a standard topic of SNS looks like "+
				"arn:aws:sns:us-east-1:111122223333:alarms",
			a.TopicARN,
		)
	}
	return a
}

// checkRegion tests that the topic is where the alarms are: PutMetricAlarm says
// "Invalid region ... specified" of another. An empty region is not known here.
func (a Alarms) checkRegion(region string) error {
	if m := topicARN.FindStringSubmatch(a.TopicARN); region != "" && m != nil && m[2] != region {
		return fmt.Errorf(
			"%s:alarms holds topicArn of the region %s, and the alarms are in %s: give a topic of SNS in %s",
			Namespace,
			m[2],
			region,
			region,
		)
	}
	return nil
}
