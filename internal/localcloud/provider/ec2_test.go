package provider

import (
	"regexp"
	"strings"
	"testing"
)

// ground is a VPC with what others refer to.
type ground struct {
	vpc, other       string // two VPCs, 10.0.0.0/16 and 10.1.0.0/16
	out              values // of vpc
	subnet           string // 10.0.0.0/24 in vpc
	table, gateway   string // in vpc
	group, elsewhere string // security groups in vpc and in other
}

func newGround(t *testing.T, s *Server) ground {
	t.Helper()
	var g ground
	make := func(token, name string, in map[string]any) string {
		id, _, _ := create(t, s, token, name, props(in))
		return id
	}
	g.vpc, g.out, _ = create(t, s, vpcType, "vpc", props(map[string]any{"cidrBlock": "10.0.0.0/16"}))
	g.other = make(vpcType, "other", map[string]any{"cidrBlock": "10.1.0.0/16"})
	g.subnet = make(subnetType, "subnet", map[string]any{"vpcId": g.vpc, "cidrBlock": "10.0.0.0/24"})
	g.table = make(routeTableType, "table", map[string]any{"vpcId": g.vpc})
	g.gateway = make(internetGatewayType, "gateway", map[string]any{"vpcId": g.vpc})
	g.group = make(securityGroupType, "group", map[string]any{"vpcId": g.vpc})
	g.elsewhere = make(securityGroupType, "elsewhere", map[string]any{"vpcId": g.other})
	return g
}

func (g ground) rule(pairs ...any) map[string]any {
	return with(map[string]any{
		"securityGroupId": g.group,
		"ipProtocol":      "tcp",
		"fromPort":        443,
		"toPort":          443,
		"cidrIpv4":        "10.0.0.0/16",
	}, pairs...)
}

const dynamodbEndpoint = "com.amazonaws.us-east-1.dynamodb"

func TestNetworkResourcesLive(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	g := newGround(t, s)
	tagged := map[string]any{"tags": map[string]any{"a": "b"}}
	subnet, _, _ := create(t, s, subnetType, "s", props(map[string]any{
		"vpcId":     g.vpc,
		"cidrBlock": "10.0.9.0/24",
	}))
	inline := []any{map[string]any{
		"protocol":       "tcp",
		"fromPort":       1,
		"toPort":         2,
		"cidrBlocks":     []any{"10.0.0.0/8"},
		"securityGroups": []any{g.group},
	}}
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"dynamodb:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"000000000000"}}}]}`
	for name, l := range map[string]life{
		"vpc": {vpcType, map[string]any{"cidrBlock": "10.2.0.0/16"}, map[string]any{"enableDnsHostnames": true}, map[string]any{"cidrBlock": "10.3.0.0/16"}},
		"subnet": {subnetType, map[string]any{
			"vpcId":     g.vpc,
			"cidrBlock": "10.0.1.0/24",
		}, tagged, map[string]any{
			"vpcId":            g.other,
			"cidrBlock":        "10.0.2.0/24",
			"availabilityZone": "us-east-1b",
		}},
		"gateway": {internetGatewayType, map[string]any{}, map[string]any{"vpcId": g.other}, nil},
		"table":   {routeTableType, map[string]any{"vpcId": g.vpc}, tagged, map[string]any{"vpcId": g.other}},
		"route": {vpcRouteType, map[string]any{
			"routeTableId":         g.table,
			"destinationCidrBlock": "0.0.0.0/0",
			"gatewayId":            g.gateway,
		}, nil, map[string]any{
			"routeTableId":         g.out.str("mainRouteTableId"),
			"destinationCidrBlock": "192.168.0.0/16",
		}},
		"association": {routeTableAssociationType, map[string]any{
			"routeTableId": g.table,
			"subnetId":     g.subnet,
		}, map[string]any{"routeTableId": g.out.str("mainRouteTableId")}, map[string]any{"subnetId": subnet}},
		"group": {securityGroupType, map[string]any{
			"vpcId":  g.vpc,
			"egress": inline,
		}, map[string]any{"ingress": inline}, map[string]any{
			"vpcId":       g.other,
			"description": "x",
			"name":        "y",
		}},
		"default group": {defaultGroupType, map[string]any{"vpcId": g.vpc}, map[string]any{"egress": inline}, map[string]any{"vpcId": g.other}},
		"egress rule":   {egressRuleType, g.rule(), map[string]any{"toPort": 444}, map[string]any{"securityGroupId": g.elsewhere}},
		"ingress rule":  {ingressRuleType, g.rule("cidrIpv4", nil, "referencedSecurityGroupId", g.group), map[string]any{"description": "x"}, map[string]any{"securityGroupId": g.elsewhere}},
		"dynamodb endpoint": {endpointType, map[string]any{
			"vpcId":       g.vpc,
			"serviceName": dynamodbEndpoint,
		}, map[string]any{
			"routeTableIds": []any{g.table},
			"policy":        policy,
		}, map[string]any{
			"serviceName": "com.amazonaws.us-east-1.s3",
			"vpcId":       g.other,
		}},
	} {
		t.Run(name, func(t *testing.T) { l.run(t, s) })
	}
}

