package dynamodb

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"items-api/internal/localcloud/iam"
)

// routed gives a person a route with the statements of an endpoint's policy.
func routed(t *testing.T, i Identity, unreachable string, statements ...string) {
	t.Helper()
	p, err := iam.ParseResource(
		[]byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`),
	)
	if err != nil && len(statements) > 0 {
		t.Fatal(err)
	}
	i.RoleARN = "arn:aws:iam::000000000000:role/role"
	i.Route = &Route{VPC: "vpc-1", Unreachable: unreachable, Endpoints: []Endpoint{{ID: "vpce-1", Policy: p}}}
	mu.Lock()
	defer mu.Unlock()
	people[i.AccessKeyID] = i
}

func TestEndpointAndRoleMustBothAllowACall(t *testing.T) {
	t.Parallel()
	table(t, "private")
	n := aws.String("private")
	c, i := person(
		t,
		"private",
		allow("dynamodb:GetItem", arn("private")),
		allow("dynamodb:Query", arn("private")+"/index/*"),
		allow("dynamodb:PutItem", arn("private")),
	)
	through := func(principal, action, resource, condition string) string {
		return `{"Sid":"Through","Effect":"Allow","Principal":` + principal + `,"Action":"` + action + `","Resource":"` + resource + `","Condition":{` + condition + `}}`
	}
	get := func() error {
		_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: n, Key: attrs{"PK": s("x")}})
		return err
	}
	query := func() error {
		_, err := c.Query(t.Context(), &dynamodb.QueryInput{
			TableName:                 n,
			IndexName:                 aws.String("byG"),
			KeyConditionExpression:    aws.String("G = :g"),
			ExpressionAttributeValues: attrs{":g": s("x")},
		})
		return err
	}
	const everybody, role = `"*"`, `"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::000000000000:role/role"}`
	const all = "no VPC endpoint policy allows the "
	for _, x := range []struct {
		policy     string
		get, query string // what a denial says; "" for none
	}{
		{through(everybody, "*", "*", role), "", ""},
		{through(`{"AWS":["*"]}`, "dynamodb:GetItem", arn("private"), role), "", all + "dynamodb:Query action"},
		{through(everybody, "*", arn("private")+"/index/*", ""), all + "dynamodb:GetItem action", ""},
		{through(everybody, "*", "*", `"StringEquals":{"aws:SourceVpce":"vpce-1","aws:SourceVpc":"vpc-1"}`), "", ""},
		{through(everybody, "*", "*", `"StringEquals":{"aws:SourceVpce":"vpce-2"}`),
			all + `dynamodb:GetItem action: the condition StringEquals of aws:SourceVpce in the statement "Through" wants ["vpce-2"], and the request has ["vpce-1"]`,
			all + "dynamodb:Query action"},
		{through(`{"AWS":"000000000000"}`, "*", "*", ""), all + "dynamodb:GetItem action", all + "dynamodb:Query action"},
		{through(everybody, "*", "*", "") + `,{"Effect":"Deny","Principal":"*","Action":"dynamodb:GetItem","Resource":"*"}`,
			"with an explicit deny in a VPC endpoint policy", ""},
	} {
		routed(t, i, "", x.policy)
		for _, call := range []struct {
			err  error
			want string
		}{{get(), x.get}, {query(), x.query}} {
			if (call.err == nil) != (call.want == "") ||
				call.err != nil && !strings.Contains(call.err.Error(), call.want) {
				t.Errorf("%s: got %v, want %q", x.policy, call.err, call.want)
			}
		}
	}
	// An endpoint grants nothing by itself.
	routed(t, i, "", through(everybody, "*", "*", ""))
	_, err := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: n, Key: attrs{"PK": s("x")}})
	if err == nil ||
		!strings.Contains(err.Error(), "no identity-based policy allows the dynamodb:DeleteItem action") {
		t.Errorf("got %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, call := range calls {
		if call.Function == "private" &&
			(call.Denied != "") != slices.Contains(call.Actions, "dynamodb:DeleteItem") {
			t.Errorf("the role is blamed for %+v", call)
		}
	}
}

func TestEveryKeyOfEndpointsIsCarried(t *testing.T) {
	t.Parallel()
	d := &Database{Config: Config{Region: "r", AccountID: "a"}}
	i := Identity{RoleARN: "role", Function: "f", Route: &Route{VPC: "v"}}
	got := d.passing(iam.Request{}, i, Endpoint{ID: "e"}).Context
	for _, key := range iam.EndpointKeys {
		if strings.HasPrefix(key, "aws:") && (len(got[key]) != 1 || got[key][0] == "") {
			t.Errorf("calls do not carry %s", key)
		}
	}
	for key := range got {
		if !slices.Contains(iam.EndpointKeys, key) {
			t.Errorf("policies may not test %s, which calls carry", key)
		}
	}
}

// Nobody answers what has no route, until the caller's time is over.
func TestCallWithoutARouteIsNotAnswered(t *testing.T) {
	t.Parallel()
	table(t, "lonely")
	c, i := person(t, "lonely", allow("dynamodb:GetItem", arn("lonely")))
	routed(t, i, "there is no way")
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	done := make(chan error)
	go func() {
		_, err := c.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: aws.String("lonely"),
			Key:       attrs{"PK": s("x")},
		})
		done <- err
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for observed := false; !observed; {
		select {
		case err := <-done:
			t.Fatalf("the call got %v", err)
		case <-tick.C:
		}
		mu.Lock()
		observed = slices.ContainsFunc(calls, func(call Call) bool {
			return call.Function == "lonely" && call.Unreachable == "there is no way" && call.Status == 0 &&
				!call.Allowed
		})
		mu.Unlock()
	}
	leave()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the call got %v", err)
	}
}
