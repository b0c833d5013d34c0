package provider

import (
	"errors"
	"fmt"
	"slices"

	"items-api/internal/localcloud/iam"
)

// joinNetwork tests what a function's vpcConfig names, and that Lambda may make
// network interfaces in the name of the function's role, and fills in the VPC.
// Source: Lambda developer guide, "Giving Lambda functions access to resources
// in an Amazon VPC". Of the actions that the guide lists, those whose absence
// Lambda is known to answer on creation are tested.
func (p *Provider) joinNetwork(in values) error {
	config := in.object("vpcConfig")
	subnets, groups := config.strings("subnetIds"), config.strings("securityGroupIds")
	if len(subnets) == 0 && len(groups) == 0 {
		return nil
	}
	if len(subnets) == 0 || len(groups) == 0 {
		return errors.New(
			"InvalidParameterValueException: SubnetIds and SecurityIds must coexist or be both empty list.",
		)
	}
	const failed = "InvalidParameterValueException: Error occurred while %s. EC2 Error Code: %s. EC2 " +
		"Error Message: The %s '%s' does not exist"
	var vpc string
	var resources []string
	for _, id := range subnets {
		subnet, err := p.subnet(id)
		if err != nil {
			return fmt.Errorf(failed, "DescribeSubnets", "InvalidSubnetID.NotFound", "subnet ID", id)
		}
		if in := subnet.str("vpcId"); vpc != "" && in != vpc {
			return fmt.Errorf(
				"InvalidParameterValueException: the subnets of a function must be in one VPC: %s is in "+
					"%s, and %s in %s",
				subnets[0],
				vpc,
				id,
				in,
			)
		}
		if p.lacksFunctions(subnet.str("availabilityZone")) {
			return errors.New(
				"InvalidParameterValueException: The provided subnets contain availability zone Lambda " +
					"doesn't support. Please use a different set of subnets.",
			)
		}
		vpc = subnet.str("vpcId")
		resources = append(resources, subnet.str("arn"))
	}
	for _, id := range groups {
		in, err := p.securityGroup(id)
		if err != nil {
			return fmt.Errorf(failed, "DescribeSecurityGroups", "InvalidGroup.NotFound", "security group", id)
		}
		if in != vpc {
			return fmt.Errorf(
				"InvalidParameterValueException: the security groups of a function must be in the VPC of "+
					"its subnets: %s is in %s, not in %s",
				id,
				in,
				vpc,
			)
		}
		resources = append(resources, p.arn(ec2Service, "security-group/"+id))
	}
	joined := config.clone()
	joined["vpcId"] = vpc
	in["vpcConfig"] = map[string]any(joined)
	return p.mayMakeInterfaces(in.str("role"), resources)
}

// mayMakeInterfaces judges the actions by which Lambda keeps the network
// interfaces of a function. To make one is judged on the interface, and on the
// subnet and the groups that it gets. Source: service authorization reference,
// "Actions, resources, and condition keys for Amazon EC2".
func (p *Provider) mayMakeInterfaces(role string, placed []string) error {
	policies, err := p.Policies(role)
	if err != nil {
		return err
	}
	own := p.arn(ec2Service, "network-interface/eni-00000000000000000")
	for _, needed := range []struct {
		action    string
		resources []string
	}{
		{"CreateNetworkInterface", append([]string{own}, placed...)},
		{"DescribeNetworkInterfaces", []string{"*"}},
		{"DeleteNetworkInterface", []string{own}},
	} {
		denied := slices.IndexFunc(needed.resources, func(r string) bool {
			return !iam.Evaluate(policies, iam.Request{Action: "ec2:" + needed.action, Resource: r}).Allowed
		})
		if denied >= 0 {
			return fmt.Errorf(
				"InvalidParameterValueException: The provided execution role does not have permissions to "+
					"call %s on EC2: %s does not grant ec2:%s on %s",
				needed.action,
				role,
				needed.action,
				needed.resources[denied],
			)
		}
	}
	return nil
}