func TestNetworkReplacementsAreCreatedFirst(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	id, _, inputs := create(t, s, vpcType, "x", props(map[string]any{"cidrBlock": "10.0.0.0/16"}))
	news := checked(t, s, vpcType, "x", inputs, props(map[string]any{"cidrBlock": "10.1.0.0/16"}))
	if d := diff(t, s, vpcType, id, inputs, news); d.DeleteBeforeReplace {
		t.Errorf("a VPC goes before its replacement is there: %v", d)
	}
}

func TestNetworkOutputsLookLikeThoseOfAWS(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	g := newGround(t, s)
	_, endpoint, _ := create(t, s, endpointType, "e", props(map[string]any{
		"vpcId":       g.vpc,
		"serviceName": dynamodbEndpoint,
	}))
	_, rule, _ := create(
		t,
		s,
		egressRuleType,
		"r",
		props(g.rule("cidrIpv4", nil, "prefixListId", endpoint.str("prefixListId"))),
	)
	subnet, err := s.p.subnet(g.subnet)
	if err != nil {
		t.Fatal(err)
	}
	const hex = "-0[0-9a-f]{16}$"
	for _, c := range []struct{ got, want string }{
		{g.vpc, "^vpc" + hex},
		{g.out.str("arn"), "^arn:aws:ec2:us-east-1:000000000000:vpc/vpc" + hex},
		{g.out.str("ownerId"), "^000000000000$"},
		{g.out.str("defaultSecurityGroupId"), "^sg" + hex},
		{g.out.str("defaultRouteTableId"), "^" + g.out.str("mainRouteTableId") + "$"},
		{g.out.str("mainRouteTableId"), "^rtb" + hex},
		{g.out.str("defaultNetworkAclId"), "^acl" + hex},
		{g.out.str("dhcpOptionsId"), "^dopt" + hex},
		{subnet.str("availabilityZone") + subnet.str("availabilityZoneId"), "^us-east-1ause1-az1$"},
		{endpoint.str("prefixListId"), "^pl-[0-9a-f]{8}$"},
		{endpoint.str("state"), "^available$"},
		{endpoint.str("policy"), `"Principal":"\*"`},
		{rule.str("arn"), ":security-group-rule/" + rule.str("securityGroupRuleId") + "$"},
	} {
		if !regexp.MustCompile(c.want).MatchString(c.got) {
			t.Errorf("got %q, want %s", c.got, c.want)
		}
	}
}

