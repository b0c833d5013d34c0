package provider

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

// published makes a function that publishes versions and a way to change it.
func published(t *testing.T) (*Server, func(change func(resource.PropertyMap)) values) {
	t.Helper()
	s, _ := server(t)
	create(t, s, roleType, "r", props(map[string]any{"name": "r", "assumeRolePolicy": trust}))
	create(t, s, roleType, "r2", props(map[string]any{"name": "r2", "assumeRolePolicy": trust}))
	in := function(t, "one")
	in["name"], in["publish"] = resource.NewStringProperty("f"), resource.NewBoolProperty(true)
	_, out, inputs := create(t, s, functionType, "f", in)
	if out.str("version") != "1" || out.str("qualifiedArn") != out.str("arn")+":1" {
		t.Fatalf("the first version is %v", out)
	}
	return s, func(change func(resource.PropertyMap)) values {
		t.Helper()
		change(in)
		inputs = checked(t, s, functionType, "f", inputs, in)
		r, err := s.Update(t.Context(), &pulumirpc.UpdateRequest{
			Urn:  urn(functionType, "f"),
			Id:   "f",
			Olds: encode(t, toPulumi(out)),
			News: inputs,
		})
		if err != nil {
			t.Fatal(err)
		}
		if out, err = read(r.Properties); err != nil {
			t.Fatal(err)
		}
		return out
	}
}

func TestVersionIsPublishedForAChangeOfWhatRunsOnly(t *testing.T) {
	t.Parallel()
	s, update := published(t)
	for _, c := range []struct {
		what   string
		change func(resource.PropertyMap)
		want   string
	}{
		{"nothing", func(resource.PropertyMap) {}, "1"},
		{"tags", func(m resource.PropertyMap) { m["tags"] = props(map[string]any{"t": map[string]any{"a": "b"}})["t"] }, "1"},
		{"the reservation", func(m resource.PropertyMap) { m["reservedConcurrentExecutions"] = resource.NewNumberProperty(5) }, "1"},
		{"memory", func(m resource.PropertyMap) { m["memorySize"] = resource.NewNumberProperty(256) }, "2"},
		{"code", func(m resource.PropertyMap) { m["code"] = function(t, "two")["code"] }, "3"},
		{"not publishing", func(m resource.PropertyMap) { m["publish"] = resource.NewBoolProperty(false) }, "$LATEST"},
		{"publishing what was published", func(m resource.PropertyMap) { m["publish"] = resource.NewBoolProperty(true) }, "3"},
	} {
		if got := update(c.change).str("version"); got != c.want {
			t.Errorf("a change of %s gave the version %s, want %s", c.what, got, c.want)
		}
	}
	one, err := s.p.Version("f", "1")
	if err != nil {
		t.Fatal(err)
	}
	three, err := s.p.Version("f", "3")
	if err != nil {
		t.Fatal(err)
	}
	if one.MemoryMB != 128 || three.MemoryMB != 256 || one.Package == three.Package || one.Version != "1" ||
		*one.Reserved != 5 {
		t.Errorf("the versions are %+v and %+v", one, three)
	}
	packages, err := s.p.Packages("f")
	if err != nil || !slices.Contains(packages, one.Package) || !slices.Contains(packages, three.Package) {
		t.Errorf("the packages are %v, %v", packages, err)
	}
	if _, err := s.p.Version(
		"f",
		"4",
	); err == nil ||
		!strings.Contains(err.Error(), "ResourceNotFoundException: Function not found") {
		t.Errorf("a version that does not exist gave %v", err)
	}
}

