package components

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
	"items-api/internal/apikey"
	"items-api/internal/store"
)

func withNetwork(n Network) *RestAPIArgs {
	a := withAuth(modes[api.AuthLambda])
	a.Network = n
	return a
}

// document reads a policy as it was registered, for comparison as JSON.
func document(t *testing.T, v resource.PropertyValue) map[string]any {
	t.Helper()
	out := map[string]any{}
	if !v.IsString() {
		t.Fatalf("the policy is %v", v)
	}
	if err := json.Unmarshal([]byte(v.StringValue()), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// wanted reads a policy of a test.
func wanted(t *testing.T, text string) map[string]any {
	t.Helper()
	return document(t, resource.NewStringProperty(text))
}

// named returns the one resource of a type with a name.
func (r *recorder) named(t *testing.T, token, name string) pulumi.MockResourceArgs {
	t.Helper()
	i := slices.IndexFunc(
		r.made,
		func(m pulumi.MockResourceArgs) bool { return m.TypeToken == token && m.Name == name },
	)
	if i < 0 {
		t.Fatalf("no %s %s was registered", token, name)
	}
	return r.made[i]
}

// after reports whether a resource waits for another one.
func after(m pulumi.MockResourceArgs, token, name string) bool {
	return slices.ContainsFunc(
		m.RegisterRPC.GetDependencies(),
		func(urn string) bool { return strings.HasSuffix(urn, token+"::"+name) },
	)
}

func quoted(l []string) string {
	data, err := json.Marshal(l)
	if err != nil {
		panic(err) // strings can be written
	}
	return string(data)
}

const (
	vpcToken        = "awsx:ec2:Vpc"
	endpointToken   = "aws:ec2/vpcEndpoint:VpcEndpoint"
	groupToken      = "aws:ec2/securityGroup:SecurityGroup"
	egressToken     = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	defaultToken    = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	rolePolicyToken = "aws:iam/rolePolicy:RolePolicy"
	functionToken   = "aws:lambda/function:Function"
)

var networkTokens = []string{vpcToken, endpointToken, groupToken, egressToken, defaultToken}

func TestNetworkIsIsolatedAndReachesTheTableOnly(t *testing.T) {
	t.Parallel()
	both(t, withNetwork(Network{
		Private: true,
		Zones:   3,
		CIDR:    "10.1.0.0/20",
	}), func(t *testing.T, r *recorder) {
		made := r.one(t, vpcToken)
		if at(made, "cidrBlock").StringValue() != "10.1.0.0/20" ||
			at(made, "availabilityZoneCidrMask").NumberValue() != 22 ||
			!at(made, "numberOfAvailabilityZones").IsNull() ||
			at(made, "natGateways", "strategy").StringValue() != "None" ||
			at(made, "subnetStrategy").StringValue() != "Auto" ||
			!at(made, "enableDnsSupport").BoolValue() ||
			!at(made, "enableDnsHostnames").BoolValue() {
			t.Errorf("got the VPC %v", made)
		}
		if got := texts(
			at(made, "availabilityZoneNames"),
		); !slices.Equal(
			got,
			[]string{"eu-west-1c", "eu-west-1d", "eu-west-1e"},
		) {
			t.Errorf("got the zones %v", got)
		}
		if specs := at(
			made,
			"subnetSpecs",
		).ArrayValue(); len(specs) != 1 ||
			at(specs[0].ObjectValue(), "type").StringValue() != "Isolated" {
			t.Errorf("got the subnets %v", specs)
		}
		endpoint := r.one(t, endpointToken)
		if at(endpoint, "serviceName").StringValue() != "com.amazonaws.eu-west-1.dynamodb" ||
			at(endpoint, "vpcEndpointType").StringValue() != "Gateway" {
			t.Errorf("got the endpoint %v", endpoint)
		}
		group, rule := r.one(t, groupToken), r.one(t, egressToken)
		for _, side := range []string{"ingress", "egress"} {
			for _, m := range []resource.PropertyMap{group, r.one(t, defaultToken)} {
				if v := at(m, side); !v.IsNull() {
					t.Errorf("a security group has the %s %v", side, v)
				}
			}
		}
		if at(rule, "ipProtocol").StringValue() != "tcp" || at(rule, "fromPort").NumberValue() != 443 ||
			at(rule, "toPort").NumberValue() != 443 {
			t.Errorf("got the rule %v", rule)
		}
		for _, open := range []string{"cidrIpv4", "cidrIpv6", "referencedSecurityGroupId"} {
			if v := at(rule, open); !v.IsNull() {
				t.Errorf("the rule has the %s %v", open, v)
			}
		}
		if r.unknown {
			return
		}
		if got := texts(
			at(endpoint, "routeTableIds"),
		); !slices.Equal(
			got,
			[]string{"items-isolated-1-id", "items-isolated-2-id", "items-isolated-3-id"},
		) {
			t.Errorf("the endpoint is in the route tables %v", got)
		}
		if at(rule, "prefixListId").StringValue() != "pl-1" ||
			at(rule, "securityGroupId").StringValue() != "items-id" {
			t.Errorf("got the rule %v", rule)
		}
		through := `"Effect":"Allow","Principal":{"AWS":["*"]},"Resource":["arn:aws:x:us-east-1:000000000000:items","arn:aws:x:us-east-1:000000000000:items/index/*"],`
		want := wanted(t, `{"Version":"2012-10-17","Statement":[
			{"Sid":"Items",`+through+`"Action":`+quoted(store.Actions())+`,"Condition":{"ArnEquals":{"aws:PrincipalArn":["arn:aws:x:us-east-1:000000000000:items"]}}},
			{"Sid":"Keys",`+through+`"Action":`+quoted(apikey.Actions())+`,"Condition":{"ArnEquals":{"aws:PrincipalArn":["arn:aws:x:us-east-1:000000000000:items-authorizer"]}}}]}`)
		if diff := cmp.Diff(want, document(t, at(endpoint, "policy"))); diff != "" {
			t.Errorf("the endpoint's policy (-want +got):\n%s", diff)
		}
	})
}

func TestRegionWithTooFewZonesIsSaidBeforeTheNetworkIsMade(t *testing.T) {
	t.Parallel()
	r := &recorder{fewerZones: 1}
	err := r.run(withNetwork(Network{Private: true, Zones: 3}))
	if err == nil ||
		!strings.Contains(
			err.Error(),
			"the region has 2 availability zones for this account that work and that Lambda takes, and "+
				"Network.Zones is 3",
		) {
		t.Errorf("got %v", err)
	}
	if n := len(r.all(vpcToken)); n > 0 {
		t.Errorf("%d networks were registered", n)
	}
}

func TestEndpointOfAStackWithoutAuthorizerLetsTheHandlerThroughOnly(t *testing.T) {
	t.Parallel()
	a := withAuth(modes[api.AuthNone])
	a.Network.Private = true
	endpoint := compose(t, false, a).one(t, endpointToken)
	if s := document(t, at(endpoint, "policy"))["Statement"].([]any); len(s) != 1 {
		t.Errorf("got the statements %v", s)
	}
}

func TestEveryFunctionIsInTheNetworkAndWaitsForIt(t *testing.T) {
	t.Parallel()
	both(t, withNetwork(Network{Private: true}), func(t *testing.T, r *recorder) {
		for _, name := range []string{"items", "items-authorizer"} {
			f := r.named(t, functionToken, name)
			for token, on := range map[string]string{
				rolePolicyToken: name + "-network",
				endpointToken:   "items",
				egressToken:     "items",
			} {
				if !after(f, token, on) {
					t.Errorf("the function %s does not wait for %s %s", name, token, on)
				}
			}
			config := at(f.Inputs, "vpcConfig")
			if config.IsNull() {
				t.Errorf("the function %s is not in the network", name)
			}
			if !r.unknown &&
				(!slices.Equal(texts(at(f.Inputs, "vpcConfig", "subnetIds")), []string{"subnet-1", "subnet-2"}) || !slices.Equal(texts(at(f.Inputs, "vpcConfig", "securityGroupIds")), []string{"items-id"})) {
				t.Errorf("the function %s has the network %v", name, config)
			}
		}
	})
}

// Lambda removes its interfaces by the role, so that the policy goes last, and
// both the group and the subnets wait for them to be gone.
func TestNetworkPolicyOutlivesTheNetwork(t *testing.T) {
	t.Parallel()
	both(t, withNetwork(Network{Private: true}), func(t *testing.T, r *recorder) {
		for _, token := range []string{groupToken, vpcToken} {
			for _, policy := range []string{"items-network", "items-authorizer-network"} {
				if !after(r.named(t, token, "items"), rolePolicyToken, policy) {
					t.Errorf("%s does not depend on %s", token, policy)
				}
			}
		}
	})
}

func TestLambdaMayKeepInterfacesAndCodeMayNot(t *testing.T) {
	t.Parallel()
	want := wanted(t, `{"Version":"2012-10-17","Statement":[
		{"Sid":"Interfaces","Effect":"Allow","Resource":["arn:aws:ec2:eu-west-1:111122223333:*/*"],
			"Action":["ec2:AssignPrivateIpAddresses","ec2:CreateNetworkInterface","ec2:DeleteNetworkInterface","ec2:UnassignPrivateIpAddresses"]},
		{"Sid":"Looks","Effect":"Allow","Resource":["*"],"Action":["ec2:DescribeNetworkInterfaces","ec2:DescribeSubnets"]},
		{"Sid":"NotByCode","Effect":"Deny","Resource":["*"],"Condition":{"Null":{"lambda:SourceFunctionArn":["false"]}},
			"Action":["ec2:AssignPrivateIpAddresses","ec2:CreateNetworkInterface","ec2:DeleteNetworkInterface","ec2:UnassignPrivateIpAddresses","ec2:DescribeNetworkInterfaces","ec2:DescribeSubnets"]}]}`)
	both(t, withNetwork(Network{Private: true}), func(t *testing.T, r *recorder) {
		for _, name := range []string{"items-network", "items-authorizer-network"} {
			if diff := cmp.Diff(
				want,
				document(t, at(r.named(t, rolePolicyToken, name).Inputs, "policy")),
			); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

func TestKeptNetworkHasNoFunctionsInIt(t *testing.T) {
	t.Parallel()
	both(t, withNetwork(Network{Keep: true}), func(t *testing.T, r *recorder) {
		for _, token := range networkTokens {
			r.one(t, token)
		}
		for _, f := range r.all(functionToken) {
			if v := at(f, "vpcConfig"); !v.IsNull() {
				t.Errorf("a function is in the network %v", v)
			}
		}
		r.named(t, rolePolicyToken, "items-network")
	})
}

func TestWithoutNetworkNothingOfItIsMade(t *testing.T) {
	t.Parallel()
	both(t, withNetwork(Network{}), func(t *testing.T, r *recorder) {
		r.none(t, networkTokens...)
		if n := len(r.all(rolePolicyToken)); n != 2 || r.lookups > 0 {
			t.Errorf("there are %d policies and %d lookups", n, r.lookups)
		}
		for _, f := range r.all(functionToken) {
			if v := at(f, "vpcConfig"); !v.IsNull() {
				t.Errorf("a function is in the network %v", v)
			}
		}
	})
}

func TestBadNetworksRegisterNothing(t *testing.T) {
	t.Parallel()
	for want, n := range map[string]Network{
		"Network.Zones must be 2 or 3, not 4":            {Zones: 4},
		"Network.ZoneNames must have 2 names":            {ZoneNames: []string{"eu-west-1a"}},
		"Network.CIDR must be a private":                 {CIDR: "10.0.0.0/8"},
		"at the first address of its range: 10.0.0.0/16": {CIDR: "10.0.0.1/16"},
	} {
		refused(t, want, withNetwork(n))
	}
}

func TestNetworksOfAllPrivateRangesAreAccepted(t *testing.T) {
	t.Parallel()
	for _, cidr := range []string{
		"10.255.0.0/16", "172.16.0.0/16", "172.31.255.0/24", "192.168.0.0/16", "192.168.1.0/24",
	} {
		if err := CheckCIDR(cidr); err != nil {
			t.Errorf("%s: %v", cidr, err)
		}
	}
}