func TestNetworkInputsAreRefused(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	g := newGround(t, s)
	subnet := map[string]any{"vpcId": g.vpc, "cidrBlock": "10.0.5.0/24"}
	route := map[string]any{
		"routeTableId":         g.table,
		"destinationCidrBlock": "0.0.0.0/0",
		"gatewayId":            g.gateway,
	}
	endpoint := map[string]any{
		"vpcId":         g.vpc,
		"serviceName":   dynamodbEndpoint,
		"routeTableIds": []any{g.table},
	}
	association := map[string]any{"routeTableId": g.table, "subnetId": g.subnet}
	create(t, s, vpcRouteType, "x", props(route))
	create(t, s, endpointType, "x", props(endpoint))
	create(t, s, routeTableAssociationType, "x", props(association))
	create(t, s, egressRuleType, "x", props(g.rule()))
	create(t, s, securityGroupType, "x", props(map[string]any{"vpcId": g.vpc, "name": "taken"}))
	far, _, _ := create(t, s, subnetType, "far", props(map[string]any{
		"vpcId":     g.other,
		"cidrBlock": "10.1.0.0/24",
	}))
	for _, c := range []struct {
		token string
		in    map[string]any
		want  string
	}{
		{vpcType, nil, `missing required property "cidrBlock"`},
		{vpcType, map[string]any{"cidrBlock": "10.0.0.0/8"}, "from /16 to /28"},
		{vpcType, map[string]any{"cidrBlock": "10.0.0.0/29"}, "from /16 to /28"},
		{vpcType, map[string]any{"cidrBlock": "10.0.0.1/16"}, "begins at 10.0.0.0/16"},
		{vpcType, map[string]any{"cidrBlock": "2001:db8::/64"}, "an IPv4 range"},
		{vpcType, map[string]any{
			"cidrBlock":      "10.0.0.0/16",
			"ipv4IpamPoolId": "x",
		}, `does not support the property "ipv4IpamPoolId"`},
		{vpcType, map[string]any{
			"cidrBlock":                    "10.0.0.0/16",
			"assignGeneratedIpv6CidrBlock": true,
		}, `does not support the property "assignGeneratedIpv6CidrBlock"`},
		{subnetType, with(subnet, "vpcId", nil), `missing required property "vpcId"`},
		{subnetType, with(subnet, "vpcId", "vpc-0"), "InvalidVpcID.NotFound: The vpc ID 'vpc-0' " +
			"does not exist"},
		{subnetType, with(subnet, "cidrBlock", "10.1.0.0/24"), "InvalidSubnet.Range: The CIDR " +
			"'10.1.0.0/24' is invalid"},
		{subnetType, with(subnet, "cidrBlock", "10.0.0.128/25"), "InvalidSubnet.Conflict: The CIDR " +
			"'10.0.0.128/25' conflicts with another subnet"},
		{subnetType, with(subnet, "availabilityZone", "eu-west-1a"), "Value (eu-west-1a) for parameter " +
			"availabilityZone is invalid"},
		{subnetType, with(subnet, "availabilityZone", "us-east-1a", "availabilityZoneId", "use1-az1"), "only one of availabilityZone"},
		{subnetType, with(subnet, "outpostArn", "x"), `does not support the property "outpostArn"`},
		{internetGatewayType, map[string]any{"vpcId": "vpc-0"}, "InvalidVpcID.NotFound"},
		{internetGatewayType, map[string]any{"vpcId": g.vpc}, "Resource.AlreadyAssociated"},
		{routeTableType, map[string]any{"vpcId": "vpc-0"}, "InvalidVpcID.NotFound"},
		{routeTableType, map[string]any{
			"vpcId":  g.vpc,
			"routes": []any{map[string]any{"cidrBlock": "0.0.0.0/0"}},
		}, "aws.ec2.Route"},
		{vpcRouteType, route, "RouteAlreadyExists: The route identified by 0.0.0.0/0 already exists."},
		{vpcRouteType, with(route, "routeTableId", "rtb-0"), "InvalidRouteTableID.NotFound"},
		{vpcRouteType, with(route, "destinationCidrBlock", "1.0.0.0/8", "gatewayId", "igw-0"), "InvalidGatewayID.NotFound: The gateway ID 'igw-0' does not exist"},
		{vpcRouteType, with(route, "gatewayId", nil), "one of gatewayId must be given"},
		{vpcRouteType, with(route, "destinationCidrBlock", nil), "one of destinationCidrBlock"},
		{vpcRouteType, with(route, "destinationCidrBlock", nil, "destinationPrefixListId", "pl-1"), "InvalidPrefixListID.NotFound"},
		{vpcRouteType, with(route, "natGatewayId", "nat-0"), `does not support the property "natGatewayId"`},
		{routeTableAssociationType, association, "Resource.AlreadyAssociated"},
		{routeTableAssociationType, with(association, "subnetId", "subnet-0"), "InvalidSubnetID.NotFound: " +
			"The subnet ID 'subnet-0' does not exist"},
		{routeTableAssociationType, with(association, "subnetId", far), "belong to different networks"},
		{securityGroupType, map[string]any{}, `missing required property "vpcId"`},
		{securityGroupType, map[string]any{"vpcId": g.vpc, "name": "sg-x"}, "must not begin with sg-"},
		{securityGroupType, map[string]any{"vpcId": g.vpc, "name": "taken"}, "InvalidGroup.Duplicate"},
		{securityGroupType, map[string]any{"vpcId": g.vpc, "name": "default"}, "InvalidGroup.Duplicate"},
		{securityGroupType, map[string]any{"vpcId": g.vpc, "description": "é"}, "description is invalid"},
		{securityGroupType, map[string]any{
			"vpcId": g.vpc,
			"ingress": []any{map[string]any{
				"protocol":       "tcp",
				"fromPort":       1,
				"toPort":         1,
				"securityGroups": []any{"sg-0"},
			}},
		}, "InvalidGroup.NotFound"},
		{defaultGroupType, map[string]any{"vpcId": "vpc-0"}, "InvalidVpcID.NotFound"},
		{egressRuleType, g.rule(), "InvalidPermission.Duplicate"},
		{egressRuleType, g.rule("securityGroupId", "sg-0"), "InvalidGroup.NotFound: The security group " +
			"'sg-0' does not exist"},
		{ingressRuleType, g.rule("cidrIpv4", nil), "one of cidrIpv4"},
		{ingressRuleType, g.rule("prefixListId", "pl-1"), "only one of cidrIpv4, prefixListId may be given"},
		{ingressRuleType, g.rule("toPort", nil), `missing required property "toPort"`},
		{ingressRuleType, g.rule("toPort", 442), "must not be less than fromPort"},
		{ingressRuleType, g.rule("ipProtocol", "-1", "toPort", nil), "has all ports"},
		{ingressRuleType, g.rule("ipProtocol", "x"), "ipProtocol is invalid"},
		{endpointType, with(endpoint, "serviceName", "com.amazonaws.us-east-1.kms"), "InvalidServiceName: " +
			"The Vpc Endpoint Service 'com.amazonaws.us-east-1.kms' does not exist"},
		{endpointType, with(endpoint, "vpcEndpointType", "Interface"), `supports only "Gateway"`},
		{endpointType, with(endpoint, "policy", "{"), "policy is invalid"},
		{endpointType, with(endpoint, "policy", `{"Statement":[{"Effect":"Allow","Action":"a:b","Resource":"*"}]}`), "there must be a Principal"},
		{endpointType, with(endpoint, "routeTableIds", []any{"rtb-0"}), "InvalidRouteTableID.NotFound"},
		{endpointType, with(endpoint, "vpcId", g.other), "the route table " + g.table + " is in the VPC " + g.vpc},
		{endpointType, endpoint, "RouteAlreadyExists"},
	} {
		if got := refusal(t, s, c.token, c.in); !strings.Contains(got, c.want) {
			t.Errorf("%s %v: got %q, want %q", c.token, c.in, got, c.want)
		}
	}
}

