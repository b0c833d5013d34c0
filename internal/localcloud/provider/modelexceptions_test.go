package provider

// An exception is where the service, or the AWS provider before it, takes what
// the model does not: the models are of July 2024, when version 1 of the SDK
// got its last.
type exception struct {
	token, property string
	values          []string  // texts that are taken besides the model's
	numbers         []float64 // numbers outside of the model's bounds
	anyText         bool      // the model's pattern does not hold
	why             string    // with the source
}

const (
	noCapacity = "0 is what a table on demand has; the AWS provider does not send it: its documentation of " +
		"aws_dynamodb_table, read_capacity"
	noValidity = "0 is what the AWS provider takes for no value: its documentation of " +
		"aws_cognito_user_pool_client, access_token_validity"
)

var exceptions = []exception{
	{
		token: logGroupType, property: "logGroupClass", values: []string{"DELIVERY"},
		why: "younger than the model: CloudWatch Logs API reference, CreateLogGroup",
	},
	{
		token: poolClientType, property: "explicitAuthFlows[]", values: []string{"ALLOW_USER_AUTH"},
		why: "younger than the model: Amazon Cognito API reference, CreateUserPoolClient",
	},
	{
		token: recordType, property: "type", values: []string{"HTTPS", "SSHFP", "SVCB", "TLSA"},
		why: "younger than the model: Route 53 developer guide, Supported DNS record types",
	},
	{
		token: functionType, property: "reservedConcurrentExecutions", numbers: []float64{-1},
		why: "-1 is what the AWS provider has for no reservation: its documentation of aws_lambda_function",
	},
	{
		token: bucketVersioningType, property: "versioningConfiguration.status", values: []string{"Disabled"},
		why: "the AWS provider does not send it for a bucket without versions: its documentation of " +
			"aws_s3_bucket_versioning",
	},
	{
		token: poolDomainType, property: "domain", anyText: true,
		why: "a domain of one's own has dots: Amazon Cognito API reference, CreateUserPoolDomain, on Domain: " +
			"\"for custom domains, this is the fully-qualified domain name, such as auth.example.com\"",
	},
	{token: tableType, property: "readCapacity", numbers: []float64{0}, why: noCapacity},
	{token: tableType, property: "writeCapacity", numbers: []float64{0}, why: noCapacity},
	{token: tableType, property: "globalSecondaryIndexes.readCapacity", numbers: []float64{0}, why: noCapacity},
	{token: tableType, property: "globalSecondaryIndexes.writeCapacity", numbers: []float64{0}, why: noCapacity},
	{token: poolClientType, property: "accessTokenValidity", numbers: []float64{0}, why: noValidity},
	{token: poolClientType, property: "idTokenValidity", numbers: []float64{0}, why: noValidity},
}
