package deployer

// The names of a stack's resources begin with that of its component, items.
const (
	functions = "arn:aws:lambda:REGION:ACCOUNT:function:items-*"
	roles     = "arn:aws:iam::ACCOUNT:role/items-*"
	tables    = "arn:aws:dynamodb:REGION:ACCOUNT:table/items-*"
	logGroups = "arn:aws:logs:REGION:ACCOUNT:log-group:items-*"
	vended    = "arn:aws:logs:REGION:ACCOUNT:log-group:/aws/vendedlogs/items-*"
	alarms    = "arn:aws:cloudwatch:REGION:ACCOUNT:alarm:items-*"
	gateway   = "arn:aws:apigateway:REGION::/*"
	buckets   = "arn:aws:s3:::items-audit-*"
	trails    = "arn:aws:cloudtrail:REGION:ACCOUNT:trail/items-api-*"
)

// Parts returns what stacks need, what all need first.
func Parts() []Part {
	return []Part{
		{Name: "Every stack", Types: everyStack()},
		{
			Name: "Users of a user pool",
			Key:  "items-api:auth.mode cognito",
			Note: "The lines of the output `signIn` are run by whoever makes users: " +
				"`cognito-idp:AdminCreateUser`, `AdminSetUserPassword` and `AdminInitiateAuth`.",
			Types: cognito(),
		},
		{
			Name: "A private network",
			Key:  "items-api:network.private",
			Note: "Ids of networks are made by AWS, so that these actions cannot be limited to names; a " +
				"condition on `aws:ResourceTag` can limit those that change what is there, if " +
				"`items-api:tags` has a tag for it.",
			Types: network(),
		},
		{
			Name: "A key of the stack's own",
			Key:  "items-api:encryption.customerKey",
			Note: "The ids of keys are made by AWS. The actions on data are what DynamoDB asks of " +
				"whoever chooses a table's key; the key's own policy lets the account's policies decide.",
			Types: key(),
		},
		{
			Name:  "An audit trail",
			Key:   "items-api:audit.enabled",
			Types: audit(),
		},
		{
			Name:  "A custom domain",
			Key:   "items-api:domain",
			Note:  "With `truststore`, `s3:GetObject` and `s3:GetObjectVersion` on that file as well.",
			Types: domain(),
		},
		{
			Name:  "Releases by CodeDeploy",
			Key:   "items-api:release.strategy codedeploy-...",
			Types: codeDeploy(),
		},
	}
}

