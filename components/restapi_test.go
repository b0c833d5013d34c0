package components

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"items-api/internal/api"
	"items-api/internal/store"
)

var args = &RestAPIArgs{
	Package:            "handler.zip",
	CORS:               CORS{Origins: []string{"https://example.com"}},
	Auth:               Auth{Mode: api.AuthNone},
	DeletionProtection: true,
	Tags:               map[string]string{"a": "b"},
}

func at(m resource.PropertyMap, path ...string) resource.PropertyValue {
	v := resource.NewObjectProperty(m)
	for _, p := range path {
		if !v.IsObject() {
			return resource.NewNullProperty()
		}
		v = v.ObjectValue()[resource.PropertyKey(p)]
	}
	return v
}

func TestTableKeepsWhatCannotBeBroughtBack(t *testing.T) {
	t.Parallel()
	both(t, args, func(t *testing.T, r *recorder) {
		table := r.one(t, "aws:dynamodb/table:Table")
		for _, path := range [][]string{
			{"pointInTimeRecovery", "enabled"},
			{"ttl", "enabled"},
			{"deletionProtectionEnabled"},
		} {
			if v := at(table, path...); !v.IsBool() || !v.BoolValue() {
				t.Errorf("%s is %v", strings.Join(path, "."), v)
			}
		}
		if at(table, "billingMode").StringValue() != "PAY_PER_REQUEST" ||
			at(table, "hashKey").StringValue() != api.PartitionKey ||
			at(table, "rangeKey").StringValue() != api.SortKey {
			t.Errorf("got the table %v", table)
		}
	})
}

func TestFunctionHasReservedConcurrencyAndEndsBeforeTheIntegration(t *testing.T) {
	t.Parallel()
	both(t, args, func(t *testing.T, r *recorder) {
		function, integration := r.one(
			t,
			"aws:lambda/function:Function",
		), r.one(
			t,
			"aws:apigatewayv2/integration:Integration",
		)
		if v := at(function, "reservedConcurrentExecutions"); !v.IsNumber() || v.NumberValue() < 1 {
			t.Errorf("the reserved concurrency is %v", v)
		}
		if at(
			function,
			"timeout",
		).NumberValue()*1000 >= at(
			integration,
			"timeoutMilliseconds",
		).NumberValue() {
			t.Error("the integration ends before the function")
		}
		if at(integration, "payloadFormatVersion").StringValue() != "2.0" ||
			at(function, "runtime").StringValue() != "provided.al2023" {
			t.Errorf("got %v and %v", function, integration)
		}
	})
}

func TestReservationIsThatOfEachFunctionOrNone(t *testing.T) {
	t.Parallel()
	for _, want := range []int{1, 100, NoReservation} {
		a := *withAuth(modes[api.AuthLambda])
		a.ReservedConcurrency = want
		both(t, &a, func(t *testing.T, r *recorder) {
			functions := r.all("aws:lambda/function:Function")
			for _, f := range functions {
				if v := at(
					f,
					"reservedConcurrentExecutions",
				); !v.IsNumber() ||
					v.NumberValue() != float64(want) {
					t.Errorf("%v is reserved, want %d", v, want)
				}
			}
			if len(functions) != 2 {
				t.Errorf("%d functions were registered", len(functions))
			}
		})
	}
}

// What a route lets in at once is what the function may work on, unless it is
// given.
func TestBurstFollowsFromTheReservation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ reserved, given, want int }{
		{0, 0, 100},
		{25, 0, 25},
		{6000, 0, 5000},
		{NoReservation, 0, 100},
		{25, 200, 200},
		{NoReservation, 7, 7},
	} {
		a := *args
		a.ReservedConcurrency, a.ThrottleBurst = c.reserved, c.given
		stage := compose(t, false, &a).one(t, "aws:apigatewayv2/stage:Stage")
		if v := at(
			stage,
			"defaultRouteSettings",
			"throttlingBurstLimit",
		); v.NumberValue() != float64(
			c.want,
		) {
			t.Errorf(
				"with %d reserved and a burst of %d routes let in %v at once, want %d",
				c.reserved,
				c.given,
				v,
				c.want,
			)
		}
		for _, v := range at(stage, "routeSettings").ArrayValue() {
			if n := at(v.ObjectValue(), "throttlingBurstLimit").NumberValue(); n > float64(c.want) {
				t.Errorf("with %d reserved the route %v lets in more", c.reserved, v)
			}
		}
	}
}