func TestWhatIsInUseStays(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	g := newGround(t, s)
	if err := deleted(
		t,
		s,
		vpcType,
		g.vpc,
		g.out,
	); err == nil ||
		!strings.Contains(
			err.Error(),
			"DependencyViolation: The vpc '"+g.vpc+"' has dependencies and cannot be deleted",
		) {
		t.Errorf("deleting a VPC in use gave %v", err)
	}
	named, _, _ := create(t, s, securityGroupType, "named", props(map[string]any{"vpcId": g.vpc}))
	rule, out, _ := create(
		t,
		s,
		ingressRuleType,
		"r",
		props(g.rule("cidrIpv4", nil, "referencedSecurityGroupId", named)),
	)
	if err := deleted(
		t,
		s,
		securityGroupType,
		named,
		nil,
	); err == nil ||
		!strings.Contains(err.Error(), "DependencyViolation: resource "+named+" has a dependent object") {
		t.Errorf("deleting a group that a rule names gave %v", err)
	}
	referring, out2, _ := create(t, s, securityGroupType, "inline", props(map[string]any{
		"vpcId": g.vpc,
		"egress": []any{map[string]any{
			"protocol":       "-1",
			"fromPort":       0,
			"toPort":         0,
			"securityGroups": []any{g.group},
		}},
	}))
	if err := deleted(
		t,
		s,
		securityGroupType,
		g.group,
		nil,
	); err == nil ||
		!strings.Contains(err.Error(), "a rule of "+referring+" names it") {
		t.Errorf("deleting a group that another's rules name gave %v", err)
	}
	if err := deleted(t, s, securityGroupType, referring, out2); err != nil {
		t.Error(err)
	}
	create(t, s, vpcRouteType, "r", props(map[string]any{
		"routeTableId":         g.table,
		"destinationCidrBlock": "0.0.0.0/0",
		"gatewayId":            g.gateway,
	}))
	create(t, s, defaultGroupType, "d", props(map[string]any{"vpcId": g.vpc}))
	association := map[string]any{"routeTableId": g.table, "subnetId": g.subnet}
	create(t, s, routeTableAssociationType, "a", props(association))
	for _, x := range []struct{ token, id string }{
		{ingressRuleType, rule},
		{securityGroupType, named},
		{securityGroupType, g.group},
		{internetGatewayType, g.gateway},
		{subnetType, g.subnet},
		{routeTableType, g.table},
		{vpcType, g.vpc},
	} {
		if err := deleted(t, s, x.token, x.id, out); err != nil {
			t.Errorf("deleting %s: %v", x.token, err)
		}
	}
	for _, token := range []string{defaultGroupType, routeTableAssociationType, vpcRouteType} {
		if left := s.p.Store.List(token); len(left) > 0 {
			t.Errorf("%s is left: %v", token, left)
		}
	}
}

