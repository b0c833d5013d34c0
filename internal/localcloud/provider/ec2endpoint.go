package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"items-api/internal/localcloud/iam"
	"items-api/internal/localcloud/state"
)

const endpointType = "aws:ec2/vpcEndpoint:VpcEndpoint"

// gatewayServices are the services that gateway endpoints lead to. Source:
// Amazon VPC user guide, "Gateway endpoints".
var gatewayServices = []string{"dynamodb", "s3"}

// openPolicy is what an endpoint without a policy of its own has. Source:
// Amazon VPC user guide, "Default endpoint policy".
const openPolicy = `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`

func endpointTypes() []*Type {
	const interfaces = "there are gateway endpoints only"
	return []*Type{{
		Token: endpointType,
		Properties: []Property{
			{
				Name:  "autoAccept",
				Kind:  Bool,
				Level: Recorded,
				Note:  noNetwork,
			},
			refused("dnsOptions", Object, interfaces),
			{
				Name:     "ipAddressType",
				Kind:     String,
				Level:    Recorded,
				Computed: true,
				Check:    oneOf("ipv4"),
				Note:     noIPv6,
			},
			{
				Name:     "policy",
				Kind:     Document,
				Level:    Enforced,
				Computed: true,
				Check:    resourcePolicy,
				Note:     onRoute + "; the policy of an endpoint for S3 is checked only",
			},
			{
				Name:     "privateDnsEnabled",
				Kind:     Bool,
				Level:    Refused,
				Computed: true,
				Replace:  true,
				Note:     interfaces,
			},
			{
				Name:    "resourceConfigurationArn",
				Kind:    String,
				Level:   Refused,
				Replace: true,
			},
			{
				Name:     "routeTableIds",
				Kind:     Set,
				Elem:     String,
				Level:    Enforced,
				Computed: true,
				Note:     onRoute,
			},
			refused("securityGroupIds", Set, interfaces),
			{
				Name:     "serviceName",
				Kind:     String,
				Level:    Recorded,
				Required: true,
				Replace:  true,
				Note:     checkedOnly,
			},
			{
				Name:    "serviceNetworkArn",
				Kind:    String,
				Level:   Refused,
				Replace: true,
			},
			{
				Name:     "serviceRegion",
				Kind:     String,
				Level:    Recorded,
				Computed: true,
				Replace:  true,
				Note:     "the local cloud has one region",
			},
			refused("subnetConfigurations", Set, interfaces),
			refused("subnetIds", Set, interfaces),
			tags(),
			{
				Name:    "vpcEndpointType",
				Kind:    String,
				Level:   Recorded,
				Default: "Gateway",
				Replace: true,
				Only:    []any{"Gateway"},
				Note:    noNetwork,
			},
			inVPC(true),
		},
		Outputs: []string{
			"arn", "cidrBlocks", "dnsEntries", "networkInterfaceIds", "ownerId", "prefixListId",
			"requesterManaged", "state", "tagsAll",
		},
		Check:  checkEndpoint,
		Create: createEndpoint,
		Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
			return renewed(p.types[endpointType], old, in), p.leads(old.ID, in)
		},
	}}
}

// resourcePolicy tests the policy of a resource: of an endpoint, a bucket or a key.
func resourcePolicy(v any) error {
	s, _ := v.(string)
	return iam.CheckResource([]byte(s))
}

func checkEndpoint(p *Provider, in values) []Failure {
	var out []Failure
	if name, ok := in["serviceName"].(string); ok && p.gatewayService(name) == "" {
		out = append(
			out,
			Failure{
				"serviceName",
				fmt.Sprintf(
					"InvalidServiceName: The Vpc Endpoint Service '%s' does not exist: the local cloud "+
						"has gateway endpoints of %s in %s only",
					name,
					strings.Join(gatewayServices, " and "),
					p.Region,
				),
			},
		)
	}
	if policy := in.str("policy"); policy != "" && p.gatewayService(in.str("serviceName")) == "dynamodb" {
		if err := iam.CheckEndpoint([]byte(policy)); err != nil {
			out = append(out, Failure{"policy", err.Error()})
		}
	}
	if region := in.str("serviceRegion"); region != "" && region != p.Region {
		out = append(
			out,
			Failure{
				"serviceRegion",
				fmt.Sprintf("the local cloud has one region, %s, not %s", p.Region, region),
			},
		)
	}
	return out
}

// gatewayService returns the service that an endpoint's service name means, or "".
func (p *Provider) gatewayService(name string) string {
	service, ok := strings.CutPrefix(name, "com.amazonaws."+p.Region+".")
	if !ok || !slices.Contains(gatewayServices, service) {
		return ""
	}
	return service
}

// prefixListID is the id of the list of a service's addresses in the region.
func (p *Provider) prefixListID(service string) string {
	return fmt.Sprintf("pl-%08x", crc([]byte(service+"."+p.Region)))
}

// prefixList tests that a prefix list exists; "" is none.
func (p *Provider) prefixList(id string) error {
	if id == "" ||
		slices.ContainsFunc(gatewayServices, func(s string) bool { return p.prefixListID(s) == id }) {
		return nil
	}
	return fmt.Errorf("InvalidPrefixListID.NotFound: The prefix list ID '%s' does not exist", id)
}

func createEndpoint(_ context.Context, p *Provider, in values) (state.Record, error) {
	id := p.ec2ID("vpce")
	rec := p.ec2Record("vpc-endpoint", id, in, map[string]any{
		// The addresses are AWS's own; these are of a range for documentation, RFC 5737.
		"cidrBlocks":          []any{"192.0.2.0/24"},
		"dnsEntries":          []any{},
		"networkInterfaceIds": []any{},
		"prefixListId":        p.prefixListID(p.gatewayService(in.str("serviceName"))),
		"requesterManaged":    false,
		"state":               "available",
	})
	setDefault(rec, "policy", openPolicy)
	setDefault(rec, "routeTableIds", []any{})
	setDefault(rec, "serviceRegion", p.Region)
	setDefault(rec, "ipAddressType", "ipv4")
	return rec, p.leads(id, in)
}

// leads tests an endpoint's VPC and route tables. A table has one route to a
// service.
func (p *Provider) leads(id string, in values) error {
	if _, err := p.vpc(in.str("vpcId")); err != nil {
		return err
	}
	for _, table := range in.strings("routeTableIds") {
		vpc, err := p.routeTable(table)
		if err != nil {
			return err
		}
		if vpc != in.str("vpcId") {
			return fmt.Errorf(
				"InvalidParameter: the route table %s is in the VPC %s, and the endpoint in %s",
				table,
				vpc,
				in.str("vpcId"),
			)
		}
		for _, other := range p.referring(endpointType, "serviceName", in.str("serviceName")) {
			if other.ID != id && slices.Contains(values(other.Properties).strings("routeTableIds"), table) {
				return fmt.Errorf(
					"RouteAlreadyExists: route table %s already has a route with "+
						"destination-prefix-list-id %s: it is the one of %s",
					table,
					values(other.Properties).str("prefixListId"),
					other.ID,
				)
			}
		}
	}
	return nil
}
