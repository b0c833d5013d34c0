package provider

// A model says where the properties of a type are in AWS's API models.
type model struct {
	service string
	// inputs are the operations that properties are members of; the first that
	// has a member of the property's name is taken.
	inputs []string
	// names are the properties whose member has another name, or is of another
	// operation ("PutX:Member"), with all that is inside of them.
	names map[string]string
	// free are the properties that are no member, with the reason.
	free map[string]string
}

const (
	byName     = "the AWS provider makes the name of it, which is tested"
	isNotSent  = "the AWS provider does not send it"
	newer      = "it is younger than the models; what bounds it is written by hand"
	isOtherWay = "it is sent in a form that is not bounded"

	indexThroughput = "GlobalSecondaryIndexes.ProvisionedThroughput."
)

// modelMap says for every type where its properties are in the models.
var modelMap = map[string]model{
	certificateType: {
		service: "acm", inputs: []string{"RequestCertificate"},
	},
	validationType: {
		service: "acm", inputs: []string{"DescribeCertificate"},
		free: map[string]string{"validationRecordFqdns": isNotSent},
	},
	apiType: {
		service: "apigatewayv2", inputs: []string{"CreateApi"},
		free: map[string]string{"ipAddressType": newer},
	},
	integrationType: {
		service: "apigatewayv2", inputs: []string{"CreateIntegration"},
		names: map[string]string{"timeoutMilliseconds": "TimeoutInMillis"},
	},
	routeType: {service: "apigatewayv2", inputs: []string{"CreateRoute"}},
	stageType: {
		service: "apigatewayv2", inputs: []string{"CreateStage"},
		names: map[string]string{"name": "StageName"},
		free: map[string]string{
			"routeSettings":                      isOtherWay,
			"routeSettings.routeKey":             "it is the key of a map of texts without bounds",
			"routeSettings.throttlingBurstLimit": isOtherWay,
			"routeSettings.throttlingRateLimit":  isOtherWay,
		},
	},
	deploymentType: {
		service: "apigatewayv2", inputs: []string{"CreateDeployment"},
		free: map[string]string{"triggers": isNotSent},
	},
	authorizerType: {service: "apigatewayv2", inputs: []string{"CreateAuthorizer"}},
	domainType: {
		service: "apigatewayv2", inputs: []string{"CreateDomainName"},
		names: map[string]string{"domainNameConfiguration": "DomainNameConfigurations"},
		free: map[string]string{
			"domainNameConfiguration.ipAddressType":    newer,
			"domainNameConfiguration.targetDomainName": "AWS chooses it",
		},
	},
	mappingType: {service: "apigatewayv2", inputs: []string{"CreateApiMapping"}},
	trailType: {
		service: "cloudtrail", inputs: []string{"CreateTrail", "PutEventSelectors", "PutInsightSelectors"},
		names: map[string]string{
			"cloudWatchLogsGroupArn": "CloudWatchLogsLogGroupArn",
			"tags":                   "TagsList",
		},
	},
	logGroupType: {
		service: "logs", inputs: []string{"CreateLogGroup", "PutRetentionPolicy"},
		names: map[string]string{"name": "LogGroupName"},
		free:  map[string]string{"namePrefix": byName},
	},
	alarmType: {
		service: "cloudwatch", inputs: []string{"PutMetricAlarm"},
		names: map[string]string{
			"name":                            "AlarmName",
			"metricQueries":                   "Metrics",
			"metricQueries.metric":            "Metrics.MetricStat",
			"metricQueries.metric.dimensions": "Metrics.MetricStat.Metric.Dimensions",
			"metricQueries.metric.metricName": "Metrics.MetricStat.Metric.MetricName",
			"metricQueries.metric.namespace":  "Metrics.MetricStat.Metric.Namespace",
		},
	},
	applicationType: {
		service: "codedeploy", inputs: []string{"CreateApplication"},
		names: map[string]string{"name": "ApplicationName"},
	},
	deploymentConfigType: {
		service: "codedeploy", inputs: []string{"CreateDeploymentConfig"},
		names: map[string]string{
			"trafficRoutingConfig.timeBasedCanary.interval":   "TrafficRoutingConfig.TimeBasedCanary.CanaryInterval",
			"trafficRoutingConfig.timeBasedCanary.percentage": "TrafficRoutingConfig.TimeBasedCanary.CanaryPercentage",
			"trafficRoutingConfig.timeBasedLinear.interval":   "TrafficRoutingConfig.TimeBasedLinear.LinearInterval",
			"trafficRoutingConfig.timeBasedLinear.percentage": "TrafficRoutingConfig.TimeBasedLinear.LinearPercentage",
		},
	},
	deploymentGroupType: {
		service: "codedeploy", inputs: []string{"CreateDeploymentGroup"},
		names: map[string]string{"appName": "ApplicationName"},
	},
	poolType: {
		service: "cognito-idp", inputs: []string{"CreateUserPool"},
		names: map[string]string{
			"name":           "PoolName",
			"passwordPolicy": "Policies.PasswordPolicy",
			"tags":           "UserPoolTags",
		},
		free: map[string]string{
			"passwordPolicy.passwordHistorySize":   newer,
			"signInPolicy.allowedFirstAuthFactors": newer,
			"userPoolTier":                         newer,
		},
	},
	poolClientType: {
		service: "cognito-idp", inputs: []string{"CreateUserPoolClient"},
		names: map[string]string{"name": "ClientName"},
	},
	resourceServerType: {service: "cognito-idp", inputs: []string{"CreateResourceServer"}},
	poolDomainType: {
		service: "cognito-idp", inputs: []string{"CreateUserPoolDomain"},
		names: map[string]string{"certificateArn": "CustomDomainConfig.CertificateArn"},
		free:  map[string]string{"managedLoginVersion": newer},
	},
	tableType: {
		service: "dynamodb", inputs: []string{"CreateTable"},
		names: map[string]string{
			"name":                                  "TableName",
			"attributes":                            "AttributeDefinitions",
			"attributes.name":                       "AttributeDefinitions.AttributeName",
			"attributes.type":                       "AttributeDefinitions.AttributeType",
			"hashKey":                               "KeySchema.AttributeName",
			"rangeKey":                              "KeySchema.AttributeName",
			"readCapacity":                          "ProvisionedThroughput.ReadCapacityUnits",
			"writeCapacity":                         "ProvisionedThroughput.WriteCapacityUnits",
			"serverSideEncryption.kmsKeyArn":        "SSESpecification.KMSMasterKeyId",
			"ttl":                                   "UpdateTimeToLive:TimeToLiveSpecification",
			"globalSecondaryIndexes.name":           "GlobalSecondaryIndexes.IndexName",
			"globalSecondaryIndexes.hashKey":        "GlobalSecondaryIndexes.KeySchema.AttributeName",
			"globalSecondaryIndexes.rangeKey":       "GlobalSecondaryIndexes.KeySchema.AttributeName",
			"globalSecondaryIndexes.projectionType": "GlobalSecondaryIndexes.Projection.ProjectionType",
			"globalSecondaryIndexes.nonKeyAttributes": "GlobalSecondaryIndexes.Projection.NonKeyAttributes",
			"globalSecondaryIndexes.readCapacity":     indexThroughput + "ReadCapacityUnits",
			"globalSecondaryIndexes.writeCapacity":    indexThroughput + "WriteCapacityUnits",
			"localSecondaryIndexes.name":              "LocalSecondaryIndexes.IndexName",
			"localSecondaryIndexes.rangeKey":          "LocalSecondaryIndexes.KeySchema.AttributeName",
			"localSecondaryIndexes.projectionType":    "LocalSecondaryIndexes.Projection.ProjectionType",
			"localSecondaryIndexes.nonKeyAttributes":  "LocalSecondaryIndexes.Projection.NonKeyAttributes",
		},
		free: map[string]string{"pointInTimeRecovery.recoveryPeriodInDays": newer},
	},
	keyType: {
		service: "kms", inputs: []string{"CreateKey", "EnableKeyRotation"},
		names: map[string]string{"deletionWindowInDays": "ScheduleKeyDeletion:PendingWindowInDays"},
	},
	keyAliasType: {
		service: "kms", inputs: []string{"CreateAlias"},
		names: map[string]string{"name": "AliasName"},
		free:  map[string]string{"namePrefix": byName},
	},
	functionType: {
		service: "lambda", inputs: []string{"CreateFunction", "PutFunctionConcurrency"},
		names: map[string]string{"name": "FunctionName"},
		free: map[string]string{
			"replacementSecurityGroupIds": isNotSent,
			"sourceCodeHash":              isNotSent,
			"vpcConfig.vpcId":             "AWS says it",
		},
	},
	aliasType: {service: "lambda", inputs: []string{"CreateAlias"}},
	permissionType: {
		service: "lambda", inputs: []string{"AddPermission"},
		names: map[string]string{"function": "FunctionName"},
		free:  map[string]string{"statementIdPrefix": byName},
	},
	roleType: {
		service: "iam", inputs: []string{"CreateRole"},
		names: map[string]string{
			"name":                  "RoleName",
			"assumeRolePolicy":      "AssumeRolePolicyDocument",
			"inlinePolicies.name":   "PutRolePolicy:PolicyName",
			"inlinePolicies.policy": "PutRolePolicy:PolicyDocument",
		},
		free: map[string]string{
			"namePrefix":        byName,
			"inlinePolicies":    "it is one call for each",
			"managedPolicyArns": "it is one call for each; the elements are tested as policies that exist",
		},
	},
	rolePolicyType: {
		service: "iam", inputs: []string{"PutRolePolicy"},
		names: map[string]string{
			"name":   "PolicyName",
			"policy": "PolicyDocument",
			"role":   "RoleName",
		},
		free: map[string]string{"namePrefix": byName},
	},
	policyType: {
		service: "iam", inputs: []string{"CreatePolicy"},
		names: map[string]string{
			"name":   "PolicyName",
			"policy": "PolicyDocument",
		},
		free: map[string]string{"namePrefix": byName},
	},
	roleAttachmentType: {
		service: "iam", inputs: []string{"AttachRolePolicy"},
		names: map[string]string{"role": "RoleName"},
	},
	zoneType: {
		service: "route53", inputs: []string{"CreateHostedZone"},
		names: map[string]string{
			"comment": "HostedZoneConfig.Comment",
			"tags":    "ChangeTagsForResource:AddTags",
		},
	},
	recordType: {
		service: "route53", inputs: []string{"ChangeResourceRecordSets"},
		names: map[string]string{
			"aliases":        "ChangeBatch.Changes.ResourceRecordSet.AliasTarget",
			"aliases.name":   "ChangeBatch.Changes.ResourceRecordSet.AliasTarget.DNSName",
			"aliases.zoneId": "ChangeBatch.Changes.ResourceRecordSet.AliasTarget.HostedZoneId",
			"name":           "ChangeBatch.Changes.ResourceRecordSet.Name",
			"records":        "ChangeBatch.Changes.ResourceRecordSet.ResourceRecords",
			"ttl":            "ChangeBatch.Changes.ResourceRecordSet.TTL",
			"type":           "ChangeBatch.Changes.ResourceRecordSet.Type",
			"zoneId":         "HostedZoneId",
		},
	},
}
