package components

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	awsx "github.com/pulumi/pulumi-awsx/sdk/v2/go/awsx/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/apikey"
	"items-api/internal/store"
)

// Network chooses whether the functions run in a private network: one that
// reaches DynamoDB, this table only, and nothing else.
type Network struct {
	Private bool
	// Zones is how many availability zones it spans, 2 or 3; 2 if 0.
	Zones int
	// ZoneNames are these zones, such as us-east-1a; they are chosen if it is
	// empty.
	ZoneNames []string
	// Existing are the zones of the network that the stack has, if it has one.
	// They stay where zones are chosen.
	Existing []string
	// CIDR is its address range, a private IPv4 range from /16 to /24;
	// 10.0.0.0/16 if empty.
	CIDR string
	// Keep keeps the network when Private is off. Lambda holds network
	// interfaces in it for as long as a published version of a function was
	// made with it, and AWS deletes no network that has interfaces.
	Keep bool
}

// DefaultCIDR is the range of a network that names none.
const DefaultCIDR = "10.0.0.0/16"

// privateRanges are those of RFC 1918.
var privateRanges = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
}

func (n Network) withDefaults() Network {
	if n.Zones == 0 {
		n.Zones = 2
	}
	if n.CIDR == "" {
		n.CIDR = DefaultCIDR
	}
	return n
}

func (n Network) check() error {
	var errs []error
	if n.Zones != 2 && n.Zones != 3 {
		errs = append(errs, fmt.Errorf("Network.Zones must be 2 or 3, not %d", n.Zones))
	}
	if given := len(n.ZoneNames); given > 0 && given != n.Zones {
		errs = append(
			errs,
			fmt.Errorf("Network.ZoneNames must have %d names, as Network.Zones says, not %d", n.Zones, given),
		)
	}
	if err := CheckCIDR(n.CIDR); err != nil {
		errs = append(errs, fmt.Errorf("Network.CIDR %w", err))
	}
	return errors.Join(errs...)
}

// CheckCIDR tells what is wrong with the address range of a network.
func CheckCIDR(text string) error {
	p, err := netip.ParsePrefix(text)
	private := func(r netip.Prefix) bool { return r.Contains(p.Addr()) } // none is smaller than a /16
	if err != nil || p.Bits() < 16 || p.Bits() > 24 || !slices.ContainsFunc(privateRanges, private) {
		return fmt.Errorf(
			"must be a private IPv4 range from /16 to /24, such as %s, not %q",
			DefaultCIDR,
			text,
		)
	}
	if p != p.Masked() {
		return fmt.Errorf("must begin at the first address of its range: %s, not %q", p.Masked(), text)
	}
	return nil
}

// zoneBits divide the range into four equal parts, one for each zone and one
// that stays free, so that a third zone leaves the subnets of two as they are.
// awsx divides by the number of zones, and AWS takes no subnet over another.
const zoneBits = 2

// network is what functions need to be in the private network.
type network struct {
	subnets pulumi.StringArrayOutput
	group   *ec2.SecurityGroup
	after   []pulumi.Resource
}

// config is nil without a network. A nil config takes a function out of it.
func (n *network) config() lambda.FunctionVpcConfigPtrInput {
	if n == nil {
		return nil
	}
	return lambda.FunctionVpcConfigArgs{
		SubnetIds:        n.subnets,
		SecurityGroupIds: pulumi.StringArray{n.group.ID()},
	}
}

// ready is what functions wait for: the permission to be there, and the way
// to the table.
func (n *network) ready() []pulumi.Resource {
	if n == nil {
		return nil
	}
	return n.after
}

// interfaces are what Lambda does with network interfaces on behalf of a role,
// and looks are those of them that AWS grants for all resources only. Source:
// Lambda developer guide, "Giving Lambda functions access to resources in an
// Amazon VPC"; AWSLambdaVPCAccessExecutionRole has the same, and logs.
var (
	interfaces = []string{
		"ec2:AssignPrivateIpAddresses",
		"ec2:CreateNetworkInterface",
		"ec2:DeleteNetworkInterface",
		"ec2:UnassignPrivateIpAddresses",
	}
	looks = []string{"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"}
)

