package provider

import (
	"context"
	"fmt"

	"items-api/internal/localcloud/state"
)

const (
	routeTableType            = "aws:ec2/routeTable:RouteTable"
	vpcRouteType              = "aws:ec2/route:Route"
	routeTableAssociationType = "aws:ec2/routeTableAssociation:RouteTableAssociation"

	ownRoutes = "give each route as an aws.ec2.Route"
)

func routeTypes() []*Type {
	return []*Type{
		{
			Token: routeTableType,
			Properties: []Property{
				refused("propagatingVgws", Set, "there are no virtual private gateways"),
				{
					Name:  "routes",
					Kind:  Set,
					Level: Refused,
					Note:  ownRoutes,
				},
				tags(),
				inVPC(true),
			},
			Outputs: []string{"arn", "ownerId", "tagsAll"},
			Create: func(_ context.Context, p *Provider, in values) (state.Record, error) {
				_, err := p.vpc(in.str("vpcId"))
				return p.ec2Record("route-table", p.ec2ID("rtb"), in, nil), err
			},
			Delete: func(_ context.Context, p *Provider, r state.Record) error {
				// The AWS provider ends a table's associations before it deletes it.
				if err := p.dropAll(routeTableAssociationType, "routeTableId", r.ID); err != nil {
					return err
				}
				return p.dropAll(vpcRouteType, "routeTableId", r.ID)
			},
		},
		{
			Token:      vpcRouteType,
			Properties: vpcRouteProperties(),
			Outputs:    []string{"instanceId", "instanceOwnerId", "origin", "state"},
			Check: func(_ *Provider, in values) []Failure {
				return append(
					oneOfThese(
						in,
						"destinationCidrBlock",
						"destinationIpv6CidrBlock",
						"destinationPrefixListId",
					),
					oneOfThese(in, "gatewayId")...)
			},
			Create: createVPCRoute,
			Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
				return renewed(p.types[vpcRouteType], old, in), p.routable(in)
			},
		},
		{
			Token: routeTableAssociationType,
			Properties: []Property{
				{
					Name:    "gatewayId",
					Kind:    String,
					Level:   Refused,
					Replace: true,
					Note:    "tables are associated with subnets only",
				},
				{
					Name:     "routeTableId",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Note:     onRoute,
				},
				{
					Name:     "subnetId",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Replace:  true,
					Note:     onRoute,
				},
			},
			Create: func(_ context.Context, p *Provider, in values) (state.Record, error) {
				rec := state.Record{ID: p.ec2ID("rtbassoc"), Properties: base(in)}
				for range p.referring(routeTableAssociationType, "subnetId", in.str("subnetId")) {
					return rec, fmt.Errorf(
						"Resource.AlreadyAssociated: the specified association for route table %s "+
							"conflicts with an existing association: the subnet %s has one already",
						in.str("routeTableId"),
						in.str("subnetId"),
					)
				}
				return rec, p.associable(in)
			},
			Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
				return renewed(p.types[routeTableAssociationType], old, in), p.associable(in)
			},
		},
	}
}

func vpcRouteProperties() []Property {
	none := func(name, note string) Property { return refused(name, String, note) }
	return []Property{
		none("carrierGatewayId", "there are no carrier gateways"),
		none("coreNetworkArn", "there are no core networks"),
		{
			Name:    "destinationCidrBlock",
			Kind:    String,
			Level:   Recorded,
			Replace: true,
			Check:   network(0, 32),
			Note:    checkedOnly,
		},
		{
			Name:    "destinationIpv6CidrBlock",
			Kind:    String,
			Level:   Recorded,
			Replace: true,
			Check:   network6,
			Note:    checkedOnly,
		},
		{
			Name:    "destinationPrefixListId",
			Kind:    String,
			Level:   Recorded,
			Replace: true,
			Note:    checkedOnly,
		},
		none("egressOnlyGatewayId", "there are no egress-only gateways"),
		{
			Name:  "gatewayId",
			Kind:  String,
			Level: Recorded,
			Note:  checkedOnly,
		},
		none("localGatewayId", noOutposts),
		none("natGatewayId", "there are no NAT gateways"),
		none("networkInterfaceId", "there are no network interfaces"),
		{
			Name:     "routeTableId",
			Kind:     String,
			Level:    Recorded,
			Required: true,
			Replace:  true,
			Note:     checkedOnly,
		},
		none("transitGatewayId", "there are no transit gateways"),
		none("vpcEndpointId", "there are no endpoints of gateway load balancers"),
		none("vpcPeeringConnectionId", "there are no peering connections"),
	}
}

