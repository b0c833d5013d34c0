package awsx

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	sdk "github.com/pulumi/pulumi-awsx/sdk/v2/go/awsx/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
)

const vpcType = "awsx:ec2:Vpc"

var vpcArguments = []string{
	"availabilityZoneCidrMask",
	"availabilityZoneNames",
	"cidrBlock",
	"enableDnsHostnames",
	"enableDnsSupport",
	"enableNetworkAddressUsageMetrics",
	"instanceTenancy",
	"natGateways",
	"numberOfAvailabilityZones",
	"subnetSpecs",
	"subnetStrategy",
	"tags",
}

// vpcArgs are the supported arguments; what is plain in awsx is plain here.
type vpcArgs struct {
	Zones                            []string              `pulumi:"availabilityZoneNames"`
	ZoneMask                         *int                  `pulumi:"availabilityZoneCidrMask"`
	NumberOfZones                    *int                  `pulumi:"numberOfAvailabilityZones"`
	CIDR                             *string               `pulumi:"cidrBlock"`
	EnableDNSHostnames               pulumi.BoolPtrInput   `pulumi:"enableDnsHostnames"`
	EnableDNSSupport                 pulumi.BoolPtrInput   `pulumi:"enableDnsSupport"`
	EnableNetworkAddressUsageMetrics pulumi.BoolPtrInput   `pulumi:"enableNetworkAddressUsageMetrics"`
	InstanceTenancy                  pulumi.StringPtrInput `pulumi:"instanceTenancy"`
	NAT                              *natGateways          `pulumi:"natGateways"`
	Specs                            []subnetArgs          `pulumi:"subnetSpecs"`
	Strategy                         *string               `pulumi:"subnetStrategy"`
	Tags                             pulumi.StringMapInput `pulumi:"tags"`
}

type natGateways struct {
	Strategy string   `pulumi:"strategy"`
	Elastic  []string `pulumi:"elasticIpAllocationIds"`
}

type subnetArgs struct {
	Type       string            `pulumi:"type"`
	Name       *string           `pulumi:"name"`
	CIDRMask   *int              `pulumi:"cidrMask"`
	CIDRBlocks []string          `pulumi:"cidrBlocks"`
	Size       *int              `pulumi:"size"`
	Tags       map[string]string `pulumi:"tags"`
}

const maxZones = 3

// check refuses what is not composed here, by name.
func (a vpcArgs) check() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("the local cloud does not support "+format, args...))
		}
	}
	refuse(a.Strategy == nil || *a.Strategy != "Auto", "a VPC of awsx whose subnetStrategy is not Auto")
	refuse(
		a.NAT == nil || !strings.EqualFold(a.NAT.Strategy, "None"),
		"NAT gateways: natGateways.strategy must be None, and awsx takes OnePerAz when it is not given",
	)
	refuse(a.NAT != nil && len(a.NAT.Elastic) > 0, "natGateways.elasticIpAllocationIds")
	refuse(
		len(a.Specs) == 0,
		"a VPC of awsx without subnetSpecs, in which awsx makes private and public subnets",
	)
	for i, s := range a.Specs {
		refuse(
			!strings.EqualFold(s.Type, "Isolated"),
			"subnetSpecs[%d].type %s: subnets are Isolated",
			i,
			s.Type,
		)
		refuse(len(s.CIDRBlocks) > 0, "subnetSpecs[%d].cidrBlocks", i)
		refuse(s.Size != nil, "subnetSpecs[%d].size: give cidrMask", i)
	}
	if len(a.Zones) > 0 && a.NumberOfZones != nil {
		errs = append(
			errs,
			errors.New("only one of availabilityZoneNames and numberOfAvailabilityZones can be given"),
		)
	}
	n := a.zones()
	refuse(n < 1 || n > maxZones, "a VPC over %d zones; it must be 1 to %d", n, maxZones)
	return errors.Join(errs...)
}

// zones is how many zones the VPC spans; awsx takes 3 when nothing is said.
func (a vpcArgs) zones() int {
	switch {
	case len(a.Zones) > 0:
		return len(a.Zones)
	case a.NumberOfZones != nil:
		return *a.NumberOfZones
	}
	return 3
}

func (a vpcArgs) specs() []subnetSpec {
	var out []subnetSpec
	for _, s := range a.Specs {
		spec := subnetSpec{Type: s.Type}
		if s.Name != nil {
			spec.Name = *s.Name
		}
		if s.CIDRMask != nil {
			spec.CIDRMask = *s.CIDRMask
		}
		out = append(out, spec)
	}
	return out
}

func (a vpcArgs) cidr() string {
	if a.CIDR == nil {
		return "10.0.0.0/16"
	}
	return *a.CIDR
}

// tagged returns the VPC's tags, and more over them.
func (a vpcArgs) tagged(name string, more ...map[string]string) pulumi.StringMapOutput {
	tags := a.Tags
	if tags == nil {
		tags = pulumi.StringMap{}
	}
	return tags.ToStringMapOutput().ApplyT(func(given map[string]string) map[string]string {
		out := map[string]string{"Name": name}
		maps.Copy(out, given)
		for _, m := range more {
			maps.Copy(out, m)
		}
		return out
	}).(pulumi.StringMapOutput)
}

