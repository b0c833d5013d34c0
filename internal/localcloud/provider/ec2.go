package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"items-api/internal/localcloud/state"
)

const (
	vpcType             = "aws:ec2/vpc:Vpc"
	subnetType          = "aws:ec2/subnet:Subnet"
	internetGatewayType = "aws:ec2/internetGateway:InternetGateway"

	noIPAM     = "there is no IPAM to take a range from"
	noIPv6     = "the local cloud has no IPv6 ranges"
	noOutposts = "there are no Outposts"
)

func ec2Types() []*Type {
	all := slices.Concat(vpcTypes(), routeTypes(), groupTypes(), endpointTypes())
	for _, t := range all {
		t.CreateFirst = t.Name == ""
		if t.Volatile == nil && slices.Contains(t.Outputs, "tagsAll") {
			t.Volatile = volatileTags
		}
		if t.Update == nil {
			t.Update = func(_ context.Context, _ *Provider, old state.Record, in values) (state.Record, error) {
				return renewed(t, old, in), nil
			}
		}
	}
	return all
}

// inVPC is the property that places a resource in a VPC.
func inVPC(required bool) Property {
	return Property{
		Name:     "vpcId",
		Kind:     String,
		Level:    Recorded,
		Required: required,
		Replace:  true,
		Note:     checkedOnly,
	}
}

func vpcTypes() []*Type {
	return []*Type{
		{
			Token: vpcType,
			Properties: []Property{
				refused("assignGeneratedIpv6CidrBlock", Bool, noIPv6),
				{
					Name:     "cidrBlock",
					Kind:     String,
					Level:    Recorded,
					Required: true,
					Replace:  true,
					Check:    network(largestNetwork, smallestNetwork),
					Note:     checkedOnly,
				},
				{
					Name:     "enableDnsHostnames",
					Kind:     Bool,
					Level:    Recorded,
					Computed: true,
					Note:     noNetwork,
				},
				{
					Name:    "enableDnsSupport",
					Kind:    Bool,
					Level:   Recorded,
					Default: true,
					Note:    noNetwork,
				},
				{
					Name:     "enableNetworkAddressUsageMetrics",
					Kind:     Bool,
					Level:    Recorded,
					Computed: true,
					Note:     noNetwork,
				},
				{
					Name:    "instanceTenancy",
					Kind:    String,
					Level:   Recorded,
					Default: "default",
					Check:   oneOf("default", "dedicated"),
					Note:    noNetwork,
				},
				{
					Name:    "ipv4IpamPoolId",
					Kind:    String,
					Level:   Refused,
					Replace: true,
					Note:    noIPAM,
				},
				{
					Name:    "ipv4NetmaskLength",
					Kind:    Int,
					Level:   Refused,
					Replace: true,
					Note:    noIPAM,
				},
				refused("ipv6CidrBlock", String, noIPv6),
				refused("ipv6CidrBlockNetworkBorderGroup", String, noIPv6),
				refused("ipv6IpamPoolId", String, noIPAM),
				refused("ipv6NetmaskLength", Int, noIPAM),
				tags(),
			},
			Outputs: []string{
				"arn",
				"defaultNetworkAclId",
				"defaultRouteTableId",
				"defaultSecurityGroupId",
				"dhcpOptionsId",
				"ipv6AssociationId",
				"mainRouteTableId",
				"ownerId",
				"tagsAll",
			},
			Create: createVPC,
			Delete: deleteVPC,
		},
		{
			Token: subnetType,
			Properties: []Property{
				refused("assignIpv6AddressOnCreation", Bool, noIPv6),
				{
					Name:     "availabilityZone",
					Kind:     String,
					Level:    Recorded,
					Computed: true,
					Replace:  true,
					Note:     checkedOnly,
				},
				{
					Name:     "availabilityZoneId",
					Kind:     String,
					Level:    Recorded,
					Computed: true,
					Replace:  true,
					Note:     checkedOnly,
				},
				{
					Name:     "cidrBlock",
					Kind:     String,
					Level:    Recorded,
					Required: true,
					Replace:  true,
					Check:    network(largestNetwork, smallestNetwork),
					Note:     checkedOnly,
				},
				refused("customerOwnedIpv4Pool", String, noOutposts),
				refused("enableDns64", Bool, noIPv6),
				refused("enableLniAtDeviceIndex", Int, noOutposts),
				{
					Name:    "enableResourceNameDnsARecordOnLaunch",
					Kind:    Bool,
					Level:   Recorded,
					Default: false,
					Note:    noNetwork,
				},
				refused("enableResourceNameDnsAaaaRecordOnLaunch", Bool, noIPv6),
				refused("ipv6CidrBlock", String, noIPv6),
				{
					Name:    "ipv6Native",
					Kind:    Bool,
					Level:   Refused,
					Replace: true,
					Note:    noIPv6,
				},
				refused("mapCustomerOwnedIpOnLaunch", Bool, noOutposts),
				{
					Name:    "mapPublicIpOnLaunch",
					Kind:    Bool,
					Level:   Recorded,
					Default: false,
					Note:    noNetwork,
				},
				{
					Name:    "outpostArn",
					Kind:    String,
					Level:   Refused,
					Replace: true,
					Note:    noOutposts,
				},
				{
					Name:     "privateDnsHostnameTypeOnLaunch",
					Kind:     String,
					Level:    Recorded,
					Computed: true,
					Note:     noNetwork,
				},
				tags(),
				inVPC(true),
			},
			Outputs: []string{"arn", "ipv6CidrBlockAssociationId", "ownerId", "tagsAll"},
			Check:   checkSubnet,
			Create:  createSubnet,
			Delete: func(_ context.Context, p *Provider, r state.Record) error {
				// A subnet takes its association with a route table with it.
				return p.dropAll(routeTableAssociationType, "subnetId", r.ID)
			},
		},
		{
			Token: internetGatewayType,
			Properties: []Property{
				tags(),
				{
					Name:     "vpcId",
					Kind:     String,
					Level:    Recorded,
					Computed: true,
					Note:     checkedOnly,
				},
			},
			Outputs: []string{"arn", "ownerId", "tagsAll"},
			Create: func(_ context.Context, p *Provider, in values) (state.Record, error) {
				id := p.ec2ID("igw")
				return p.ec2Record("internet-gateway", id, in, nil), p.attachable(id, in.str("vpcId"))
			},
			Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
				return renewed(p.types[internetGatewayType], old, in), p.attachable(old.ID, in.str("vpcId"))
			},
		},
	}
}

