package components

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
)

func released(release Release) *RestAPIArgs {
	a := *args
	a.Release = release
	return &a
}

// There is no way to the function but the alias: a request must never run
// what is not published.
func TestGatewayCallsTheAlias(t *testing.T) {
	t.Parallel()
	for mode, a := range map[api.AuthMode]Auth{
		api.AuthNone:   {Mode: api.AuthNone},
		api.AuthLambda: {Mode: api.AuthLambda, Package: "authorizer.zip"},
	} {
		with := *args
		with.Auth = a
		both(t, &with, func(t *testing.T, r *recorder) {
			for _, f := range r.all("aws:lambda/function:Function") {
				if v := at(f, "publish"); !v.IsBool() || !v.BoolValue() {
					t.Errorf("%s: a function does not publish versions", mode)
				}
			}
			aliases := r.all("aws:lambda/alias:Alias")
			if len(aliases) != len(r.all("aws:lambda/function:Function")) {
				t.Errorf("%s: %d aliases", mode, len(aliases))
			}
			for _, p := range r.all("aws:lambda/permission:Permission") {
				if q := at(p, "qualifier"); q.StringValue() != Alias {
					t.Errorf("%s: the permission %v has the qualifier %v", mode, p["statementId"], q)
				}
			}
			if r.unknown {
				return
			}
			for _, a := range aliases {
				if a["functionVersion"].StringValue() != "3" || a["name"].StringValue() != Alias ||
					a.HasValue("routingConfig") {
					t.Errorf("%s: got the alias %v", mode, a)
				}
			}
			if uri := r.one(t, "aws:apigatewayv2/integration:Integration")["integrationUri"].StringValue(); uri != "arn:invoke:items" {
				t.Errorf("the gateway calls %s", uri)
			}
		})
	}
}

// An upgrade from a release that called the function itself must not close the
// door for a moment: the new permissions exist before the gateway is turned,
// the old ones go last because theirs are other resources.
func TestPermissionsForTheAliasComeBeforeTheGatewayIsTurned(t *testing.T) {
	t.Parallel()
	a := *args
	a.Auth = Auth{Mode: api.AuthLambda, Package: "authorizer.zip"}
	r := compose(t, false, &a)
	waits := map[string][]string{}
	for _, m := range r.made {
		waits[m.TypeToken+" "+m.Name] = m.RegisterRPC.GetDependencies()
	}
	before := func(who string, what ...string) {
		t.Helper()
		for _, w := range what {
			if !slices.ContainsFunc(
				waits[who],
				func(urn string) bool { return strings.HasSuffix(urn, "::"+w) },
			) {
				t.Errorf("%s does not wait for %s but for %v", who, w, waits[who])
			}
		}
	}
	for _, route := range api.Routes() {
		before(
			"aws:apigatewayv2/integration:Integration items",
			"items-live-"+strings.ToLower(string(route.Operation)),
		)
	}
	before("aws:apigatewayv2/authorizer:Authorizer items-key", "items-authorizer-live")
	// And the handler gives up reserved concurrency before the authorizer takes it.
	if urns := waits["aws:lambda/function:Function items-authorizer"]; !slices.ContainsFunc(
		urns,
		func(urn string) bool { return strings.HasSuffix(urn, "$aws:lambda/function:Function::items") },
	) {
		t.Errorf("the authorizer does not wait for the handler but for %v", urns)
	}
}

// lookups answers with a function that has versions up to 3 and an alias that
// points to one of them or has a canary ("split"), or with no alias if that is "".
func lookups(live string) func(pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return func(a pulumi.MockCallArgs) (resource.PropertyMap, error) {
		missing := errors.New("reading Lambda: couldn't find resource")
		switch a.Token {
		case "aws:lambda/getAlias:getAlias":
			if live == "denied" {
				return nil, errors.New("AccessDeniedException")
			}
			if live == "" {
				return nil, missing
			}
			if live == "split" {
				return resource.PropertyMap{
					"functionVersion": resource.NewStringProperty("1"),
					"description":     resource.NewStringProperty(split),
				}, nil
			}
			return resource.PropertyMap{"functionVersion": resource.NewStringProperty(live)}, nil
		case "aws:lambda/getFunction:getFunction":
			if a.Args["qualifier"].StringValue() > "3" {
				return nil, missing
			}
			variables := resource.PropertyMap{
				"AUTH_MODE":  resource.NewStringProperty("none"),
				"TABLE_NAME": resource.NewStringProperty("items-1"),
			}
			if a.Args["qualifier"].StringValue() == "2" && live == "another table" {
				variables["TABLE_NAME"] = resource.NewStringProperty("items-0")
			}
			return resource.PropertyMap{
				"version": a.Args["qualifier"],
				"environment": resource.NewObjectProperty(
					resource.PropertyMap{"variables": resource.NewObjectProperty(variables)},
				),
			}, nil
		}
		return nil, errors.New("unexpected lookup of " + a.Token)
	}
}