func constructVpc(
	ctx *pulumi.Context,
	typ, name string,
	in provider.ConstructInputs,
	o pulumi.ResourceOption,
) (*provider.ConstructResult, error) {
	var a vpcArgs
	if err := in.CopyTo(&a); err != nil {
		return nil, fmt.Errorf("reading the arguments: %w", err)
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	v := &sdk.Vpc{}
	if err := ctx.RegisterComponentResource(typ, name, v, o); err != nil {
		return nil, err
	}
	zones := a.Zones
	if len(zones) == 0 {
		found, err := aws.GetAvailabilityZones(ctx, nil, pulumi.Parent(v))
		if err != nil {
			return nil, fmt.Errorf("asking for the availability zones: %w", err)
		}
		if len(found.Names) < a.zones() {
			return nil, fmt.Errorf(
				"the region has %d availability zones, and %d are asked for",
				len(found.Names),
				a.zones(),
			)
		}
		zones = found.Names[:a.zones()]
	}
	subnets, err := layout(name, a.cidr(), zones, a.ZoneMask, a.specs())
	if err != nil {
		return nil, err
	}
	made, err := ec2.NewVpc(ctx, name, &ec2.VpcArgs{
		CidrBlock:                        pulumi.String(a.cidr()),
		EnableDnsHostnames:               a.EnableDNSHostnames,
		EnableDnsSupport:                 a.EnableDNSSupport,
		EnableNetworkAddressUsageMetrics: a.EnableNetworkAddressUsageMetrics,
		InstanceTenancy:                  a.InstanceTenancy,
		Tags:                             a.tagged(name),
	}, pulumi.Parent(v))
	if err != nil {
		return nil, err
	}
	gateway, err := ec2.NewInternetGateway(ctx, name, &ec2.InternetGatewayArgs{
		VpcId: made.ID(),
		Tags:  a.tagged(name),
	}, under(made)...)
	if err != nil {
		return nil, err
	}
	if err := a.compose(ctx, name, v, made, subnets); err != nil {
		return nil, err
	}
	v.Vpc, v.VpcId, v.InternetGateway = made.ToVpcOutput(), made.ID().ToStringOutput(), gateway.ToInternetGatewayOutput()
	v.Eips, v.NatGateways = ec2.EipArray{}.ToEipArrayOutput(), ec2.NatGatewayArray{}.ToNatGatewayArrayOutput()
	v.Routes, v.VpcEndpoints = ec2.RouteArray{}.ToRouteArrayOutput(), ec2.VpcEndpointArray{}.ToVpcEndpointArrayOutput()
	none := pulumi.StringArray{}.ToStringArrayOutput()
	v.PublicSubnetIds, v.PrivateSubnetIds = none, none
	if err := ctx.RegisterResourceOutputs(v, pulumi.Map{
		"vpcId":             v.VpcId,
		"isolatedSubnetIds": v.IsolatedSubnetIds,
	}); err != nil {
		return nil, err
	}
	return provider.NewConstructResult(v)
}

// compose makes the subnets, each with its route table, which has no routes
// but the VPC's own.
func (a vpcArgs) compose(
	ctx *pulumi.Context,
	name string,
	v *sdk.Vpc,
	made *ec2.Vpc,
	subnets []subnet,
) error {
	var ids pulumi.StringArray
	var all ec2.SubnetArray
	var tables ec2.RouteTableArray
	var associations ec2.RouteTableAssociationArray
	for i, s := range subnets {
		spec := a.Specs[i%len(a.Specs)]
		own := map[string]string{"Name": s.name, "SubnetType": spec.Type}
		subnet, err := ec2.NewSubnet(ctx, s.name, &ec2.SubnetArgs{
			VpcId:               made.ID(),
			AvailabilityZone:    pulumi.String(s.zone),
			CidrBlock:           pulumi.String(s.cidr),
			MapPublicIpOnLaunch: pulumi.Bool(false),
			Tags:                a.tagged(name, spec.Tags, own),
		}, under(made)...)
		if err != nil {
			return err
		}
		table, err := ec2.NewRouteTable(ctx, s.name, &ec2.RouteTableArgs{
			VpcId: made.ID(),
			Tags:  a.tagged(name, own),
		}, under(subnet)...)
		if err != nil {
			return err
		}
		association, err := ec2.NewRouteTableAssociation(ctx, s.name, &ec2.RouteTableAssociationArgs{
			RouteTableId: table.ID(),
			SubnetId:     subnet.ID(),
		}, under(table)...)
		if err != nil {
			return err
		}
		ids = append(ids, subnet.ID().ToStringOutput())
		all, tables, associations = append(
			all,
			subnet,
		), append(
			tables,
			table,
		), append(
			associations,
			association,
		)
	}
	var resolved []sdk.ResolvedSubnetSpec
	for _, s := range a.Specs {
		resolved = append(resolved, sdk.ResolvedSubnetSpec{
			Type:     sdk.SubnetType(s.Type),
			Name:     s.Name,
			CidrMask: s.CIDRMask,
		})
	}
	v.IsolatedSubnetIds, v.SubnetLayout = ids.ToStringArrayOutput(), pulumi.ToOutput(resolved).(sdk.ResolvedSubnetSpecArrayOutput)
	v.Subnets, v.RouteTables, v.RouteTableAssociations = all.ToSubnetArrayOutput(), tables.ToRouteTableArrayOutput(), associations.ToRouteTableAssociationArrayOutput()
	return nil
}

// under makes a resource the child of another one that it waits for.
func under(r pulumi.Resource) []pulumi.ResourceOption {
	return []pulumi.ResourceOption{pulumi.Parent(r), pulumi.DependsOn([]pulumi.Resource{r})}
}
