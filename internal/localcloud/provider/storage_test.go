package provider

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const trailARN = "arn:aws:cloudtrail:us-east-1:000000000000:trail/audit"

// trailPolicy is a bucket's policy as the CloudTrail user guide has it.
func trailPolicy(bucket, prefix, trail string) string {
	const statement = `{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"%s","Resource":"arn:aws:s3:::%s","Condition":{"StringEquals":{"aws:SourceArn":"%s"%s}}}`
	return `{"Version":"2012-10-17","Statement":[` + fmt.Sprintf(
		statement,
		"s3:GetBucketAcl",
		bucket,
		trail,
		"",
	) + "," +
		fmt.Sprintf(
			statement,
			"s3:PutObject",
			bucket+"/"+prefix+"AWSLogs/000000000000/*",
			trail,
			`,"s3:x-amz-acl":"bucket-owner-full-control"`,
		) + `]}`
}

// serviceKey is a key's policy that lets a service use it.
func serviceKey(service, condition string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"kms:*","Resource":"*"},
		{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":["kms:Encrypt*","kms:Decrypt*","kms:GenerateDataKey*"],"Resource":"*"` + condition + `},
		{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"kms:DescribeKey","Resource":"*"}]}`
}

func logsCondition(group string) string {
	return `,"Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"arn:aws:logs:us-east-1:000000000000:log-group:` + group + `"}}`
}

// audit is a bucket that the trail "audit" may write to, and one that it may not.
func audit(t *testing.T, s *Server) {
	t.Helper()
	create(t, s, bucketType, "b", props(map[string]any{"bucket": "audit-logs"}))
	create(t, s, bucketType, "other", props(map[string]any{"bucket": "other-logs"}))
	create(t, s, bucketPolicyType, "p", props(map[string]any{
		"bucket": "audit-logs",
		"policy": trailPolicy("audit-logs", "", trailARN),
	}))
}

func TestStorageResourcesLive(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	audit(t, s)
	create(t, s, bucketPolicyType, "o", props(map[string]any{
		"bucket": "other-logs",
		"policy": trailPolicy("other-logs", "p/", trailARN),
	}))
	key, _, _ := create(t, s, keyType, "k", props(map[string]any{}))
	second, _, _ := create(t, s, keyType, "k2", props(map[string]any{}))
	part := func(pairs ...any) map[string]any { return with(map[string]any{"bucket": "other-logs"}, pairs...) }
	rule := map[string]any{
		"id":         "old",
		"status":     "Enabled",
		"filter":     map[string]any{},
		"expiration": map[string]any{"days": 365},
	}
	elsewhere := map[string]any{"bucket": "audit-logs"}
	tagged := map[string]any{"tags": map[string]any{"a": "b"}}
	for name, l := range map[string]life{
		"bucket": {bucketType, map[string]any{"bucket": "fresh"}, tagged, map[string]any{
			"bucket":            "fresher",
			"objectLockEnabled": true,
		}},
		"versioning": {bucketVersioningType, part("versioningConfiguration", map[string]any{"status": "Enabled"}), map[string]any{"versioningConfiguration": map[string]any{"status": "Suspended"}}, elsewhere},
		"encryption": {bucketEncryptionType, part("rules", []any{map[string]any{"applyServerSideEncryptionByDefault": map[string]any{"sseAlgorithm": "AES256"}}}),
			map[string]any{"rules": []any{map[string]any{
				"bucketKeyEnabled": true,
				"applyServerSideEncryptionByDefault": map[string]any{
					"sseAlgorithm":   "aws:kms",
					"kmsMasterKeyId": key,
				},
			}}}, elsewhere},
		"lifecycle":    {bucketLifecycleType, part("rules", []any{rule}), map[string]any{"rules": []any{with(rule, "noncurrentVersionExpiration", map[string]any{"noncurrentDays": 30})}}, elsewhere},
		"public block": {bucketPublicBlockType, part("blockPublicAcls", true), map[string]any{"restrictPublicBuckets": true}, elsewhere},
		"ownership":    {bucketOwnershipType, part("rule", map[string]any{"objectOwnership": "BucketOwnerEnforced"}), map[string]any{"rule": map[string]any{"objectOwnership": "ObjectWriter"}}, elsewhere},
		"policy":       {bucketPolicyType, part("policy", trailPolicy("other-logs", "", trailARN)), map[string]any{"policy": trailPolicy("other-logs", "p/", trailARN)}, nil},
		"key": {keyType, map[string]any{"description": "x"}, map[string]any{
			"isEnabled":            false,
			"enableKeyRotation":    true,
			"deletionWindowInDays": 7,
		}, map[string]any{
			"keyUsage":    "SIGN_VERIFY",
			"multiRegion": true,
		}},
		"alias": {keyAliasType, map[string]any{
			"name":        "alias/x",
			"targetKeyId": key,
		}, map[string]any{"targetKeyId": second}, map[string]any{"name": "alias/y"}},
		"trail": {trailType, map[string]any{
			"name":         "audit",
			"s3BucketName": "audit-logs",
		}, map[string]any{
			"isMultiRegionTrail": true,
			"enableLogging":      false,
		}, map[string]any{"name": "another"}},
	} {
		t.Run(name, func(t *testing.T) { l.run(t, s) })
	}
}

