package deployer

func network() []Type {
	interfaces := []string{
		// What Lambda leaves behind for a while, and the AWS provider removes
		// with what it is in.
		"ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DetachNetworkInterface",
	}
	rules := []string{
		"ec2:AuthorizeSecurityGroupEgress",
		"ec2:AuthorizeSecurityGroupIngress",
		"ec2:DescribeSecurityGroupRules",
		"ec2:DescribeSecurityGroups",
		"ec2:RevokeSecurityGroupEgress",
		"ec2:RevokeSecurityGroupIngress",
	}
	tags := []string{"ec2:CreateTags", "ec2:DeleteTags"}
	all := func(lists ...[]string) []string {
		var out []string
		for _, l := range append(lists, tags) {
			out = append(out, l...)
		}
		return out
	}
	return []Type{
		{
			Token: "aws:ec2/vpc:Vpc",
			Anywhere: all([]string{
				"ec2:CreateVpc",
				"ec2:DeleteVpc",
				"ec2:DescribeNetworkAcls",
				"ec2:DescribeRouteTables",
				"ec2:DescribeSecurityGroups",
				"ec2:DescribeVpcAttribute",
				"ec2:DescribeVpcs",
				"ec2:ModifyVpcAttribute",
			}),
		},
		{
			Token: "aws:ec2/subnet:Subnet",
			Anywhere: all(interfaces, []string{
				"ec2:CreateSubnet", "ec2:DeleteSubnet", "ec2:DescribeSubnets", "ec2:ModifySubnetAttribute",
			}),
		},
		{
			Token: "aws:ec2/internetGateway:InternetGateway",
			Anywhere: all([]string{
				"ec2:AttachInternetGateway", "ec2:CreateInternetGateway", "ec2:DeleteInternetGateway",
				"ec2:DescribeInternetGateways", "ec2:DetachInternetGateway",
			}),
		},
		{
			Token: "aws:ec2/routeTable:RouteTable",
			Anywhere: all([]string{
				"ec2:CreateRouteTable",
				"ec2:DeleteRouteTable",
				"ec2:DescribeRouteTables",
				"ec2:DisassociateRouteTable",
			}),
		},
		{
			Token: "aws:ec2/routeTableAssociation:RouteTableAssociation",
			Anywhere: []string{
				"ec2:AssociateRouteTable", "ec2:DescribeRouteTables", "ec2:DisassociateRouteTable",
				"ec2:ReplaceRouteTableAssociation",
			},
		},
		{
			Token: "aws:ec2/vpcEndpoint:VpcEndpoint",
			Anywhere: all([]string{
				"ec2:CreateVpcEndpoint", "ec2:DeleteVpcEndpoints", "ec2:DescribePrefixLists",
				"ec2:DescribeVpcEndpoints", "ec2:ModifyVpcEndpoint",
			}),
		},
		{
			Token:    "aws:ec2/securityGroup:SecurityGroup",
			Anywhere: all(rules, interfaces, []string{"ec2:CreateSecurityGroup", "ec2:DeleteSecurityGroup"}),
		},
		{Token: "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", Anywhere: all(rules)},
		{
			Token:    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
			Anywhere: all(rules, []string{"ec2:ModifySecurityGroupRules"}),
		},
		{
			Token:    "aws:index/getAvailabilityZones:getAvailabilityZones",
			Anywhere: []string{"ec2:DescribeAvailabilityZones"},
		},
	}
}

func key() []Type {
	keys := []string{"arn:aws:kms:REGION:ACCOUNT:key/*"}
	return []Type{
		{
			Token: "aws:kms/key:Key",
			Actions: []string{
				"kms:DescribeKey",
				"kms:DisableKey",
				"kms:DisableKeyRotation",
				"kms:EnableKey",
				"kms:EnableKeyRotation",
				"kms:GetKeyPolicy",
				"kms:GetKeyRotationStatus",
				"kms:ListResourceTags",
				"kms:PutKeyPolicy",
				"kms:ScheduleKeyDeletion",
				"kms:TagResource",
				"kms:UntagResource",
				"kms:UpdateKeyDescription",
				// Of the table's key.
				"kms:CreateGrant",
				"kms:Decrypt",
				"kms:Encrypt",
				"kms:GenerateDataKey*",
				"kms:ReEncrypt*",
			},
			Resources: keys,
			Anywhere:  []string{"kms:CreateKey"},
		},
		{
			Token:     "aws:kms/alias:Alias",
			Actions:   []string{"kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"},
			Resources: []string{"arn:aws:kms:REGION:ACCOUNT:alias/items-api-*", keys[0]},
			Anywhere:  []string{"kms:ListAliases"},
		},
	}
}

func audit() []Type {
	of := func(token string, actions ...string) Type {
		return Type{
			Token:     "aws:s3/" + token,
			Actions:   actions,
			Resources: []string{buckets},
		}
	}
	return []Type{
		of(
			"bucketV2:BucketV2",
			"s3:CreateBucket",
			"s3:DeleteBucket",
			"s3:GetAccelerateConfiguration",
			"s3:GetBucketAcl",
			"s3:GetBucketCORS",
			"s3:GetBucketLocation",
			"s3:GetBucketLogging",
			"s3:GetBucketObjectLockConfiguration",
			"s3:GetBucketPolicy",
			"s3:GetBucketRequestPayment",
			"s3:GetBucketTagging",
			"s3:GetBucketVersioning",
			"s3:GetBucketWebsite",
			"s3:GetEncryptionConfiguration",
			"s3:GetLifecycleConfiguration",
			"s3:GetReplicationConfiguration",
			"s3:ListBucket",
			"s3:PutBucketTagging",
		),
		of("bucketVersioningV2:BucketVersioningV2", "s3:GetBucketVersioning", "s3:PutBucketVersioning"),
		of("bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
			"s3:GetEncryptionConfiguration", "s3:PutEncryptionConfiguration"),
		of("bucketPublicAccessBlock:BucketPublicAccessBlock",
			"s3:GetBucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
		of("bucketOwnershipControls:BucketOwnershipControls",
			"s3:GetBucketOwnershipControls", "s3:PutBucketOwnershipControls"),
		of("bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
			"s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration"),
		of("bucketPolicy:BucketPolicy", "s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"),
		{
			Token: "aws:cloudtrail/trail:Trail",
			Actions: []string{
				"cloudtrail:AddTags",
				"cloudtrail:CreateTrail",
				"cloudtrail:DeleteTrail",
				"cloudtrail:GetEventSelectors",
				"cloudtrail:GetInsightSelectors",
				"cloudtrail:GetTrail",
				"cloudtrail:GetTrailStatus",
				"cloudtrail:ListTags",
				"cloudtrail:PutEventSelectors",
				"cloudtrail:PutInsightSelectors",
				"cloudtrail:RemoveTags",
				"cloudtrail:StartLogging",
				"cloudtrail:StopLogging",
				"cloudtrail:UpdateTrail",
			},
			Resources: []string{trails},
			Anywhere:  []string{"cloudtrail:DescribeTrails"},
		},
	}
}
