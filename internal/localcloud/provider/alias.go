package provider

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"items-api/internal/localcloud/state"
)

const aliasType = "aws:lambda/alias:Alias"

var aliasName = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,128}$`)

func aliasTypes() []*Type {
	return []*Type{{
		Token: aliasType,
		Properties: []Property{
			{
				Name:  "description",
				Kind:  String,
				Level: Recorded,
			},
			{
				Name:     "functionName",
				Kind:     String,
				Level:    Enforced,
				Required: true,
				Replace:  true,
			},
			{
				Name:     "functionVersion",
				Kind:     String,
				Level:    Enforced,
				Required: true,
				Check: matching(
					regexp.MustCompile(`^(\$LATEST|[0-9]+)$`),
					"a version is a number or $LATEST",
				),
			},
			{
				Name:    "name",
				Kind:    String,
				Level:   Enforced,
				Replace: true,
				Check: func(v any) error {
					if s, _ := v.(string); !aliasName.MatchString(s) || versionNumber.MatchString(s) {
						return fmt.Errorf(
							"an alias has 1 to 128 letters, digits, '-' or '_', and is not a number",
						)
					}
					return nil
				},
			},
			{
				Name:  "routingConfig",
				Kind:  Object,
				Level: Enforced,
				Fields: []Property{
					{
						Name:  "additionalVersionWeights",
						Kind:  Map,
						Elem:  Number,
						Level: Enforced,
						Check: weights,
						Note:  "at most one version, with a weight from 0 to below 1",
					}},
			},
		},
		Outputs: []string{"arn", "invokeArn"},
		Check:   checkAlias,
		Name:    "name", NameMax: 128,
		Key: func(id string, props values) string { return aliasKey(props.str("functionName"), aliasOf(id)) },
		Create: func(_ context.Context, p *Provider, in values) (state.Record, error) {
			name := FunctionName(in.str("functionName"))
			rec, err := p.aliasRecord(in)
			if err == nil {
				if _, err := p.Store.Get(aliasType, aliasKey(name, in.str("name"))); err == nil {
					return rec, fmt.Errorf("ResourceConflictException: Alias already exists: %s", rec.ID)
				}
			}
			return rec, err
		},
		Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
			rec, err := p.aliasRecord(in)
			rec.Private = old.Private
			return rec, err
		},
		Apply: func(ctx context.Context, p *Provider, r state.Record) error {
			return p.Cloud.ApplyFunction(ctx, FunctionName(values(r.Properties).str("functionName")))
		},
		Delete: func(_ context.Context, p *Provider, r state.Record) error {
			v := values(r.Properties)
			return p.removePermissions(FunctionName(v.str("functionName")), v.str("name"))
		},
	}}
}

func aliasKey(function, alias string) string { return FunctionName(function) + "/" + alias }

// aliasOf returns the alias' name from its ARN, which is the resource's id.
func aliasOf(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }

// weights tests additional versions. Source: CreateAlias, Lambda API reference,
// and recordings of the service.
func weights(v any) error {
	m, _ := v.(map[string]any)
	if len(m) > 1 {
		return fmt.Errorf(
			"InvalidParameterValueException: Number of items in AdditionalVersionWeights cannot be " +
				"greater than 1",
		)
	}
	for number, w := range m {
		if !versionNumber.MatchString(number) {
			return fmt.Errorf("%q is no number of a version", number)
		}
		if f, known := w.(float64); known && (f < 0 || f >= 1) {
			return fmt.Errorf("the weight of the version %s must be from 0 to below 1", number)
		}
	}
	return nil
}

// aliasRecord checks an alias. Both versions of one that has two must be
// published and have the same role and dead-letter queue. Source: Lambda
// developer guide, "Implement Lambda canary deployments using a weighted alias".
func (p *Provider) aliasRecord(in values) (state.Record, error) {
	name := FunctionName(in.str("functionName"))
	fn, err := p.Store.Get(functionType, name)
	arn := p.arn("lambda", "function:"+name)
	if err != nil {
		return state.Record{}, fmt.Errorf("ResourceNotFoundException: Function not found: %s", arn)
	}
	main := in.str("functionVersion")
	var mainVersion version
	if main != latest {
		if mainVersion, err = versionOf(fn, main); err != nil {
			return state.Record{}, err
		}
	}
	for other := range in.object("routingConfig").object("additionalVersionWeights") {
		if other == main {
			return state.Record{}, fmt.Errorf(
				"InvalidParameterValueException: Invalid function version %s. Function version %s is "+
					"already included in routing configuration.",
				main,
				main,
			)
		}
		if main == latest {
			return state.Record{}, fmt.Errorf(
				"InvalidParameterValueException: $LATEST is not supported for an alias pointing to more " +
					"than 1 version",
			)
		}
		v, err := versionOf(fn, other)
		if err != nil {
			return state.Record{}, err
		}
		for _, prop := range []string{"role", "deadLetterConfig"} {
			if !reflect.DeepEqual(v.Properties[prop], mainVersion.Properties[prop]) {
				return state.Record{}, fmt.Errorf(
					"InvalidParameterValueException: the versions %s and %s of the function %s differ in "+
						"%s, and an alias cannot point to both",
					main,
					other,
					name,
					prop,
				)
			}
		}
	}
	props := base(in)
	id := arn + ":" + in.str("name")
	props["arn"], props["invokeArn"] = id, p.invokeARN(id)
	return state.Record{ID: id, Properties: props}, nil
}

// aliases returns the aliases of a function.
func (p *Provider) aliases(name string) []values {
	var out []values
	for _, r := range p.Store.List(aliasType) {
		if v := values(r.Properties); FunctionName(v.str("functionName")) == name {
			out = append(out, v)
		}
	}
	return out
}

// Serving returns the published versions that aliases of a function point to.
func (p *Provider) Serving(name string) []string {
	var out []string
	for _, a := range p.aliases(name) {
		if n := a.str("functionVersion"); n != latest {
			out = append(out, n)
		}
		for n := range a.object("routingConfig").object("additionalVersionWeights") {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Resolve returns the version that an invocation of a function runs, for the
// qualifier that it asks for: none, a version, or an alias, which chooses among
// two versions by their weights at random.
func (p *Provider) Resolve(name, qualifier string) (string, error) {
	switch {
	case qualifier == "" || qualifier == latest:
		return latest, nil
	case versionNumber.MatchString(qualifier):
		return qualifier, nil
	}
	r, err := p.Store.Get(aliasType, aliasKey(name, qualifier))
	if err != nil {
		return "", fmt.Errorf(
			"ResourceNotFoundException: Cannot find alias arn: %s",
			p.arn("lambda", "function:"+name+":"+qualifier),
		)
	}
	v := values(r.Properties)
	for n, w := range v.object("routingConfig").object("additionalVersionWeights") {
		if weight, _ := w.(float64); rand.Float64() < weight {
			return n, nil
		}
	}
	return v.str("functionVersion"), nil
}