// networkPolicy lets Lambda keep network interfaces, and denies the same to
// the function's own code: only calls from within an execution environment
// carry lambda:SourceFunctionArn. Source: Lambda developer guide, "Working with
// Lambda execution environment credentials". The ids of the interfaces are not
// known before, and the guide gives this wildcard for them.
func networkPolicy(at place) policyDocument {
	return policyDocument{policyVersion, []statement{
		{
			Sid:      "Interfaces",
			Effect:   "Allow",
			Action:   interfaces,
			Resource: []string{at.arn("ec2", "*/*")},
		},
		{
			Sid:      "Looks",
			Effect:   "Allow",
			Action:   looks,
			Resource: []string{"*"},
		},
		{
			Sid:       "NotByCode",
			Effect:    "Deny",
			Action:    slices.Concat(interfaces, looks),
			Resource:  []string{"*"},
			Condition: map[string]map[string][]string{"Null": {"lambda:SourceFunctionArn": {"false"}}},
		},
	}}
}

// endpointPolicy lets each role do with the table and its indexes what its own
// policy grants, and lets nobody else through: neither other principals nor
// other tables. An index is a resource of its own, which a role is granted when
// its function needs it; without it here a private stack would deny what all
// others allow. The
// Principal of a gateway endpoint's policy has to be *; roles are named by a
// condition. Source: AWS PrivateLink guide, "Control access to VPC endpoints
// using endpoint policies".
func endpointPolicy(tableARN, handler, authorizer string) policyDocument {
	through := func(sid, role string, actions []string) statement {
		return statement{
			Sid:       sid,
			Effect:    "Allow",
			Principal: &principal{AWS: []string{everybody}},
			Action:    actions,
			Resource:  []string{tableARN, tableARN + "/index/*"},
			Condition: map[string]map[string][]string{"ArnEquals": {"aws:PrincipalArn": {role}}},
		}
	}
	d := policyDocument{policyVersion, []statement{through("Items", handler, store.Actions())}}
	if authorizer != "" {
		d.Statement = append(d.Statement, through("Keys", authorizer, apikey.Actions()))
	}
	return d
}

// addNetwork makes the private network. Its parts are deleted before the
// policies with which Lambda removes its interfaces.
func (r *RestAPI) addNetwork(ctx *pulumi.Context, name string, a RestAPIArgs) error {
	if !a.Network.Private && !a.Network.Keep {
		return nil
	}
	at, err := r.place(ctx)
	if err != nil {
		return err
	}
	zones, err := r.zones(ctx, a.Network)
	if err != nil {
		return err
	}
	r.Zones = zones
	policies, err := r.addNetworkPolicies(ctx, at)
	if err != nil {
		return err
	}
	// awsx always makes an internet gateway. No route leads to it, so that it
	// is without effect.
	auto, mask := awsx.SubnetAllocationStrategyAuto, netip.MustParsePrefix(a.Network.CIDR).Bits()+zoneBits
	made, err := awsx.NewVpc(ctx, name, &awsx.VpcArgs{
		CidrBlock:                &a.Network.CIDR,
		AvailabilityZoneNames:    zones,
		AvailabilityZoneCidrMask: &mask,
		SubnetStrategy:           &auto,
		SubnetSpecs:              []awsx.SubnetSpecArgs{{Type: awsx.SubnetTypeIsolated}},
		NatGateways:              &awsx.NatGatewayConfigurationArgs{Strategy: awsx.NatGatewayStrategyNone},
		// Both, or else DynamoDB's name is not resolved to addresses that the
		// endpoint takes. Source: AWS PrivateLink guide, "Gateway endpoints for
		// Amazon DynamoDB".
		EnableDnsSupport:   pulumi.Bool(true),
		EnableDnsHostnames: pulumi.Bool(true),
		Tags:               pulumi.ToStringMap(a.Tags),
	}, r.child(policies...)...)
	if err != nil {
		return fmt.Errorf("creating the VPC: %w", err)
	}
	endpoint, err := r.addEndpoint(ctx, name, a, at, made)
	if err != nil {
		return err
	}
	group, rule, err := r.addSecurityGroup(ctx, name, a, made, endpoint, policies)
	if err != nil {
		return err
	}
	if a.Network.Private {
		r.network = &network{
			subnets: made.IsolatedSubnetIds,
			group:   group,
			after:   append(policies, endpoint, rule),
		}
	}
	return nil
}