// A preview must not promise the version that there is when another will be
// published, and must not announce one when none will be.
func TestPreviewKnowsWhetherAVersionWillBePublished(t *testing.T) {
	t.Parallel()
	s, _ := published(t)
	old := function(t, "one")
	old["name"], old["publish"] = resource.NewStringProperty("f"), resource.NewBoolProperty(true)
	olds, err := read(checked(t, s, functionType, "f", nil, old))
	if err != nil {
		t.Fatal(err)
	}
	olds["version"] = "1"
	for what, c := range map[string]struct {
		change  resource.PropertyMap
		unknown bool
	}{
		"tags":            {props(map[string]any{"tags": map[string]any{"a": "b"}}), false},
		"the reservation": {props(map[string]any{"reservedConcurrentExecutions": 3}), false},
		"time-out":        {props(map[string]any{"timeout": 9}), true},
		"code":            {resource.PropertyMap{"code": function(t, "two")["code"]}, true},
		"environment":     {props(map[string]any{"environment": map[string]any{"variables": map[string]any{"AB": "c"}}}), true},
	} {
		in := old.Copy()
		for k, v := range c.change {
			in[k] = v
		}
		r, err := s.Update(t.Context(), &pulumirpc.UpdateRequest{
			Urn:     urn(functionType, "f"),
			Id:      "f",
			Olds:    encode(t, toPulumi(olds)),
			News:    checked(t, s, functionType, "f", nil, in),
			Preview: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		out, err := read(r.Properties)
		if err != nil {
			t.Fatal(err)
		}
		if _, unknown := out["version"].(Unknown); unknown != c.unknown {
			t.Errorf("with another %s the version is %v", what, out["version"])
		}
	}
}

func alias(version string, weights map[string]any) map[string]any {
	m := map[string]any{"name": "live", "functionName": "f", "functionVersion": version}
	if weights != nil {
		m["routingConfig"] = map[string]any{"additionalVersionWeights": weights}
	}
	return m
}

func TestAliasChoosesVersionsByWeight(t *testing.T) {
	t.Parallel()
	s, update := published(t)
	update(func(m resource.PropertyMap) { m["memorySize"] = resource.NewNumberProperty(256) })
	id, out, inputs := create(t, s, aliasType, "live", props(alias("1", map[string]any{"2": 0.25})))
	if id != "arn:aws:lambda:us-east-1:000000000000:function:f:live" ||
		!strings.HasSuffix(out.str("invokeArn"), "function:f:live/invocations") {
		t.Errorf("got %s with %v", id, out)
	}
	// 10,000 draws of 0.25 have a standard deviation of 43.3: within 5 of them.
	count := map[string]int{}
	for range 10000 {
		v, err := s.p.Resolve("f", "live")
		if err != nil {
			t.Fatal(err)
		}
		count[v]++
	}
	if n := count["2"]; n < 2283 || n > 2717 || count["1"] != 10000-n {
		t.Errorf("of 10,000 invocations the versions got %v", count)
	}
	if got := s.p.Serving("f"); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("the versions that serve are %v", got)
	}
	moved := checked(t, s, aliasType, "live", inputs, props(alias("2", nil)))
	d, err := s.Diff(t.Context(), &pulumirpc.DiffRequest{
		Urn:       urn(aliasType, "live"),
		Id:        id,
		OldInputs: inputs,
		News:      moved,
	})
	if err != nil || len(d.Replaces) > 0 ||
		!cmp.Equal(d.Diffs, []string{"functionVersion", "routingConfig"}) {
		t.Errorf("moving the alias gives %v, %v", d, err)
	}
	if _, err := s.Update(t.Context(), &pulumirpc.UpdateRequest{
		Urn:  urn(aliasType, "live"),
		Id:   id,
		Olds: encode(t, toPulumi(out)),
		News: moved,
	}); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"live", "2"}, {"", "$LATEST"}, {"$LATEST", "$LATEST"}, {"1", "1"}} {
		if v, err := s.p.Resolve("f", c[0]); err != nil || v != c[1] {
			t.Errorf("the qualifier %q runs %s, %v", c[0], v, err)
		}
	}
	if _, err := s.p.Resolve(
		"f",
		"other",
	); err == nil ||
		!strings.Contains(err.Error(), "Cannot find alias arn") {
		t.Errorf("an unknown alias gave %v", err)
	}
}

func TestImpossibleAliasesAreRefused(t *testing.T) {
	t.Parallel()
	s, update := published(t)
	update(func(m resource.PropertyMap) {
		m["role"] = resource.NewStringProperty("arn:aws:iam::000000000000:role/r2")
	})
	for want, in := range map[string]map[string]any{
		"Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:7": alias("7", nil),
		"already included in routing configuration":                              alias("1", map[string]any{"1": 0.1}),
		"not supported for an alias pointing to more than 1 version":             alias("$LATEST", map[string]any{"1": 0.1}),
		"differ in role": alias("1", map[string]any{"2": 0.1}),
		"function:f:9":   alias("1", map[string]any{"9": 0.1}),
		"function:other": {"name": "live", "functionName": "other", "functionVersion": "1"},
	} {
		err := tries(t, s, aliasType, "live", in)
		if err == nil || !strings.Contains(err.Error(), want) || len(s.p.aliases("f")) > 0 {
			t.Errorf("%v gave %v, want %s", in, err, want)
		}
	}
	for want, in := range map[string]map[string]any{
		"cannot be greater than 1":   alias("1", map[string]any{"1": 0.1, "2": 0.1}),
		"from 0 to below 1":          alias("1", map[string]any{"2": 1}),
		"no number of a version":     alias("1", map[string]any{"x": 0.1}),
		"is not a number":            {"name": "12", "functionName": "f", "functionVersion": "1"},
		"a version is a number or $": alias("newest", nil),
	} {
		if _, problems := check(
			t,
			s,
			aliasType,
			"live",
			nil,
			props(in),
		); len(problems) != 1 ||
			!strings.Contains(problems[0], want) {
			t.Errorf("%v gave %v, want %s", in, problems, want)
		}
	}
	create(t, s, aliasType, "live", props(alias("1", nil)))
	_, err := s.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn:        urn(aliasType, "again"),
		Properties: checked(t, s, aliasType, "again", nil, props(alias("1", nil))),
	})
	if err == nil || !strings.Contains(err.Error(), "ResourceConflictException: Alias already exists") {
		t.Errorf("a second alias of the name gave %v", err)
	}
}