func everyStack() []Type {
	return []Type{
		{
			Token: "aws:dynamodb/table:Table",
			Actions: []string{
				"dynamodb:CreateTable", "dynamodb:DeleteTable", "dynamodb:DescribeContinuousBackups",
				"dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:ListTagsOfResource",
				"dynamodb:TagResource", "dynamodb:UntagResource", "dynamodb:UpdateContinuousBackups",
				"dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive",
			},
			Resources: []string{tables},
		},
		{
			Token: "aws:cloudwatch/logGroup:LogGroup",
			Actions: []string{
				"logs:AssociateKmsKey",
				"logs:CreateLogGroup",
				"logs:DeleteLogGroup",
				"logs:DeleteRetentionPolicy",
				"logs:DisassociateKmsKey",
				"logs:ListTagsForResource",
				"logs:PutRetentionPolicy",
				"logs:TagResource",
				"logs:UntagResource",
			},
			Resources: []string{logGroups, vended},
			Anywhere:  []string{"logs:DescribeLogGroups"},
		},
		{
			Token: "aws:iam/role:Role",
			Actions: []string{
				"iam:CreateRole",
				"iam:DeleteRole",
				"iam:GetRole",
				"iam:ListAttachedRolePolicies",
				"iam:ListInstanceProfilesForRole",
				"iam:ListRolePolicies",
				"iam:PassRole",
				"iam:TagRole",
				"iam:UntagRole",
				"iam:UpdateAssumeRolePolicy",
				"iam:UpdateRole",
				"iam:UpdateRoleDescription",
			},
			Resources: []string{roles},
		},
		{
			Token:     "aws:iam/rolePolicy:RolePolicy",
			Actions:   []string{"iam:DeleteRolePolicy", "iam:GetRolePolicy", "iam:PutRolePolicy"},
			Resources: []string{roles},
		},
		{
			Token: "aws:lambda/function:Function",
			Actions: []string{
				"lambda:CreateFunction",
				"lambda:DeleteFunction",
				"lambda:DeleteFunctionConcurrency",
				"lambda:GetFunction",
				"lambda:GetFunctionCodeSigningConfig",
				"lambda:GetFunctionConfiguration",
				"lambda:ListTags",
				"lambda:ListVersionsByFunction",
				"lambda:PublishVersion",
				"lambda:PutFunctionConcurrency",
				"lambda:TagResource",
				"lambda:UntagResource",
				"lambda:UpdateFunctionCode",
				"lambda:UpdateFunctionConfiguration",
			},
			Resources: []string{functions},
		},
		{
			Token: "aws:lambda/alias:Alias",
			Actions: []string{
				"lambda:CreateAlias",
				"lambda:DeleteAlias",
				"lambda:GetAlias",
				"lambda:UpdateAlias",
			},
			Resources: []string{functions},
		},
		{
			Token:     "aws:lambda/permission:Permission",
			Actions:   []string{"lambda:AddPermission", "lambda:GetPolicy", "lambda:RemovePermission"},
			Resources: []string{functions},
		},
		{
			Token:     "aws:apigatewayv2/api:Api",
			Actions:   verbs(),
			Resources: []string{gateway},
		},
		{
			Token:     "aws:apigatewayv2/authorizer:Authorizer",
			Actions:   verbs(),
			Resources: []string{gateway},
		},
		{
			Token:     "aws:apigatewayv2/integration:Integration",
			Actions:   verbs(),
			Resources: []string{gateway},
		},
		{
			Token:     "aws:apigatewayv2/route:Route",
			Actions:   verbs(),
			Resources: []string{gateway},
		},
		{
			Token:     "aws:apigatewayv2/stage:Stage",
			Actions:   verbs(),
			Resources: []string{gateway},
			// What access logs ask of whoever switches them on.
			Anywhere: []string{
				"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups",
				"logs:DescribeResourcePolicies", "logs:GetLogDelivery", "logs:ListLogDeliveries",
				"logs:PutResourcePolicy", "logs:UpdateLogDelivery",
			},
		},
		{
			Token: "aws:cloudwatch/metricAlarm:MetricAlarm",
			Actions: []string{
				"cloudwatch:DeleteAlarms", "cloudwatch:ListTagsForResource",
				"cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource",
			},
			Resources: []string{alarms},
			// It is judged on alarm:*, whichever alarms are asked for. Source:
			// aws-samples/amazon-cloudwatch-auto-alarms#1, mattclay/aws-terminator#63.
			Anywhere: []string{"cloudwatch:DescribeAlarms"},
		},
		{
			Token:    "aws:servicequotas/getServiceQuota:getServiceQuota",
			Anywhere: []string{"servicequotas:GetAWSDefaultServiceQuota", "servicequotas:GetServiceQuota"},
		},
		{
			Token:     "aws:lambda/getAlias:getAlias",
			Actions:   []string{"lambda:GetAlias"},
			Resources: []string{functions},
		},
		{
			Token: "aws:lambda/getFunction:getFunction",
			Actions: []string{
				"lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:ListVersionsByFunction",
			},
			Resources: []string{functions},
		},
	}
}

// verbs are API Gateway's actions: the methods of its own REST API. The ids in
// its resources are made by AWS.
func verbs() []string {
	return []string{
		"apigateway:DELETE",
		"apigateway:GET",
		"apigateway:PATCH",
		"apigateway:POST",
		"apigateway:PUT",
		"apigateway:TagResource",
		"apigateway:UntagResource",
	}
}

