package provider

// An exception is where the service, or the AWS provider before it, takes what
// the model does not: the models are of July 2024, when version 1 of the SDK
// got its last.
type exception struct {
	token, property string
	values          []string  // texts that are taken besides the model's
	numbers         []float64 // numbers outside of the model's bounds
	anyText         bool      // the model's pattern does not hold
	empty           bool      // a text may be empty, whatever the model's minimum
	why             string    // with the source
}

const (
	noCapacity = "0 is what a table on demand has; the AWS provider does not send it: its documentation of " +
		"aws_dynamodb_table, read_capacity"
	noValidity = "0 is what the AWS provider takes for no value: its documentation of " +
		"aws_cognito_user_pool_client, access_token_validity"
)

// oldRegions are the names of regions in the models' patterns, and regions what
// has become of them: there are regions such as us-iso-east-1 and
// eusc-de-east-1. Source: Lambda API reference, CreateFunction, on FunctionName.
const (
	oldRegions = `[a-z]{2}(-gov)?-[a-z]+-\d{1}`
	regions    = `(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}`
)

// emptyTag is of tests that the AWS provider runs against AWS itself.
const emptyTag = "AWS takes tags without a value here: the acceptance tests of the AWS provider, " +
	"TestAccAPIGatewayV2API_tags_EmptyTag_OnCreate and its likes"

var exceptions = []exception{
	{token: apiType, property: "tags{value}", empty: true, why: emptyTag},
	{token: stageType, property: "tags{value}", empty: true, why: emptyTag},
	{token: domainType, property: "tags{value}", empty: true, why: emptyTag},
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
		token:    poolDomainType,
		property: "domain",
		anyText:  true,
		why: "a domain of one's own has dots: Amazon Cognito API reference, CreateUserPoolDomain, on Domain: " +
			"\"for custom domains, this is the fully-qualified domain name, such as auth.example.com\"",
	},
	{token: tableType, property: "readCapacity", numbers: []float64{0}, why: noCapacity},
	{token: tableType, property: "writeCapacity", numbers: []float64{0}, why: noCapacity},
	{
		token:    tableType,
		property: "globalSecondaryIndexes.readCapacity",
		numbers:  []float64{0},
		why:      noCapacity,
	},
	{
		token:    tableType,
		property: "globalSecondaryIndexes.writeCapacity",
		numbers:  []float64{0},
		why:      noCapacity,
	},
	{token: poolClientType, property: "accessTokenValidity", numbers: []float64{0}, why: noValidity},
	{token: poolClientType, property: "idTokenValidity", numbers: []float64{0}, why: noValidity},
}
