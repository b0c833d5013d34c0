package stack

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"items-api/components"
)

// Release is the configuration key release.
type Release struct {
	Strategy components.Strategy `json:"strategy"`
	Version  Version             `json:"version"`
}

// Version is the number of a published version, which YAML may give as text or
// as a number.
type Version string

// UnmarshalJSON accepts both.
func (v *Version) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*v = Version(text)
		return nil
	}
	var number json.Number
	if err := json.Unmarshal(data, &number); err != nil {
		return &json.UnmarshalTypeError{
			Value: string(data),
			Type:  reflect.TypeFor[string](),
			Field: "version",
		}
	}
	*v = Version(number)
	return nil
}

// Canary is the configuration key canary.
type Canary struct {
	Weight float64 `json:"weight"` // percent
}

func defaultRelease() Release { return Release{Strategy: components.AllAtOnce} }

func (p *parser) release(text string) Release {
	r := defaultRelease()
	if p.object(text, &r) == nil {
		return r
	}
	if !slices.Contains(components.Strategies(), r.Strategy) {
		p.fail(
			"holds the strategy %q; it must be one of all-at-once, codedeploy-linear, codedeploy-canary",
			r.Strategy,
		)
	}
	if r.Version != "" && !components.PublishedVersion(string(r.Version)) {
		p.fail(
			"holds the version %q; it is the number of a published version, such as the output "+
				"liveVersion of the deployment to go back to",
			r.Version,
		)
	}
	if r.Version != "" && r.Strategy.CodeDeploy() {
		p.fail(
			"holds a version with the strategy %s, with which CodeDeploy moves requests: use the command "+
				"that the output rollback holds",
			r.Strategy,
		)
	}
	return r
}

func (p *parser) canary(text string) Canary {
	var c Canary
	if p.object(text, &c) == nil {
		return c
	}
	if c.Weight < 0 || c.Weight >= 100 {
		p.fail(
			"holds the weight %v; it is the percentage of requests that go to the new version, from "+
				"0 to below 100",
			c.Weight,
		)
	}
	return c
}

// checkRelease tests what release and canary do not allow together.
func (s Settings) checkRelease() error {
	if s.Release.Strategy.CodeDeploy() && s.Canary.Weight > 0 {
		return fmt.Errorf(
			"%s:canary has a weight and %s:release has the strategy %s, with which CodeDeploy moves "+
				"requests: choose one",
			Namespace,
			Namespace,
			s.Release.Strategy,
		)
	}
	return nil
}