// policies returns the registered policies as documents.
func policies(t *testing.T, r *recorder) []policyDocument {
	t.Helper()
	var out []policyDocument
	for _, v := range []resource.PropertyValue{r.one(t, "aws:iam/role:Role")["assumeRolePolicy"], r.one(t, "aws:iam/rolePolicy:RolePolicy")["policy"]} {
		if !v.IsString() {
			continue // not known in a preview
		}
		var d policyDocument
		if err := json.Unmarshal([]byte(v.StringValue()), &d); err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
}

func TestNoPolicyHasAWildcardButForLogStreams(t *testing.T) {
	t.Parallel()
	both(t, args, func(t *testing.T, r *recorder) {
		docs := append(policies(t, r), rolePolicy(itemStatement("arn:table"), "arn:logs"))
		if !r.unknown && len(docs) != 3 {
			t.Fatalf("%d policies were found", len(docs))
		}
		for _, d := range docs {
			for _, s := range d.Statement {
				for _, text := range slices.Concat(s.Action, s.Resource) {
					if strings.Contains(strings.TrimSuffix(text, ":log-stream:*"), "*") {
						t.Errorf("the statement %s has the wildcard %s", s.Sid, text)
					}
				}
			}
		}
	})
}

func TestRoleHasExactlyTheActionsOfTheStore(t *testing.T) {
	t.Parallel()
	docs := policies(t, compose(t, false, args))
	items := docs[1].Statement[0]
	if !slices.Equal(items.Action, store.Actions()) ||
		!slices.Equal(items.Resource, []string{"arn:aws:x:us-east-1:000000000000:items"}) {
		t.Errorf("got %v on %v", items.Action, items.Resource)
	}
	if !slices.Contains(items.Action, "dynamodb:BatchGetItem") {
		t.Error("several items cannot be read in one call")
	}
}

func TestEveryChildHasItsParent(t *testing.T) {
	t.Parallel()
	both(t, args, func(t *testing.T, r *recorder) {
		for _, m := range r.made {
			if m.TypeToken == Token || !m.Custom {
				continue
			}
			if want := "urn:pulumi:test::items-api::" + Token + "::items"; m.RegisterRPC.GetParent() != want {
				t.Errorf("%s %s has the parent %q", m.TypeToken, m.Name, m.RegisterRPC.GetParent())
			}
		}
		if len(r.made) < 10 {
			t.Errorf("only %d resources were registered", len(r.made))
		}
	})
}

func TestEveryRouteOfTheDeclarationHasItsPermission(t *testing.T) {
	t.Parallel()
	both(t, args, func(t *testing.T, r *recorder) {
		var keys []string
		for _, m := range r.all("aws:apigatewayv2/route:Route") {
			keys = append(keys, m["routeKey"].StringValue())
		}
		permissions := map[string]resource.PropertyMap{}
		for _, m := range r.all("aws:lambda/permission:Permission") {
			permissions[m["statementId"].StringValue()] = m
		}
		if len(keys) != len(api.Routes()) || len(permissions) != len(api.Routes()) {
			t.Fatalf(
				"%d routes and %d permissions were registered, want %d",
				len(keys),
				len(permissions),
				len(api.Routes()),
			)
		}
		for _, route := range api.Routes() {
			if !slices.Contains(keys, route.Key()) {
				t.Errorf("the route %s is missing", route.Key())
			}
			if r.unknown {
				continue
			}
			path := strings.ReplaceAll(route.Path, "{id}", "*")
			want := "arn:aws:execute-api:us-east-1:000000000000:api1/$default/" + route.Method + path
			if got := permissions[string(route.Operation)]["sourceArn"].StringValue(); got != want {
				t.Errorf("%s is permitted for %s, want %s", route.Operation, got, want)
			}
		}
	})
}

// A permission's statement has about 400 bytes, and a function's policy may
// have 20 KB; this fails before AWS does.
func TestPermissionsFitIntoTheFunctionsPolicy(t *testing.T) {
	t.Parallel()
	size := 0
	for _, m := range compose(t, false, args).all("aws:lambda/permission:Permission") {
		size += len(
			fmt.Sprintf(
				`{"Sid":%q,"Effect":"Allow","Principal":{"Service":"apigateway.amazonaws.com"},"Action":"lambda:InvokeFunction","Resource":"arn:aws:lambda:ap-southeast-1:000000000000:function:%064d:live","Condition":{"ArnLike":{"AWS:SourceArn":%q}}},`,
				m["statementId"].StringValue(),
				0,
				m["sourceArn"].StringValue(),
			),
		)
	}
	if size == 0 || size > 20*1024 {
		t.Errorf("the function's policy has %d bytes", size)
	}
}

func TestStageHasBothThrottlesAndJSONAccessLogs(t *testing.T) {
	t.Parallel()
	both(t, args, func(t *testing.T, r *recorder) {
		stage := r.one(t, "aws:apigatewayv2/stage:Stage")
		for _, name := range []string{"throttlingRateLimit", "throttlingBurstLimit"} {
			if v := at(stage, "defaultRouteSettings", name); !v.IsNumber() || v.NumberValue() <= 0 {
				t.Errorf("%s is %v", name, v)
			}
		}
		format := at(stage, "accessLogSettings", "format")
		if !format.IsString() || !json.Valid([]byte(format.StringValue())) ||
			!strings.Contains(format.StringValue(), "$context.requestId") {
			t.Errorf("the access log has the format %v", format)
		}
		if v := at(
			stage,
			"autoDeploy",
		); !v.IsBool() || !v.BoolValue() ||
			at(stage, "name").StringValue() != "$default" {
			t.Errorf("got the stage %v", stage)
		}
	})
}

func TestCORSMethodsComeFromTheDeclaration(t *testing.T) {
	t.Parallel()
	methods := at(
		compose(t, false, args).one(t, "aws:apigatewayv2/api:Api"),
		"corsConfiguration",
		"allowMethods",
	)
	var got []string
	for _, v := range methods.ArrayValue() {
		got = append(got, v.StringValue())
	}
	if !slices.Equal(got, api.Methods()) {
		t.Errorf("got %v, want %v", got, api.Methods())
	}
	without := compose(t, false, &RestAPIArgs{
		Package: "handler.zip",
		Auth:    Auth{Mode: api.AuthNone},
	}).one(t, "aws:apigatewayv2/api:Api")
	if _, there := without["corsConfiguration"]; there {
		t.Error("there is CORS without origins")
	}
}

func TestBadArgumentsRegisterNothing(t *testing.T) {
	t.Parallel()
	for want, bad := range map[string]*RestAPIArgs{
		"Package":             {},
		"TimeoutSeconds":      {Package: "x", TimeoutSeconds: 30},
		"ReservedConcurrency": {Package: "x", ReservedConcurrency: -2},
	} {
		refused(t, want, bad)
	}
}
