package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"items-api/internal/localcloud/iam"
)

// What the creation of a resource refuses for its own inputs is refused in the
// preview too: these tests need nothing that a deployment has still to make.

// sized returns a test of a policy document and of its size, in characters
// without white space.
func sized(limit int) func(any) error {
	return func(v any) error {
		if err := policyDocument(v); err != nil {
			return err
		}
		s, _ := v.(string)
		if n := iam.Size([]byte(s)); n > limit {
			return fmt.Errorf(
				"LimitExceeded: it has %d characters without white space, more than the quota of %d",
				n,
				limit,
			)
		}
		return nil
	}
}

// functionURI tests that a URI leads to a function.
func functionURI(v any) error {
	uri, _ := v.(string)
	if !strings.Contains(uri, ":function:") || functionName(FunctionName(uri)) != nil {
		return errors.New("it must be the arn or the invokeArn of a function")
	}
	return nil
}

// ownDomain tests a domain of a user pool. Source: Cognito developer guide,
// "Using your own domain for managed login" and "Using the Cognito prefix domain".
func ownDomain(v any) error {
	s, _ := v.(string)
	prefix := !strings.Contains(s, ".") // a domain of one's own may have these words
	for _, reserved := range []string{"aws", "amazon", "cognito"} {
		if prefix && strings.Contains(s, reserved) {
			return fmt.Errorf("InvalidParameterException: Domain cannot contain reserved word: %s", reserved)
		}
	}
	return poolDomainName(v)
}

// logDestination tests that an access log goes to a log group.
func logDestination(v any) error {
	if s, _ := v.(string); !strings.Contains(s, ":log-group:") {
		return errors.New("it must be the ARN of a log group; Firehose streams are not supported locally")
	}
	return nil
}

// recordZone tests the id of a hosted zone.
func recordZone(v any) error {
	if s, _ := v.(string); !zoneID.MatchString(cleanZone(s)) {
		return fmt.Errorf("NoSuchHostedZone: No hosted zone found with ID: %s", s)
	}
	return nil
}

func checkSubnet(p *Provider, in values) []Failure {
	if in.has("availabilityZone") && in.has("availabilityZoneId") {
		return []Failure{
			{"availabilityZoneId", "only one of availabilityZone and availabilityZoneId may be given"},
		}
	}
	for _, name := range []string{"availabilityZone", "availabilityZoneId"} {
		if _, err := p.zone(values{name: in[name]}); err != nil {
			return []Failure{{name, err.Error()}}
		}
	}
	return nil
}

func checkAlias(_ *Provider, in values) []Failure {
	main := in.str("functionVersion")
	for other := range in.object("routingConfig").object("additionalVersionWeights") {
		switch main {
		case other:
			return []Failure{{"routingConfig.additionalVersionWeights", fmt.Sprintf(
				"InvalidParameterValueException: Invalid function version %s. "+
					"Function version %s is already included in routing configuration.", main, main)}}
		case latest:
			return []Failure{{"functionVersion", "InvalidParameterValueException: " +
				"$LATEST is not supported for an alias pointing to more than 1 version"}}
		}
	}
	return nil
}

func checkPermission(_ *Provider, in values) []Failure {
	if _, qualifier := permitted(in); qualifier == latest {
		return []Failure{{"qualifier", "InvalidParameterValueException: " +
			"We currently do not support adding policies for $LATEST."}}
	}
	return nil
}

func checkScopes(_ *Provider, in values) []Failure {
	kind, given := in["authorizationType"].(string)
	if given && kind != "JWT" && len(in.list("authorizationScopes")) > 0 {
		return []Failure{{"authorizationScopes", "BadRequestException: " +
			"Authorization scopes are only supported with authorization type JWT"}}
	}
	return nil
}

// checkReservation tests that a function alone does not reserve more than the
// account has.
func (p *Provider) checkReservation(in values) []Failure {
	n := int(in.number("reservedConcurrentExecutions"))
	if err := p.leavesEnough(in.str("name"), n, n); err != nil {
		return []Failure{{"reservedConcurrentExecutions", err.Error()}}
	}
	return nil
}

// checkPart tests a part of a bucket.
func checkPart(_ *Provider, in values) []Failure {
	var out []Failure
	if owner := in.str("expectedBucketOwner"); owner != "" && owner != Account {
		out = append(out, Failure{"expectedBucketOwner", fmt.Sprintf("AccessDenied: "+
			"buckets of the local cloud belong to %s, not to %s", Account, owner)})
	}
	bucket, text := in.str("bucket"), in.str("policy")
	policy, err := iam.ParseResource([]byte(text))
	if bucket == "" || text == "" || err != nil {
		return out
	}
	if err := ofItsBucket(policy, bucket); err != nil {
		out = append(out, Failure{"policy", err.Error()})
	}
	return out
}

// ofItsBucket tests that a policy speaks of its bucket and of what is in it.
func ofItsBucket(policy iam.Policy, bucket string) error {
	arn := bucketARN(bucket)
	for _, s := range policy.Statements {
		i := slices.IndexFunc(s.Resources, func(r string) bool {
			return r != arn && !strings.HasPrefix(r, arn+"/")
		})
		if i >= 0 {
			return fmt.Errorf("MalformedPolicy: Policy has invalid resource: %s is not of the bucket %s",
				s.Resources[i], bucket)
		}
	}
	return nil
}