func TestAliasFollowsTheRelease(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		release Release
		live    string
		version string
		weights map[string]float64
	}{
		"the newest":                    {Release{}, "", "3", nil},
		"a canary beside what answers":  {Release{CanaryPercent: 10}, "2", "2", map[string]float64{"3": 0.1}},
		"a canary with nothing beside":  {Release{CanaryPercent: 10}, "", "3", nil},
		"a canary of what answers":      {Release{CanaryPercent: 10}, "3", "3", nil},
		"a roll-back":                   {Release{Version: "1"}, "3", "1", nil},
		"a roll-back to what is newest": {Release{Version: "3"}, "1", "3", nil},
		"a canary beside a pinned one": {Release{
			Version:       "1",
			CanaryPercent: 0.5,
		}, "2", "1", map[string]float64{"3": 0.005}},
		"a canary of the one pinned": {Release{Version: "3", CanaryPercent: 5}, "2", "3", nil},
	} {
		r := &recorder{lookup: lookups(c.live)}
		if err := r.run(released(c.release)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		a := r.one(t, "aws:lambda/alias:Alias")
		if got := a["functionVersion"].StringValue(); got != c.version {
			t.Errorf("%s: the alias points to %s, want %s", name, got, c.version)
		}
		if description, want := a["description"].StringValue(), map[bool]string{
			true:  moved,
			false: split,
		}[c.weights == nil]; description != want {
			t.Errorf("%s: the alias is described as %q, want %q", name, description, want)
		}
		got := at(a, "routingConfig", "additionalVersionWeights")
		if c.weights == nil && !got.IsNull() {
			t.Errorf("%s: the weights are %v", name, got)
		}
		for version, w := range c.weights {
			if v := at(
				a,
				"routingConfig",
				"additionalVersionWeights",
				version,
			); len(got.ObjectValue()) != 1 || !v.IsNumber() ||
				v.NumberValue() != w {
				t.Errorf("%s: the weights are %v, want %v", name, got, c.weights)
			}
		}
	}
}

func TestReleaseThatCannotBeFails(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		release Release
		live    string
	}{
		"has no version 4 to go back to": {Release{Version: "4"}, "3"},
		"needs lambda:GetAlias":          {Release{CanaryPercent: 1}, "denied"},
		"lambda:GetAlias: ":              {Release{Strategy: CodeDeployLinear}, "denied"},
		"is for the table \"items-0\"":   {Release{Version: "2"}, "another table"},
		"has a canary, with which":       {Release{Strategy: CodeDeployCanary}, "split"},
	} {
		r := &recorder{lookup: lookups(c.live)}
		if err := r.run(
			released(c.release),
		); err == nil || !strings.Contains(err.Error(), want) ||
			len(r.all("aws:lambda/alias:Alias")) > 0 {
			t.Errorf("%s: got %v", want, err)
		}
	}
	// A version of the mode none would give everybody the items of all.
	for _, c := range []struct {
		mode Auth
		Release
	}{
		{Auth{Mode: api.AuthCognito}, Release{Version: "1"}},
		{Auth{Mode: api.AuthCognito}, Release{CanaryPercent: 1}},
		{Auth{Mode: api.AuthCognito}, Release{Strategy: CodeDeployLinear}},
		{Auth{Mode: api.AuthLambda, Package: "authorizer.zip"}, Release{Version: "1"}},
	} {
		a := released(c.Release)
		a.Auth = c.mode
		r := &recorder{lookup: lookups("1")}
		if err := r.run(
			a,
		); err == nil ||
			!strings.Contains(
				err.Error(),
				`of the mode "none", and the gateway lets in those of the mode "`+string(c.mode.Mode),
			) {
			t.Errorf("%v: got %v", c, err)
		}
	}
	for want, bad := range map[string]Release{
		"Release.Strategy must be one of":                  {Strategy: "sudden"},
		"number of a published version":                    {Version: "$LATEST"},
		"from 0 to below 100":                              {CanaryPercent: 100},
		"not possible with the strategy codedeploy-linear": {Strategy: CodeDeployLinear, CanaryPercent: 1},
		"not possible with the strategy codedeploy-canary": {Strategy: CodeDeployCanary, Version: "1"},
	} {
		refused(t, want, released(bad))
	}
}

// With CodeDeploy the alias is Pulumi's to make and CodeDeploy's to move.
func TestCodeDeployKeepsTheAlias(t *testing.T) {
	t.Parallel()
	for _, s := range []Strategy{CodeDeployLinear, CodeDeployCanary} {
		r := compose(t, false, released(Release{Strategy: s}))
		for _, m := range r.made {
			if m.TypeToken == "aws:lambda/alias:Alias" {
				if got := m.RegisterRPC.GetIgnoreChanges(); !slices.Equal(
					got,
					[]string{"functionVersion", "routingConfig"},
				) {
					t.Errorf("%s: the alias ignores changes of %v", s, got)
				}
				// So that Pulumi writes the alias when it takes it over again.
				if d := m.Inputs["description"].StringValue(); d == moved {
					t.Errorf("%s: the alias is described as %q", s, d)
				}
			}
		}
	}
}