func createVPC(_ context.Context, p *Provider, in values) (state.Record, error) {
	table := p.ec2ID("rtb")
	rec := p.ec2Record("vpc", p.ec2ID("vpc"), in, map[string]any{
		"defaultNetworkAclId": p.ec2ID("acl"), "defaultRouteTableId": table, "mainRouteTableId": table,
		"defaultSecurityGroupId": p.ec2ID("sg"), "dhcpOptionsId": p.ec2ID("dopt"), "ipv6AssociationId": "",
	})
	setDefault(rec, "enableDnsHostnames", false)
	setDefault(rec, "enableNetworkAddressUsageMetrics", false)
	return rec, nil
}

// deleteVPC refuses while something is in the VPC. What every VPC is made with
// goes with it.
func deleteVPC(_ context.Context, p *Provider, r state.Record) error {
	for _, token := range []string{
		subnetType, endpointType, internetGatewayType, routeTableType, securityGroupType,
	} {
		for _, child := range p.referring(token, "vpcId", r.ID) {
			return fmt.Errorf(
				"DependencyViolation: The vpc '%s' has dependencies and cannot be deleted: it still has %s",
				r.ID,
				child.ID,
			)
		}
	}
	return p.dropAll(defaultGroupType, "vpcId", r.ID)
}

// vpc returns a VPC by its id.
func (p *Provider) vpc(id string) (values, error) {
	r, err := p.Store.Get(vpcType, id)
	if err != nil {
		return nil, fmt.Errorf("InvalidVpcID.NotFound: The vpc ID '%s' does not exist", id)
	}
	return r.Properties, nil
}

func createSubnet(_ context.Context, p *Provider, in values) (state.Record, error) {
	rec := p.ec2Record("subnet", p.ec2ID("subnet"), in, map[string]any{"ipv6CidrBlockAssociationId": ""})
	vpc, err := p.vpc(in.str("vpcId"))
	if err != nil {
		return rec, err
	}
	cidr := in.str("cidrBlock")
	if !within(cidr, vpc.str("cidrBlock")) {
		return rec, fmt.Errorf(
			"InvalidSubnet.Range: The CIDR '%s' is invalid: it does not lie in the range %s of the VPC %s",
			cidr,
			vpc.str("cidrBlock"),
			in.str("vpcId"),
		)
	}
	for _, s := range p.referring(subnetType, "vpcId", in.str("vpcId")) {
		if other := values(s.Properties).str("cidrBlock"); overlapping(cidr, other) {
			return rec, fmt.Errorf(
				"InvalidSubnet.Conflict: The CIDR '%s' conflicts with another subnet: %s has %s",
				cidr,
				s.ID,
				other,
			)
		}
	}
	zone, err := p.zone(in)
	if err != nil {
		return rec, err
	}
	rec.Properties["availabilityZone"], rec.Properties["availabilityZoneId"] = p.Region+zone.letter, p.zoneID(
		zone,
	)
	setDefault(rec, "privateDnsHostnameTypeOnLaunch", "ip-name")
	return rec, nil
}

// zone returns the zone that a subnet asks for; AWS chooses one
// if it asks for none.
func (p *Provider) zone(in values) (zone, error) {
	name, id := in.str("availabilityZone"), in.str("availabilityZoneId")
	if name == "" && id == "" {
		return p.zones()[0], nil
	}
	var names []string
	for _, z := range p.zones() {
		if p.Region+z.letter == name || p.zoneID(z) == id {
			return z, nil
		}
		names = append(names, p.Region+z.letter)
	}
	return zone{}, fmt.Errorf(
		"InvalidParameterValue: Value (%s) for parameter availabilityZone is invalid: the local cloud "+
			"has the zones %s",
		name+id,
		strings.Join(names, ", "),
	)
}

// attachable tests that a VPC exists and that no other gateway is attached.
func (p *Provider) attachable(gateway, vpc string) error {
	if vpc == "" {
		return nil
	}
	if _, err := p.vpc(vpc); err != nil {
		return err
	}
	for _, other := range p.referring(internetGatewayType, "vpcId", vpc) {
		if other.ID != gateway {
			return fmt.Errorf(
				"Resource.AlreadyAssociated: the VPC %s has the internet gateway %s already",
				vpc,
				other.ID,
			)
		}
	}
	return nil
}