// routeTable returns the VPC of a route table, which may be a VPC's main one.
func (p *Provider) routeTable(id string) (vpc string, err error) {
	if r, err := p.Store.Get(routeTableType, id); err == nil {
		return values(r.Properties).str("vpcId"), nil
	}
	for _, v := range p.referring(vpcType, "mainRouteTableId", id) {
		return v.ID, nil
	}
	return "", fmt.Errorf("InvalidRouteTableID.NotFound: The routeTable ID '%s' does not exist", id)
}

func destination(in values) string {
	return in.str(
		"destinationCidrBlock",
	) + in.str(
		"destinationIpv6CidrBlock",
	) + in.str(
		"destinationPrefixListId",
	)
}

func createVPCRoute(_ context.Context, p *Provider, in values) (state.Record, error) {
	table := in.str("routeTableId")
	// The AWS provider makes the id of the table and a hash of the destination.
	rec := state.Record{ID: fmt.Sprintf("r-%s%d", table, crc([]byte(destination(in)))), Properties: base(in)}
	rec.Properties["instanceId"], rec.Properties["instanceOwnerId"] = "", ""
	rec.Properties["origin"], rec.Properties["state"] = "CreateRoute", "active"
	if _, err := p.Store.Get(vpcRouteType, rec.ID); err == nil {
		return rec, fmt.Errorf(
			"RouteAlreadyExists: The route identified by %s already exists.",
			destination(in),
		)
	}
	return rec, p.routable(in)
}

// routable tests that the table, the destination and the gateway of a route
// exist, and that the gateway is the one of the table's VPC.
func (p *Provider) routable(in values) error {
	vpc, err := p.routeTable(in.str("routeTableId"))
	if err != nil {
		return err
	}
	if err := p.prefixList(in.str("destinationPrefixListId")); err != nil {
		return err
	}
	gateway := in.str("gatewayId")
	r, err := p.Store.Get(internetGatewayType, gateway)
	if err != nil {
		return fmt.Errorf("InvalidGatewayID.NotFound: The gateway ID '%s' does not exist", gateway)
	}
	if at := values(r.Properties).str("vpcId"); at != vpc {
		return fmt.Errorf(
			"InvalidParameterValue: route table %s and network gateway %s belong to different networks",
			in.str("routeTableId"),
			gateway,
		)
	}
	return nil
}

// associable tests that a table and a subnet exist, in one VPC.
func (p *Provider) associable(in values) error {
	vpc, err := p.routeTable(in.str("routeTableId"))
	if err != nil {
		return err
	}
	subnet, err := p.subnet(in.str("subnetId"))
	if err != nil {
		return err
	}
	if subnet.str("vpcId") != vpc {
		return fmt.Errorf(
			"InvalidParameterValue: route table %s and subnet %s belong to different networks",
			in.str("routeTableId"),
			in.str("subnetId"),
		)
	}
	return nil
}

// subnet returns a subnet by its id.
func (p *Provider) subnet(id string) (values, error) {
	r, err := p.Store.Get(subnetType, id)
	if err != nil {
		return nil, fmt.Errorf("InvalidSubnetID.NotFound: The subnet ID '%s' does not exist", id)
	}
	return r.Properties, nil
}