func cognito() []Type {
	crud := func(what string) []string {
		return []string{
			"cognito-idp:Create" + what,
			"cognito-idp:Delete" + what,
			"cognito-idp:Describe" + what,
			"cognito-idp:Update" + what,
		}
	}
	pools := []string{"arn:aws:cognito-idp:REGION:ACCOUNT:userpool/*"}
	return []Type{
		{
			Token: "aws:cognito/userPool:UserPool",
			Actions: []string{
				"cognito-idp:DeleteUserPool",
				"cognito-idp:DescribeUserPool",
				"cognito-idp:GetUserPoolMfaConfig",
				"cognito-idp:ListTagsForResource",
				"cognito-idp:SetUserPoolMfaConfig",
				"cognito-idp:TagResource",
				"cognito-idp:UntagResource",
				"cognito-idp:UpdateUserPool",
			},
			Resources: pools,
			Anywhere:  []string{"cognito-idp:CreateUserPool"},
		},
		{
			Token:     "aws:cognito/resourceServer:ResourceServer",
			Actions:   crud("ResourceServer"),
			Resources: pools,
		},
		{
			Token:     "aws:cognito/userPoolClient:UserPoolClient",
			Actions:   crud("UserPoolClient"),
			Resources: pools,
		},
		{
			Token: "aws:cognito/userPoolDomain:UserPoolDomain",
			Actions: []string{
				"cognito-idp:CreateUserPoolDomain", "cognito-idp:DeleteUserPoolDomain",
				"cognito-idp:UpdateUserPoolDomain",
			},
			Resources: pools,
			Anywhere:  []string{"cognito-idp:DescribeUserPoolDomain"},
		},
	}
}

func codeDeploy() []Type {
	applications := []string{
		"arn:aws:codedeploy:REGION:ACCOUNT:application:items-*",
		"arn:aws:codedeploy:REGION:ACCOUNT:deploymentgroup:items-*/live",
	}
	return []Type{
		{
			Token: "aws:codedeploy/application:Application",
			Actions: []string{
				"codedeploy:CreateApplication", "codedeploy:DeleteApplication", "codedeploy:GetApplication",
				"codedeploy:ListTagsForResource", "codedeploy:TagResource", "codedeploy:UntagResource",
				"codedeploy:UpdateApplication",
			},
			Resources: applications,
		},
		{
			Token: "aws:codedeploy/deploymentGroup:DeploymentGroup",
			Actions: []string{
				"codedeploy:CreateDeploymentGroup", "codedeploy:DeleteDeploymentGroup",
				"codedeploy:GetDeploymentGroup", "codedeploy:UpdateDeploymentGroup",
			},
			Resources: applications,
		},
	}
}

func domain() []Type {
	return []Type{
		{
			Token: "aws:acm/certificate:Certificate",
			Actions: []string{
				"acm:AddTagsToCertificate", "acm:DeleteCertificate", "acm:DescribeCertificate",
				"acm:ListTagsForCertificate", "acm:RemoveTagsFromCertificate",
			},
			Resources: []string{"arn:aws:acm:REGION:ACCOUNT:certificate/*"},
			Anywhere:  []string{"acm:RequestCertificate"},
		},
		{
			Token:     "aws:acm/certificateValidation:CertificateValidation",
			Actions:   []string{"acm:DescribeCertificate"},
			Resources: []string{"arn:aws:acm:REGION:ACCOUNT:certificate/*"},
		},
		{
			Token: "aws:route53/record:Record",
			Actions: []string{
				"route53:ChangeResourceRecordSets", "route53:GetHostedZone", "route53:ListResourceRecordSets",
			},
			Resources: []string{"arn:aws:route53:::hostedzone/ZONE"},
			Anywhere:  []string{"route53:GetChange"},
		},
		{
			Token: "aws:apigatewayv2/domainName:DomainName",
			Actions: append(
				verbs(),
				"apigateway:AddCertificateToDomain",
				"apigateway:RemoveCertificateFromDomain",
			),
			Resources: []string{gateway},
			// The first custom domain of an account makes API Gateway's
			// service-linked role.
			Anywhere: []string{"iam:CreateServiceLinkedRole"},
		},
		{
			Token:     "aws:apigatewayv2/apiMapping:ApiMapping",
			Actions:   verbs(),
			Resources: []string{gateway},
		},
	}
}
