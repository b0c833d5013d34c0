package provider

import (
	"fmt"
	"slices"
	"strings"

	"items-api/internal/localcloud/dynamodb"
	"items-api/internal/localcloud/iam"
	"items-api/internal/localcloud/state"
)

// Route returns how the code of a version of a function reaches DynamoDB: nil
// without a VPC, which is over the internet. From a VPC there is one way here:
// a gateway endpoint, since there are no NAT gateways and no interface
// endpoints, and Lambda gives no public addresses. All subnets of a function
// must have the way, since Lambda takes any of them.
func (p *Provider) Route(function, version string) (*dynamodb.Route, error) {
	rec, err := p.Store.Get(functionType, function)
	if err != nil {
		return nil, err
	}
	config := values(rec.Properties).object("vpcConfig")
	if version != latest && version != "" {
		v, err := versionOf(rec, version)
		if err != nil {
			return nil, err
		}
		config = values(v.Properties).object("vpcConfig")
	}
	subnets := config.strings("subnetIds")
	if len(subnets) == 0 {
		return nil, nil
	}
	out := &dynamodb.Route{VPC: config.str("vpcId")}
	vpc, err := p.vpc(out.VPC)
	if err != nil {
		out.Unreachable = fmt.Sprintf("the VPC %s is gone", out.VPC)
		return out, nil
	}
	if !vpc.boolean("enableDnsSupport") {
		out.Unreachable = fmt.Sprintf(
			"no name is resolved in the VPC %s, which has enableDnsSupport false",
			out.VPC,
		)
		return out, nil
	}
	for _, subnet := range subnets {
		endpoint, reason := p.wayFrom(subnet, out.VPC)
		if reason == "" && !p.letsOut(config.strings("securityGroupIds"), endpoint.Properties) {
			reason = fmt.Sprintf(
				"no security group of the function lets HTTPS out to the prefix list %s",
				values(endpoint.Properties).str("prefixListId"),
			)
		}
		if reason != "" {
			out.Unreachable = reason
			return out, nil
		}
		if err := addEndpoint(out, endpoint); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// addEndpoint adds an endpoint to a route that does not have it yet.
func addEndpoint(out *dynamodb.Route, endpoint state.Record) error {
	if slices.ContainsFunc(out.Endpoints, func(e dynamodb.Endpoint) bool { return e.ID == endpoint.ID }) {
		return nil
	}
	policy, err := iam.ParseResource([]byte(values(endpoint.Properties).str("policy")))
	if err != nil {
		return fmt.Errorf("reading the policy of the endpoint %s: %w", endpoint.ID, err)
	}
	out.Endpoints = append(out.Endpoints, dynamodb.Endpoint{ID: endpoint.ID, Policy: policy})
	return nil
}

// wayFrom returns the gateway endpoint for DynamoDB that the route table of a
// subnet leads to, or the reason why there is none.
func (p *Provider) wayFrom(subnet, vpcID string) (state.Record, string) {
	vpc, err := p.vpc(vpcID)
	if err != nil {
		return state.Record{}, err.Error()
	}
	table := vpc.str("mainRouteTableId")
	for _, a := range p.referring(routeTableAssociationType, "subnetId", subnet) {
		table = values(a.Properties).str("routeTableId")
	}
	for _, e := range p.referring(endpointType, "vpcId", vpcID) {
		props := values(e.Properties)
		if p.gatewayService(props.str("serviceName")) == "dynamodb" &&
			slices.Contains(props.strings("routeTableIds"), table) {
			return e, ""
		}
	}
	return state.Record{}, fmt.Sprintf(
		"the route table %s of the subnet %s leads to no gateway endpoint for DynamoDB",
		table,
		subnet,
	)
}

// letsOut reports whether one of the security groups lets HTTPS out to an
// endpoint. Addresses stand for those of the prefix list.
func (p *Provider) letsOut(groups []string, endpoint values) bool {
	return slices.ContainsFunc(groups, func(group string) bool {
		if p.untouched(group) {
			return true
		}
		for _, r := range p.referring(egressRuleType, "securityGroupId", group) {
			rule := values(r.Properties)
			if https(rule.str("ipProtocol"), rule) &&
				meets(endpoint, []string{rule.str("cidrIpv4")}, []string{rule.str("prefixListId")}) {
				return true
			}
		}
		return slices.ContainsFunc(p.inline(group), func(rule values) bool {
			return https(rule.str("protocol"), rule) &&
				meets(endpoint, rule.strings("cidrBlocks"), rule.strings("prefixListIds"))
		})
	})
}

// untouched reports whether a group is the first one of a VPC as AWS makes it,
// which lets everything out.
func (p *Provider) untouched(group string) bool {
	_, err := p.Store.Get(defaultGroupType, group)
	return err != nil && len(p.referring(vpcType, "defaultSecurityGroupId", group)) > 0
}

// inline returns the rules for what goes out that a group itself has.
func (p *Provider) inline(group string) []values {
	var out []values
	for _, token := range []string{securityGroupType, defaultGroupType} {
		rec, err := p.Store.Get(token, group)
		if err != nil {
			continue
		}
		for _, e := range values(rec.Properties).list("egress") {
			if rule, ok := e.(map[string]any); ok {
				out = append(out, rule)
			}
		}
	}
	return out
}

// https reports whether a rule is about HTTPS.
func https(protocol string, rule values) bool {
	switch strings.ToLower(protocol) {
	case "-1":
		return true
	case "tcp", "6":
		return rule.number("fromPort") <= 443 && rule.number("toPort") >= 443
	}
	return false
}

// meets reports whether ranges or prefix lists reach an endpoint.
func meets(endpoint values, ranges, lists []string) bool {
	if slices.Contains(lists, endpoint.str("prefixListId")) {
		return true
	}
	return slices.ContainsFunc(endpoint.strings("cidrBlocks"), func(addresses string) bool {
		return slices.ContainsFunc(ranges, func(r string) bool { return within(addresses, r) })
	})
}
