package provider

import (
	"strings"
	"testing"

	"items-api/internal/localcloud/state"
)

// TestRouteOfAFunctionToDynamoDB changes a network step by step.
func TestRouteOfAFunctionToDynamoDB(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	g := newGround(t, s)
	second, _, _ := create(t, s, subnetType, "second", props(map[string]any{
		"vpcId":     g.vpc,
		"cidrBlock": "10.0.1.0/24",
	}))
	put := func(name string, config map[string]any) {
		t.Helper()
		rec := state.Record{Type: functionType, Key: name, ID: name, Properties: map[string]any{"arn": "arn"}}
		if config != nil {
			rec.Properties["vpcConfig"] = config
		}
		if err := s.p.Store.Put(rec); err != nil {
			t.Fatal(err)
		}
	}
	put("outside", nil)
	put("private", map[string]any{
		"vpcId":            g.vpc,
		"subnetIds":        []any{g.subnet, second},
		"securityGroupIds": []any{g.group},
	})
	put("first", map[string]any{
		"vpcId":            g.vpc,
		"subnetIds":        []any{g.subnet},
		"securityGroupIds": []any{g.out.str("defaultSecurityGroupId")},
	})
	reach := func(function, want string, endpoints ...string) {
		t.Helper()
		r, err := s.p.Route(function, latest)
		if err != nil || r == nil {
			t.Errorf("%s: got %v, %v", function, r, err)
			return
		}
		if want == "" && r.Unreachable != "" || !strings.Contains(r.Unreachable, want) || r.VPC != g.vpc {
			t.Errorf("%s: got %+v, want %q", function, r, want)
		}
		var got []string
		for _, e := range r.Endpoints {
			got = append(got, e.ID)
		}
		if want == "" && strings.Join(got, ",") != strings.Join(endpoints, ",") {
			t.Errorf("%s passes %v, want %v", function, got, endpoints)
		}
	}
	if r, err := s.p.Route("outside", latest); err != nil || r != nil {
		t.Errorf("a function without a VPC has the route %v, %v", r, err)
	}
	if _, err := s.p.Route("nobody", latest); err == nil {
		t.Error("a function that is not there has a route")
	}
	main := g.out.str("mainRouteTableId")
	reach(
		"private",
		"the route table "+main+" of the subnet "+g.subnet+" leads to no gateway endpoint for DynamoDB",
	)

	create(t, s, endpointType, "s3", props(map[string]any{
		"vpcId":         g.vpc,
		"serviceName":   "com.amazonaws.us-east-1.s3",
		"routeTableIds": []any{main, g.table},
	}))
	create(t, s, routeTableAssociationType, "a", props(map[string]any{
		"routeTableId": g.table,
		"subnetId":     g.subnet,
	}))
	one, out, _ := create(t, s, endpointType, "e", props(map[string]any{
		"vpcId":         g.vpc,
		"serviceName":   dynamodbEndpoint,
		"routeTableIds": []any{g.table},
	}))
	reach("first", "", one)
	reach(
		"private",
		"no security group of the function lets HTTPS out to the prefix list "+out.str("prefixListId"),
	)
	create(
		t,
		s,
		egressRuleType,
		"wrong",
		props(g.rule("cidrIpv4", "0.0.0.0/0", "toPort", 80, "fromPort", 80)),
	)
	reach("private", "no security group of the function lets HTTPS out")
	create(
		t,
		s,
		egressRuleType,
		"right",
		props(g.rule("cidrIpv4", nil, "prefixListId", out.str("prefixListId"))),
	)
	reach(
		"private",
		"the route table "+main+" of the subnet "+second+" leads to no gateway endpoint for DynamoDB",
	)
	two, _, _ := create(t, s, endpointType, "main", props(map[string]any{
		"vpcId":         g.vpc,
		"serviceName":   dynamodbEndpoint,
		"routeTableIds": []any{main},
	}))
	reach("private", "", one, two)

	// Rules of the group itself count, and those that a default group was given.
	inline := func(rule map[string]any) map[string]any {
		return map[string]any{"vpcId": g.vpc, "egress": []any{rule}}
	}
	open, _, _ := create(t, s, securityGroupType, "open", props(inline(map[string]any{
		"protocol":   "-1",
		"fromPort":   0,
		"toPort":     0,
		"cidrBlocks": []any{"0.0.0.0/0"},
	})))
	narrow, _, _ := create(t, s, securityGroupType, "narrow", props(inline(map[string]any{
		"protocol":   "tcp",
		"fromPort":   443,
		"toPort":     443,
		"cidrBlocks": []any{"10.0.0.0/8"},
	})))
	put("open", map[string]any{
		"vpcId":            g.vpc,
		"subnetIds":        []any{second},
		"securityGroupIds": []any{narrow, open},
	})
	put("narrow", map[string]any{
		"vpcId":            g.vpc,
		"subnetIds":        []any{second},
		"securityGroupIds": []any{narrow},
	})
	reach("open", "", two)
	reach("narrow", "no security group of the function lets HTTPS out")
	create(t, s, defaultGroupType, "closed", props(map[string]any{"vpcId": g.vpc}))
	reach("first", "no security group of the function lets HTTPS out")
}

func TestPolicyOfAnEndpointForDynamoDBTestsWhatCallsCarry(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	g := newGround(t, s)
	policy := func(key string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"` + key + `":"x"}}}]}`
	}
	endpoint := map[string]any{"vpcId": g.vpc, "serviceName": dynamodbEndpoint}
	if got := refusal(
		t,
		s,
		endpointType,
		with(endpoint, "policy", policy("aws:PrincipalOrgID")),
	); !strings.Contains(
		got,
		"does not support the condition key aws:PrincipalOrgID",
	) {
		t.Errorf("got %q", got)
	}
	for _, in := range []map[string]any{
		with(endpoint, "policy", policy("aws:SourceVpce")),
		with(endpoint, "policy", policy("aws:PrincipalOrgID"), "serviceName", "com.amazonaws.us-east-1.s3"),
	} {
		if got := refusal(t, s, endpointType, in); got != "" {
			t.Errorf("got %q", got)
		}
	}
}