func TestZonesAreThoseOfTheRegion(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	filter := func(name, value string) map[string]any {
		return map[string]any{"filters": []any{map[string]any{"name": name, "values": []any{value}}}}
	}
	for _, c := range []struct {
		args        map[string]any
		names, fail string
	}{
		{
			nil,
			`["us-east-1a","us-east-1b","us-east-1c","us-east-1d","us-east-1e","us-east-1f"]` +
				`["use1-az1","use1-az2","use1-az4","use1-az5","use1-az3","use1-az6"]`,
			"",
		},
		{filter("zone-id", "use1-az2"), `["us-east-1b"]["use1-az2"]`, ""},
		{filter("opt-in-status", "opted-in"), `[][]`, ""},
		{
			map[string]any{
				"state":          "available",
				"excludeNames":   []any{"us-east-1a", "us-east-1d", "us-east-1f"},
				"excludeZoneIds": []any{"use1-az3"},
			},
			`["us-east-1b","us-east-1c"]["use1-az2","use1-az4"]`,
			"",
		},
		{filter("message", "x"), "", `filter "message"`},
		{map[string]any{"allAvailabilityZones": true}, "", "no zones to opt in"},
	} {
		out, problems, err := s.p.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", c.args)
		if err != nil {
			t.Fatal(err)
		}
		if c.fail != "" {
			if len(problems) != 1 || !strings.Contains(problems[0].Reason, c.fail) {
				t.Errorf("%v: got %v", c.args, problems)
			}
		} else if got := text(out["names"]) + text(out["zoneIds"]); got != c.names || out.str("id") != "us-east-1" {
			t.Errorf("%v: got %s, want %s", c.args, got, c.names)
		}
	}
}
