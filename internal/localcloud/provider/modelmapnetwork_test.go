package provider

import "maps"

// ruleNames are the properties of the rules inside of a security group.
func ruleNames(direction string) map[string]string {
	permissions := "AuthorizeSecurityGroupIngress:IpPermissions"
	if direction == "egress" {
		permissions = "AuthorizeSecurityGroupEgress:IpPermissions"
	}
	return map[string]string{
		direction:                     permissions,
		direction + ".cidrBlocks":     permissions + ".IpRanges.CidrIp",
		direction + ".description":    permissions + ".IpRanges.Description",
		direction + ".ipv6CidrBlocks": permissions + ".Ipv6Ranges.CidrIpv6",
		direction + ".prefixListIds":  permissions + ".PrefixListIds.PrefixListId",
		direction + ".protocol":       permissions + ".IpProtocol",
		direction + ".securityGroups": permissions + ".UserIdGroupPairs.GroupId",
	}
}

// ruleModel is a rule that is a resource of its own.
func ruleModel(direction string) model {
	return model{
		service: "ec2",
		inputs:  []string{"AuthorizeSecurityGroup" + direction},
		names: map[string]string{
			"cidrIpv4":                  "IpPermissions.IpRanges.CidrIp",
			"cidrIpv6":                  "IpPermissions.Ipv6Ranges.CidrIpv6",
			"description":               "IpPermissions.IpRanges.Description",
			"fromPort":                  "IpPermissions.FromPort",
			"ipProtocol":                "IpPermissions.IpProtocol",
			"prefixListId":              "IpPermissions.PrefixListIds.PrefixListId",
			"referencedSecurityGroupId": "IpPermissions.UserIdGroupPairs.GroupId",
			"securityGroupId":           "GroupId",
			"tags":                      "TagSpecifications.Tags",
			"toPort":                    "IpPermissions.ToPort",
		},
	}
}

func merge(parts ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, part := range parts {
		maps.Copy(out, part)
	}
	return out
}

var tagSpecifications = map[string]string{"tags": "TagSpecifications.Tags"}

func init() {
	maps.Copy(modelMap, map[string]model{
		vpcType: {service: "ec2", inputs: []string{"CreateVpc"}, names: tagSpecifications},
		subnetType: {
			service: "ec2", inputs: []string{"CreateSubnet", "ModifySubnetAttribute"},
			names: tagSpecifications,
		},
		internetGatewayType: {
			service: "ec2", inputs: []string{"CreateInternetGateway", "AttachInternetGateway"},
			names: tagSpecifications,
		},
		routeTableType: {
			service: "ec2", inputs: []string{"CreateRouteTable"},
			names: tagSpecifications,
		},
		vpcRouteType: {
			service: "ec2", inputs: []string{"CreateRoute"},
			names: map[string]string{"destinationIpv6CidrBlock": "DestinationIpv6CidrBlock"},
		},
		routeTableAssociationType: {service: "ec2", inputs: []string{"AssociateRouteTable"}},
		securityGroupType: {
			service: "ec2", inputs: []string{"CreateSecurityGroup"},
			names: merge(tagSpecifications, ruleNames("egress"), ruleNames("ingress"), map[string]string{
				"name": "GroupName",
			}),
			free: map[string]string{"namePrefix": byName},
		},
		defaultGroupType: {
			service: "ec2", inputs: []string{"CreateSecurityGroup"},
			names: merge(tagSpecifications, ruleNames("egress"), ruleNames("ingress")),
		},
		egressRuleType:  ruleModel("Egress"),
		ingressRuleType: ruleModel("Ingress"),
		endpointType: {
			service: "ec2",
			inputs:  []string{"CreateVpcEndpoint"},
			names:   merge(tagSpecifications, map[string]string{"policy": "PolicyDocument"}),
			free: map[string]string{
				"serviceRegion": "it is younger than the models; the local cloud has one region",
			},
		},
		bucketType: {
			service: "s3", inputs: []string{"CreateBucket"},
			names: map[string]string{"tags": "PutBucketTagging:Tagging.TagSet"},
			free:  map[string]string{"bucketPrefix": byName},
		},
		bucketVersioningType:  {service: "s3", inputs: []string{"PutBucketVersioning"}},
		bucketPublicBlockType: {service: "s3", inputs: []string{"PutPublicAccessBlock"}},
		bucketPolicyType:      {service: "s3", inputs: []string{"PutBucketPolicy"}},
		bucketOwnershipType: {
			service: "s3", inputs: []string{"PutBucketOwnershipControls"},
			names: map[string]string{"rule": "OwnershipControls.Rules"},
		},
		bucketEncryptionType: {
			service: "s3", inputs: []string{"PutBucketEncryption"},
			names: map[string]string{
				"rules": "ServerSideEncryptionConfiguration.Rules",
				"rules.applyServerSideEncryptionByDefault.kmsMasterKeyId": "ServerSideEncryptionConfiguration." +
					"Rules.ApplyServerSideEncryptionByDefault.KMSMasterKeyID",
			},
		},
		bucketLifecycleType: {
			service: "s3", inputs: []string{"PutBucketLifecycleConfiguration"},
			names: map[string]string{
				"rules": "LifecycleConfiguration.Rules",
			},
			free: map[string]string{
				"timeouts.create":                    isNotSent,
				"timeouts.update":                    isNotSent,
				"transitionDefaultMinimumObjectSize": newer,
			},
		},
	})
}