func TestStorageOutputsLookLikeThoseOfAWS(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	audit(t, s)
	_, bucket, _ := create(t, s, bucketType, "Mixed", props(map[string]any{}))
	_, key, _ := create(t, s, keyType, "k", props(map[string]any{"enableKeyRotation": true}))
	regional, _, _ := create(t, s, keyType, "m", props(map[string]any{"multiRegion": true}))
	_, alias, _ := create(t, s, keyAliasType, "a", props(map[string]any{
		"name":        "alias/items",
		"targetKeyId": key.str("arn"),
	}))
	id, trail, _ := create(t, s, trailType, "audit", props(map[string]any{
		"name":         "audit",
		"s3BucketName": "audit-logs",
	}))
	name := bucket.str("bucket")
	for _, c := range []struct{ got, want string }{
		{name, "^mixed-[0-9a-f]{7}$"},
		{bucket.str("arn"), "^arn:aws:s3:::" + name + "$"},
		{bucket.str("bucketDomainName"), "^" + name + ".s3.amazonaws.com$"},
		{bucket.str("bucketRegionalDomainName"), "^" + name + ".s3.us-east-1.amazonaws.com$"},
		{bucket.str("hostedZoneId") + bucket.str("region"), "^Z3AQBSTGFYJSTFus-east-1$"},
		{key.str("keyId"), "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
		{key.str("arn"), "^arn:aws:kms:us-east-1:000000000000:key/" + key.str("keyId") + "$"},
		{key.str("policy"), `"AWS":"arn:aws:iam::000000000000:root"`},
		{fmt.Sprint(key.number("rotationPeriodInDays")), "^365$"},
		{regional, "^mrk-[0-9a-f]{32}$"},
		{alias.str("arn"), "^arn:aws:kms:us-east-1:000000000000:alias/items$"},
		{alias.str("targetKeyArn"), "^" + key.str("arn") + "$"},
		{id + trail.str("homeRegion"), "^" + trailARN + "us-east-1$"},
	} {
		if !regexp.MustCompile(c.want).MatchString(c.got) {
			t.Errorf("got %q, want %s", c.got, c.want)
		}
	}
}

func TestStorageInputsAreRefused(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	audit(t, s)
	key, ownKey, _ := create(t, s, keyType, "k", props(map[string]any{}))
	create(t, s, keyAliasType, "a", props(map[string]any{"name": "alias/taken", "targetKeyId": key}))
	create(t, s, trailType, "t", props(map[string]any{"name": "audit", "s3BucketName": "audit-logs"}))
	bucket := func(name string) map[string]any { return map[string]any{"bucket": name} }
	rule := map[string]any{"id": "x", "status": "Enabled", "expiration": map[string]any{"days": 1}}
	rules := func(l ...any) map[string]any { return with(bucket("audit-logs"), "rules", l) }
	policy := func(doc string) map[string]any { return with(bucket("audit-logs"), "policy", doc) }
	open := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::audit-logs/*"}]}`
	trail := map[string]any{"name": "second", "s3BucketName": "audit-logs"}
	for _, c := range []struct {
		token string
		in    map[string]any
		want  string
	}{
		{bucketType, bucket("ab"), "3 to 63"},
		{bucketType, bucket("Upper"), "lower-case"},
		{bucketType, bucket(strings.Repeat("a", 64)), "3 to 63"},
		{bucketType, bucket("a..b"), "two periods"},
		{bucketType, bucket("10.0.0.1"), "IP address"},
		{bucketType, bucket("xn--a"), "must not begin with"},
		{bucketType, bucket("a--x-s3"), "must not end with"},
		{bucketType, bucket("audit-logs"), "BucketAlreadyOwnedByYou"},
		{bucketType, with(bucket("fresh"), "versionings", []any{map[string]any{"enabled": true}}), `does not support the property "versionings" (give it as a resource of its own)`},
		{bucketType, with(bucket("fresh"), "acl", "private"), `does not support the property "acl"`},
		{bucketVersioningType, with(bucket("none"), "versioningConfiguration", map[string]any{"status": "Enabled"}), "NoSuchBucket: The specified bucket does not exist"},
		{bucketVersioningType, with(bucket("audit-logs"), "versioningConfiguration", map[string]any{"status": "On"}), "must be one of Disabled, Enabled, Suspended"},
		{bucketOwnershipType, with(bucket("audit-logs"), "rule", map[string]any{"objectOwnership": "Me"}), "must be one of BucketOwnerEnforced"},
		{bucketEncryptionType, with(rules(map[string]any{}), "expectedBucketOwner", "111111111111"), "AccessDenied"},
		{bucketEncryptionType, rules(map[string]any{"applyServerSideEncryptionByDefault": map[string]any{"sseAlgorithm": "DES"}}), "must be one of AES256"},
		{bucketLifecycleType, rules(), "1 to 1000 rules"},
		{bucketLifecycleType, rules(rule, rule), "stands twice"},
		{bucketLifecycleType, rules(with(rule, "expiration", nil)), "has no action"},
		{bucketLifecycleType, rules(with(rule, "prefix", "x", "filter", map[string]any{})), "either filter or prefix"},
		{bucketLifecycleType, rules(with(rule, "expiration", map[string]any{"date": "2030-01-31T10:00:00Z"})), "midnight"},
		{bucketLifecycleType, rules(with(rule, "transitions", []any{map[string]any{
			"days":         1,
			"storageClass": "COLD",
		}})), "must be one of DEEP_ARCHIVE, GLACIER"},
		{bucketPolicyType, policy("{"), "policy is invalid"},
		{bucketPolicyType, policy(`{"Version":"2012-10-17","Statement":[]}`), "no statement"},
		{bucketPolicyType, policy(trailPolicy("other-logs", "", trailARN)), "MalformedPolicy: Policy has " +
			"invalid resource"},
		{bucketPolicyType, policy(open), "blocked by the BlockPublicPolicy"},
		{keyType, map[string]any{"deletionWindowInDays": 6}, "from 7 to 30"},
		{keyType, map[string]any{"deletionWindowInDays": 31}, "from 7 to 30"},
		{keyType, map[string]any{"policy": "{}"}, "policy is invalid"},
		{keyType, map[string]any{"rotationPeriodInDays": 90}, "does not rotate"},
		{keyType, map[string]any{"customKeyStoreId": "x"}, `does not support the property "customKeyStoreId"`},
		{keyAliasType, map[string]any{"targetKeyId": key}, "give \"name\" explicitly"},
		{keyAliasType, map[string]any{"name": "x", "targetKeyId": key}, "an alias is alias/"},
		{keyAliasType, map[string]any{"name": "alias/aws/x", "targetKeyId": key}, "AWS's own keys"},
		{keyAliasType, map[string]any{
			"name":        "alias/x",
			"targetKeyId": "none",
		}, "NotFoundException: Key 'none' does not exist"},
		{keyAliasType, map[string]any{"name": "alias/taken", "targetKeyId": key}, "AlreadyExistsException"},
		{trailType, with(trail, "name", "a"), "3 to 128"},
		{trailType, with(trail, "name", "a--b"), "side by side"},
		{trailType, with(trail, "s3BucketName", "none"), "S3BucketDoesNotExistException"},
		{trailType, with(trail, "name", "audit"), "TrailAlreadyExistsException"},
		{trailType, with(trail, "isOrganizationTrail", true), "there are no organizations"},
		{trailType, with(trail, "snsTopicName", "x"), `does not support the property "snsTopicName"`},
		{trailType, with(trail, "cloudWatchLogsGroupArn", "arn:aws:logs:us-east-1:000000000000:log-group:x:*"), "go together"},
		{trailType, with(trail, "eventSelectors", []any{map[string]any{}}, "advancedEventSelectors", []any{}), "only one of eventSelectors"},
		{trailType, trail, "InsufficientS3BucketPolicyException: Incorrect S3 bucket policy is detected " +
			"for bucket: audit-logs"},
		{trailType, with(trail, "s3BucketName", "other-logs"), "InsufficientS3BucketPolicyException"},
		{logGroupType, map[string]any{
			"name":     "g",
			"kmsKeyId": ownKey.str("arn"),
		}, "AccessDeniedException: The specified KMS key does not exist or is not allowed to be used with " +
			"Arn 'arn:aws:logs:us-east-1:000000000000:log-group:g'"},
		{logGroupType, map[string]any{
			"name":     "g",
			"kmsKeyId": "arn:aws:kms:us-east-1:000000000000:key/none",
		}, "AccessDeniedException"},
	} {
		if got := refusal(t, s, c.token, c.in); !strings.Contains(got, c.want) {
			t.Errorf("%s %v: got %q, want %q", c.token, c.in, got, c.want)
		}
	}
	if got := refusal(
		t,
		s,
		bucketPublicBlockType,
		with(bucket("audit-logs"), "blockPublicPolicy", false),
	) + refusal(
		t,
		s,
		bucketPolicyType,
		policy(open),
	); got != "" {
		t.Errorf("an open policy of a bucket that does not block it gave %q", got)
	}
}

func TestTrailNeedsThePolicyOfItsPrefixAndKey(t *testing.T) {
	t.Parallel()
	const encrypts = `,"Condition":{"StringEquals":{"aws:SourceArn":"` + trailARN + `"},"StringLike":{"kms:EncryptionContext:aws:cloudtrail:arn":"arn:aws:cloudtrail:*:000000000000:trail/*"}}`
	trail := map[string]any{"name": "audit", "s3BucketName": "audit-logs"}
	for name, c := range map[string]struct {
		key  string // the policy, or "" for no key
		more []any
		want string
	}{
		"as documented":      {"", nil, ""},
		"another prefix":     {"", []any{"s3KeyPrefix", "p"}, "InsufficientS3BucketPolicyException"},
		"a key of others":    {"", []any{"kmsKeyId", "arn:aws:kms:us-east-1:111111111111:key/x"}, ""},
		"no such key":        {"", []any{"kmsKeyId", "arn:aws:kms:us-east-1:000000000000:key/x"}, "NotFoundException"},
		"with a key":         {serviceKey(cloudtrailService, encrypts), nil, ""},
		"a key for others":   {serviceKey("logs.amazonaws.com", ""), nil, "InsufficientEncryptionPolicyException: Insufficient permissions to access S3 bucket audit-logs or KMS key"},
		"a key to read with": {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:Decrypt","Resource":"*"}]}`, nil, "InsufficientEncryptionPolicyException"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := server(t)
			audit(t, s)
			in := with(trail, c.more...)
			if c.key != "" {
				_, key, _ := create(t, s, keyType, "k", props(map[string]any{"policy": c.key}))
				in["kmsKeyId"] = key.str("arn")
			}
			if got := refusal(
				t,
				s,
				trailType,
				in,
			); (c.want == "") != (got == "") ||
				!strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestBucketThatHadVersionsKeepsThem(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	audit(t, s)
	in := func(status string) map[string]any {
		return map[string]any{
			"bucket":                  "audit-logs",
			"versioningConfiguration": map[string]any{"status": status},
		}
	}
	id, out, inputs := create(t, s, bucketVersioningType, "x", props(in("Enabled")))
	news := checked(t, s, bucketVersioningType, "x", inputs, props(in("Disabled")))
	_, err := s.Update(t.Context(), &pulumirpc.UpdateRequest{
		Urn:  urn(bucketVersioningType, "x"),
		Id:   id,
		Olds: encode(t, toPulumi(out)),
		News: news,
	})
	if err == nil || !strings.Contains(err.Error(), "cannot be updated from 'Enabled' to 'Disabled'") {
		t.Errorf("got %v", err)
	}
}

func TestRegionHasFiveTrails(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	audit(t, s)
	for n := range maxTrails + 1 {
		name := fmt.Sprint("trail", n)
		arn := s.p.arn("cloudtrail", "trail/"+name)
		create(t, s, bucketPolicyType, "x", props(map[string]any{
			"bucket": "audit-logs",
			"policy": trailPolicy("audit-logs", "", arn),
		}))
		got := refusal(t, s, trailType, map[string]any{"name": name, "s3BucketName": "audit-logs"})
		if full := strings.Contains(got, "MaximumNumberOfTrailsExceededException"); full != (n == maxTrails) {
			t.Errorf("trail %d: got %q", n+1, got)
		}
	}
}
