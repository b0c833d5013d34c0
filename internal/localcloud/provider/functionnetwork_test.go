package provider

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const interfaces = `{"Effect":"Allow","Action":["ec2:CreateNetworkInterface","ec2:DescribeNetworkInterfaces","ec2:DeleteNetworkInterface"],"Resource":"*"}`

func TestFunctionJoinsAVPC(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	g := newGround(t, s)
	create(t, s, roleType, "r", props(map[string]any{"name": "r", "assumeRolePolicy": trust}))
	second, _, _ := create(t, s, subnetType, "second", props(map[string]any{
		"vpcId":     g.vpc,
		"cidrBlock": "10.0.1.0/24",
	}))
	far, _, _ := create(t, s, subnetType, "far", props(map[string]any{
		"vpcId":     g.other,
		"cidrBlock": "10.1.0.0/24",
	}))
	grant := func(statements string) {
		create(t, s, rolePolicyType, "p", props(map[string]any{
			"name":   "p",
			"role":   "r",
			"policy": `{"Version":"2012-10-17","Statement":[` + statements + `]}`,
		}))
	}
	in := func(subnets, groups []any) resource.PropertyMap {
		m := function(t, "one")
		m["vpcConfig"] = resource.NewPropertyValue(map[string]any{
			"subnetIds":        subnets,
			"securityGroupIds": groups,
		})
		return m
	}
	fails := func(what string, in resource.PropertyMap, want string) {
		t.Helper()
		_, err := s.Create(t.Context(), &pulumirpc.CreateRequest{
			Urn:        urn(functionType, "f"),
			Properties: checked(t, s, functionType, "f", nil, in),
		})
		if err == nil || !strings.Contains(err.Error(), "InvalidParameterValueException: "+want) {
			t.Errorf("%s: got %v, want %q", what, err, want)
		}
	}
	one, group := []any{g.subnet}, []any{g.group}
	fails(
		"no such subnet",
		in([]any{"subnet-0"}, group),
		"Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error "+
			"Message: The subnet ID 'subnet-0' does not exist",
	)
	fails(
		"no such group",
		in(one, []any{"sg-0"}),
		"Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error "+
			"Message: The security group 'sg-0' does not exist",
	)
	fails("no group", in(one, []any{}), "SubnetIds and SecurityIds must coexist or be both empty list.")
	without, _, _ := create(t, s, subnetType, "without", props(map[string]any{
		"vpcId":            g.vpc,
		"cidrBlock":        "10.0.2.0/24",
		"availabilityZone": "us-east-1e",
	}))
	fails(
		"a zone without functions",
		in([]any{g.subnet, without}, group),
		"The provided subnets contain availability zone Lambda doesn't support. Please use a different "+
			"set of subnets.",
	)
	fails("two VPCs", in([]any{g.subnet, far}, group), "the subnets of a function must be in one VPC")
	fails(
		"another's group",
		in(one, []any{g.elsewhere}),
		"the security groups of a function must be in the VPC of its subnets",
	)
	fails(
		"no permission",
		in(one, group),
		"The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
	)
	// To make an interface is judged on the subnet and the group too.
	grant(strings.Replace(interfaces, `"*"`, `["arn:aws:ec2:us-east-1:000000000000:network-interface/*"]`, 1))
	fails(
		"permission on the interface only",
		in(one, group),
		"The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
	)
	grant(strings.Replace(interfaces, `"ec2:DescribeNetworkInterfaces",`, "", 1))
	fails(
		"no description",
		in(one, group),
		"The provided execution role does not have permissions to call DescribeNetworkInterfaces on EC2",
	)
	grant(strings.Replace(interfaces, `,"ec2:DeleteNetworkInterface"`, "", 1))
	fails(
		"no deletion",
		in(one, group),
		"The provided execution role does not have permissions to call DeleteNetworkInterface on EC2",
	)

	grant(interfaces)
	id, out, inputs := create(t, s, functionType, "f", in(one, group))
	if got := out.object("vpcConfig").str("vpcId"); got != g.vpc {
		t.Errorf("the function is in the VPC %q, want %q", got, g.vpc)
	}
	wide := checked(t, s, functionType, "f", inputs, in([]any{g.subnet, second}, group))
	if d := diff(t, s, functionType, id, inputs, wide); len(d.Replaces) > 0 || len(d.Diffs) != 1 {
		t.Errorf("another subnet gave %v", d)
	}
	update := func(news resource.PropertyMap) (values, error) {
		r, err := s.Update(t.Context(), &pulumirpc.UpdateRequest{
			Urn:  urn(functionType, "f"),
			Id:   id,
			Olds: encode(t, toPulumi(out)),
			News: checked(t, s, functionType, "f", inputs, news),
		})
		if err != nil {
			return nil, err
		}
		return read(r.Properties)
	}
	if after, err := update(
		in([]any{g.subnet, second}, group),
	); err != nil ||
		after.object("vpcConfig").str("vpcId") != g.vpc {
		t.Errorf("an update gave %v, %v", after, err)
	}
	if _, err := update(in([]any{"subnet-0"}, group)); err == nil {
		t.Error("a function was moved to a subnet that does not exist")
	}
	// What is read back is no change, although the VPC is filled in.
	current, err := read(reading(t, s, functionType, id, out, wide).Inputs)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(
		t,
		s,
		functionType,
		id,
		encode(t, toPulumi(current)),
		wide,
	); d.Changes != pulumirpc.DiffResponse_DIFF_NONE {
		t.Errorf("what is read differs: %v", d)
	}
	if after, err := update(function(t, "one")); err != nil || after.has("vpcConfig") {
		t.Errorf("leaving the VPC gave %v, %v", after, err)
	}
}
