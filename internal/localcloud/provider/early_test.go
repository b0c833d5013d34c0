package provider

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

var errTaken = errors.New("the port 8080 is in use")

// TestWhatCreationRefusesForItsInputsIsRefusedInThePreview has inputs that once
// were refused in the middle of a deployment.
func TestWhatCreationRefusesForItsInputsIsRefusedInThePreview(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	long := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject",` +
		`"Resource":"arn:aws:s3:::` + strings.Repeat("x", maxInline) + `"}]}`
	sid := `"Sid":"` + strings.Repeat("x", maxTrustPolicy) + `","Effect"`
	trustLong := strings.Replace(trust, `"Effect"`, sid, 1)
	open := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"1"},"Action":"s3:*",` +
		`"Resource":"arn:aws:s3:::another/*"}]}`
	cases := []struct {
		token, property, want string
		in                    values
	}{
		{roleType, "assumeRolePolicy", "more than the quota of 2048", values{"assumeRolePolicy": trustLong}},
		{policyType, "policy", "more than the quota of 6144", values{"policy": long}},
		{rolePolicyType, "policy", "more than the quota of 10240", values{"role": "r", "policy": long}},
		{poolDomainType, "domain", "reserved word: aws", values{"domain": "my-aws"}},
		{subnetType, "availabilityZone", "has the zones", values{"availabilityZone": "us-east-1z"}},
		{recordType, "zoneId", "NoSuchHostedZone", values{"zoneId": "not a zone"}},
		{integrationType, "integrationUri", "of a function", values{"integrationUri": "https://example.com"}},
		{authorizerType, "authorizerUri", "of a function", values{"authorizerUri": "arn"}},
		{stageType, "accessLogSettings.destinationArn", "ARN of a log group", values{
			"accessLogSettings": map[string]any{
				"destinationArn": "arn:aws:firehose:us-east-1:000000000000:deliverystream/amazon-apigateway-x",
				"format":         "$context.requestId",
			},
		}},
		{permissionType, "qualifier", "policies for $LATEST", values{"qualifier": "$LATEST"}},
		{aliasType, "routingConfig.additionalVersionWeights", "already included", values{
			"functionVersion": "1",
			"routingConfig":   map[string]any{"additionalVersionWeights": map[string]any{"1": 0.5}},
		}},
		{routeType, "authorizationScopes", "only supported with authorization type JWT", values{
			"authorizationType":   "CUSTOM",
			"authorizationScopes": []any{"items/read"},
		}},
		{functionType, "reservedConcurrentExecutions", "may reserve at most 900",
			values{"reservedConcurrentExecutions": 901.0}},
		{bucketVersioningType, "expectedBucketOwner", "belong to 000000000000",
			values{"expectedBucketOwner": "123456789012"}},
		{bucketPolicyType, "policy", "is not of the bucket audit", values{"bucket": "audit", "policy": open}},
	}
	for _, c := range cases {
		typ := typeOf(t, c.token)
		_, failures := typ.check(s.p, nil, c.in, autonaming{resource: "x", random: "0123456789ab"})
		found := false
		for _, f := range failures {
			found = found || f.Property == c.property && strings.Contains(f.Reason, c.want)
		}
		if !found {
			t.Errorf("%s: got %.500v, want %q of %s", c.token, fmt.Sprint(failures), c.want, c.property)
		}
	}
}