// The policy of a function, of a version and of an alias are three policies.
func TestPermissionIsForItsQualifierAlone(t *testing.T) {
	t.Parallel()
	s, _ := published(t)
	_, out, _ := create(t, s, aliasType, "live", props(alias("1", nil)))
	permission := map[string]any{
		"action":      "lambda:InvokeFunction",
		"function":    "f",
		"principal":   "apigateway.amazonaws.com",
		"statementId": "s",
		"qualifier":   "live",
	}
	create(t, s, permissionType, "p", props(permission))
	permitted := func(want ...string) {
		t.Helper()
		for _, q := range []string{"", "$LATEST", "live", "1"} {
			if got := s.p.Permitted(
				"f",
				q,
				"apigateway.amazonaws.com",
				"arn:aws:execute-api:x",
			); got != slices.Contains(
				want,
				q,
			) {
				t.Errorf("permitted for the qualifier %q: %v", q, got)
			}
		}
	}
	permitted("live")
	delete(permission, "qualifier")
	create(t, s, permissionType, "p2", props(permission)) // the same statement id, another policy
	permitted("live", "", "$LATEST")
	permission["qualifier"] = "$LATEST"
	refused := func(want string) {
		t.Helper()
		err := tries(t, s, permissionType, "p3", permission)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v gave %v, want %s", permission, err, want)
		}
	}
	refused("We currently do not support adding policies for $LATEST.")
	permission["qualifier"] = "other"
	refused("Cannot find alias arn")
	permission["qualifier"] = "4"
	refused("Function not found")
	if _, err := s.Delete(t.Context(), &pulumirpc.DeleteRequest{
		Urn:        urn(aliasType, "live"),
		Id:         out.str("arn"),
		Properties: encode(t, toPulumi(out)),
	}); err != nil {
		t.Fatal(err)
	}
	permitted("", "$LATEST")
}

func TestVersionsAndAliasesAreLookedUp(t *testing.T) {
	t.Parallel()
	s, update := published(t)
	update(func(m resource.PropertyMap) { m["memorySize"] = resource.NewNumberProperty(256) })
	update(func(m resource.PropertyMap) { m["memorySize"] = resource.NewNumberProperty(512) })
	create(t, s, aliasType, "live", props(alias("1", nil)))
	look := func(token string, args map[string]any) (*structpb.Struct, []string) {
		t.Helper()
		r, err := s.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: token, Args: encode(t, props(args))})
		if err != nil {
			t.Fatal(err)
		}
		var problems []string
		for _, f := range r.Failures {
			problems = append(problems, f.Reason)
		}
		return r.Return, problems
	}
	got, _ := look("aws:lambda/getAlias:getAlias", map[string]any{"functionName": "f", "name": "live"})
	if got.GetFields()["functionVersion"].GetStringValue() != "1" {
		t.Errorf("the alias is %v", got)
	}
	for qualifier, want := range map[string][2]string{
		"1":       {"1", "128"},
		"2":       {"2", "256"},
		"live":    {"1", "128"},
		"$LATEST": {"$LATEST", "512"},
		"":        {"3", "512"},
	} {
		args := map[string]any{"functionName": "f"}
		if qualifier != "" {
			args["qualifier"] = qualifier
		}
		got, problems := look("aws:lambda/getFunction:getFunction", args)
		fields := got.GetFields()
		if len(problems) > 0 || fields["version"].GetStringValue() != want[0] ||
			fmt.Sprint(fields["memorySize"].GetNumberValue()) != want[1] {
			t.Errorf("the function with the qualifier %q is %v, %v", qualifier, got, problems)
		}
	}
	for token, args := range map[string]map[string]any{
		"aws:lambda/getAlias:getAlias":       {"functionName": "f", "name": "other"},
		"aws:lambda/getFunction:getFunction": {"functionName": "f", "qualifier": "4"},
	} {
		if _, problems := look(
			token,
			args,
		); len(problems) != 1 ||
			!strings.HasSuffix(problems[0], "couldn't find resource") {
			t.Errorf("%s of what is not there gave %v", token, problems)
		}
	}
}

func TestOldVersionsThatNothingNeedsAreForgotten(t *testing.T) {
	t.Parallel()
	s, update := published(t)
	create(t, s, aliasType, "live", props(alias("1", nil)))
	for i := range keptVersions + 3 {
		update(
			func(m resource.PropertyMap) { m["description"] = resource.NewStringProperty(strconv.Itoa(i)) },
		)
	}
	newest := keptVersions + 4
	for number, want := range map[int]bool{
		1:                         true,
		2:                         false,
		newest - keptVersions:     false,
		newest - keptVersions + 1: true,
		newest:                    true,
	} {
		if _, err := s.p.Version("f", strconv.Itoa(number)); (err == nil) != want {
			t.Errorf("version %d of %d: %v", number, newest, err)
		}
	}
}