func (r *RestAPI) addNetworkPolicies(ctx *pulumi.Context, at place) ([]pulumi.Resource, error) {
	document, err := networkPolicy(at).json()
	if err != nil {
		return nil, err
	}
	var out []pulumi.Resource
	for _, f := range r.roles {
		policy, err := iam.NewRolePolicy(ctx, f.name+"-network", &iam.RolePolicyArgs{
			Role:   f.role.Name,
			Policy: pulumi.String(document),
		}, r.child()...)
		if err != nil {
			return nil, fmt.Errorf("creating the network policy of the role %s: %w", f.name, err)
		}
		out = append(out, policy)
	}
	return out, nil
}

// addEndpoint makes the way to DynamoDB. A gateway endpoint costs nothing.
func (r *RestAPI) addEndpoint(
	ctx *pulumi.Context,
	name string,
	a RestAPIArgs,
	at place,
	made *awsx.Vpc,
) (*ec2.VpcEndpoint, error) {
	tables := made.RouteTables.ApplyT(func(all []*ec2.RouteTable) pulumi.StringArrayOutput {
		var ids pulumi.StringArray
		for _, t := range all {
			ids = append(ids, t.ID().ToStringOutput())
		}
		return ids.ToStringArrayOutput()
	}).(pulumi.StringArrayOutput)
	document := pulumi.All(r.table.Arn, r.roleARNs()).ApplyT(func(all []any) (string, error) {
		roles := all[1].([]string)
		return endpointPolicy(all[0].(string), roles[0], append(roles, "")[1]).json()
	}).(pulumi.StringOutput)
	endpoint, err := ec2.NewVpcEndpoint(ctx, name, &ec2.VpcEndpointArgs{
		VpcId:           made.VpcId,
		ServiceName:     pulumi.String("com.amazonaws." + at.region + ".dynamodb"),
		VpcEndpointType: pulumi.String("Gateway"),
		RouteTableIds:   tables,
		Policy:          document,
		Tags:            pulumi.ToStringMap(a.Tags),
	}, r.child()...)
	if err != nil {
		return nil, fmt.Errorf("creating the endpoint for DynamoDB: %w", err)
	}
	return endpoint, nil
}

// addSecurityGroup makes the functions' security group, which lets nothing in
// and nothing out but HTTPS to DynamoDB, and takes all rules from the VPC's
// default group. The AWS provider removes the rule with which AWS makes a
// group, and which lets everything out.
func (r *RestAPI) addSecurityGroup(
	ctx *pulumi.Context,
	name string,
	a RestAPIArgs,
	made *awsx.Vpc,
	endpoint *ec2.VpcEndpoint,
	policies []pulumi.Resource,
) (*ec2.SecurityGroup, pulumi.Resource, error) {
	group, err := ec2.NewSecurityGroup(ctx, name, &ec2.SecurityGroupArgs{
		VpcId:       made.VpcId,
		Description: pulumi.String("Functions of " + name + " to DynamoDB and nowhere else"),
		Tags:        pulumi.ToStringMap(a.Tags),
		// Lambda takes up to 20 minutes to remove its interfaces. Source:
		// Lambda developer guide, "Understanding Hyperplane Elastic Network
		// Interfaces".
	}, append(r.child(policies...), pulumi.Timeouts(&pulumi.CustomTimeouts{Delete: "45m"}))...)
	if err != nil {
		return nil, nil, fmt.Errorf("creating the security group: %w", err)
	}
	rule, err := vpc.NewSecurityGroupEgressRule(ctx, name, &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: group.ID(),
		Description:     pulumi.String("DynamoDB"),
		PrefixListId:    endpoint.PrefixListId,
		IpProtocol:      pulumi.String("tcp"),
		FromPort:        pulumi.Int(443),
		ToPort:          pulumi.Int(443),
		Tags:            pulumi.ToStringMap(a.Tags),
	}, r.child()...)
	if err != nil {
		return nil, nil, fmt.Errorf("creating the egress rule: %w", err)
	}
	if _, err := ec2.NewDefaultSecurityGroup(ctx, name, &ec2.DefaultSecurityGroupArgs{
		VpcId: made.VpcId,
		Tags:  pulumi.ToStringMap(a.Tags),
	}, r.child()...); err != nil {
		return nil, nil, fmt.Errorf("closing the default security group: %w", err)
	}
	return group, rule, nil
}
