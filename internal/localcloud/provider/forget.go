package provider

// forgetting is the order in which [Provider.Forget] removes resources:
// children before parents.
var forgetting = []string{
	deploymentGroupType, deploymentConfigType, applicationType, alarmType, mappingType, domainType, validationType, certificateType, recordType, zoneType,
	permissionType, aliasType, routeType, stageType, deploymentType, integrationType, authorizerType, apiType, functionType,
	poolClientType, resourceServerType, poolDomainType, poolType,
	egressRuleType, ingressRuleType, defaultGroupType, securityGroupType,
	vpcRouteType, routeTableAssociationType, endpointType, routeTableType, internetGatewayType, subnetType, vpcType,
	trailType, bucketPolicyType, bucketPublicBlockType, bucketOwnershipType, bucketLifecycleType, bucketEncryptionType, bucketVersioningType, bucketType,
	roleAttachmentType, rolePolicyType, policyType, roleType, logGroupType, tableType, keyAliasType, keyType,
}
