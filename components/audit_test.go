package components

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/internals"

	"items-api/internal/api"
)

const (
	trailToken       = "awsx:cloudtrail:Trail"
	bucketToken      = "aws:s3/bucketV2:BucketV2"
	versioningToken  = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	sseToken         = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	accessBlockToken = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	ownershipToken   = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
	lifecycleToken   = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	testTrail        = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/items-api-test-items"
)

var bucketTokens = []string{
	bucketToken, versioningToken, sseToken, accessBlockToken, ownershipToken, lifecycleToken,
}

func withAudit(a Audit, key bool) *RestAPIArgs {
	args := withAuth(modes[api.AuthNone])
	args.Audit, args.Encryption.CustomerKey = a, key
	return args
}

func TestTrailRecordsTheItemsOfThisTableOnly(t *testing.T) {
	t.Parallel()
	both(t, withAudit(Audit{Enabled: true}, false), func(t *testing.T, r *recorder) {
		made := r.one(t, trailToken)
		if at(made, "name").StringValue() != "items-api-test-items" ||
			!at(made, "enableLogFileValidation").BoolValue() ||
			at(made, "includeGlobalServiceEvents").BoolValue() ||
			!at(made, "kmsKeyId").IsNull() {
			t.Errorf("got the trail %v", made)
		}
		selectors := at(made, "advancedEventSelectors").ArrayValue()
		if len(selectors) != 1 || !at(made, "eventSelectors").IsNull() {
			t.Fatalf("got the selectors %v", selectors)
		}
		got := map[string][]string{}
		for _, f := range at(selectors[0].ObjectValue(), "fieldSelectors").ArrayValue() {
			if n := len(f.ObjectValue()); n > 2 {
				t.Errorf("got the field %v", f)
			}
			field, equals := at(f.ObjectValue(), "field").StringValue(), at(f.ObjectValue(), "equals")
			if r.unknown && field == "resources.ARN" { // not known in a preview
				got[field] = []string{"unknown"}
				continue
			}
			got[field] = texts(equals)
		}
		want := map[string][]string{
			"eventCategory":  {"Data"},
			"resources.type": {"AWS::DynamoDB::Table"},
			"resources.ARN":  {"arn:aws:x:us-east-1:000000000000:items"},
		}
		if r.unknown {
			want["resources.ARN"] = []string{"unknown"}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the selectors (-want +got):\n%s", diff)
		}
		if !after(r.named(t, trailToken, "items"), tableToken, "items") {
			t.Error("the trail does not depend on the table")
		}
		for _, token := range bucketTokens {
			if !after(r.named(t, trailToken, "items"), token, "items-audit") && token != bucketToken {
				t.Errorf("the trail does not wait for %s", token)
			}
		}
		if !r.unknown &&
			at(
				made,
				"s3Bucket",
				"existing",
				"arn",
			).StringValue() != "arn:aws:x:us-east-1:000000000000:items-audit" ||
			!at(made, "s3Bucket", "existing", "name").IsNull() ||
			!at(made, "s3Bucket", "args").IsNull() {
			t.Errorf("got the bucket %v", at(made, "s3Bucket"))
		}
	})
}

func TestBucketOfRecordsIsClosedAndLimited(t *testing.T) {
	t.Parallel()
	for _, key := range []bool{false, true} {
		both(t, withAudit(Audit{Enabled: true, RetentionDays: 90}, key), func(t *testing.T, r *recorder) {
			if at(r.one(t, bucketToken), "forceDestroy").BoolValue() {
				t.Error("records are deleted with the bucket")
			}
			if at(
				r.one(t, versioningToken),
				"versioningConfiguration",
				"status",
			).StringValue() != "Enabled" ||
				at(
					r.one(t, ownershipToken),
					"rule",
					"objectOwnership",
				).StringValue() != "BucketOwnerEnforced" {
				t.Errorf("got %v and %v", r.one(t, versioningToken), r.one(t, ownershipToken))
			}
			for _, name := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
				if v := at(r.one(t, accessBlockToken), name); !v.IsBool() || !v.BoolValue() {
					t.Errorf("%s is %v", name, v)
				}
			}
			sse := at(
				at(r.one(t, sseToken), "rules").ArrayValue()[0].ObjectValue(),
				"applyServerSideEncryptionByDefault",
			).ObjectValue()
			if got := at(sse, "sseAlgorithm").StringValue(); got != "AES256" {
				t.Errorf("the bucket is encrypted by %s", got)
			}
			if v := at(
				r.one(t, trailToken),
				"kmsKeyId",
			); !r.unknown &&
				(key != v.IsString() || key && v.StringValue() != "arn:aws:x:us-east-1:000000000000:items") {
				t.Errorf("the trail has the key %v", v)
			}
			rules := at(r.one(t, lifecycleToken), "rules").ArrayValue()
			first := rules[0].ObjectValue()
			if len(rules) != 2 || at(first, "expiration", "days").NumberValue() != 90 ||
				at(first, "noncurrentVersionExpiration", "noncurrentDays").NumberValue() != 30 ||
				at(first, "abortIncompleteMultipartUpload", "daysAfterInitiation").NumberValue() != 7 ||
				!at(rules[1].ObjectValue(), "expiration", "expiredObjectDeleteMarker").BoolValue() {
				t.Errorf("got the rules %v", rules)
			}
			for _, token := range bucketTokens {
				if !r.named(t, token, "items-audit").RegisterRPC.GetRetainOnDelete() {
					t.Errorf("%s of a protected stack goes with the trail", token)
				}
			}
		})
	}
}

func TestBucketPolicyLetsThisTrailInOnly(t *testing.T) {
	t.Parallel()
	want := wanted(t, `{"Version":"2012-10-17","Statement":[
		{"Sid":"AWSCloudTrailAclCheck","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:GetBucketAcl"],"Resource":["arn:aws:s3:::b"],
			"Condition":{"StringEquals":{"aws:SourceArn":["arn:trail"]}}},
		{"Sid":"AWSCloudTrailWrite","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:PutObject"],"Resource":["arn:aws:s3:::b/AWSLogs/111122223333/*"],
			"Condition":{"StringEquals":{"aws:SourceArn":["arn:trail"],"s3:x-amz-acl":["bucket-owner-full-control"]}}},
		{"Sid":"TLSOnly","Effect":"Deny","Principal":{"AWS":["*"]},"Action":["s3:*"],"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],
			"Condition":{"Bool":{"aws:SecureTransport":["false"]}}}]}`)
	text, err := auditPolicy("arn:aws:s3:::b", "arn:trail", "111122223333").json()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, document(t, resource.NewStringProperty(text))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// awsx registers the bucket's policy; the engine asks this about each child.
func TestPolicyOfAWSXIsReplacedByOurs(t *testing.T) {
	t.Parallel()
	for _, keep := range []bool{true, false} {
		ours := pulumi.String("ours").ToStringOutput()
		ask := func(token string) *pulumi.ResourceTransformResult {
			return bucketPolicy(ours, keep)(t.Context(), &pulumi.ResourceTransformArgs{
				Type:  token,
				Props: pulumi.Map{"bucket": pulumi.String("b"), "policy": pulumi.String("of awsx")},
			})
		}
		if ask("aws:cloudtrail/trail:Trail") != nil {
			t.Error("the trail is changed")
		}
		got := ask("aws:s3/bucketPolicy:BucketPolicy")
		policy, err := internals.UnsafeAwaitOutput(t.Context(), got.Props["policy"].(pulumi.StringOutput))
		if err != nil {
			t.Fatal(err)
		}
		if policy.Value != "ours" || got.Props["bucket"] != pulumi.String("b") ||
			got.Opts.RetainOnDelete != keep {
			t.Errorf("got %v, %+v", policy.Value, got)
		}
	}
}

func TestKeyLetsTheTrailInWithAuditOnly(t *testing.T) {
	t.Parallel()
	sids := func(a Audit) string {
		var out []string
		for _, s := range document(t, at(compose(t, false, withAudit(a, true)).one(t, keyToken), "policy"))["Statement"].([]any) {
			out = append(out, s.(map[string]any)["Sid"].(string))
		}
		return strings.Join(out, " ")
	}
	if got := sids(Audit{}); got != "Account Functions Logs" {
		t.Errorf("without audit: %s", got)
	}
	if got := sids(Audit{Enabled: true}); got != "Account Functions Logs Trail TrailLooks" {
		t.Errorf("with audit: %s", got)
	}
	text, err := policyDocument{policyVersion, trailKeyStatements(testTrail)}.json()
	if err != nil {
		t.Fatal(err)
	}
	want := wanted(t, `{"Version":"2012-10-17","Statement":[
		{"Sid":"Trail","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["kms:GenerateDataKey*"],"Resource":["*"],
			"Condition":{"StringEquals":{"aws:SourceArn":["`+testTrail+`"],"kms:EncryptionContext:aws:cloudtrail:arn":["`+testTrail+`"]}}},
		{"Sid":"TrailLooks","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["kms:DescribeKey"],"Resource":["*"],
			"Condition":{"StringEquals":{"aws:SourceArn":["`+testTrail+`"]}}}]}`)
	if diff := cmp.Diff(want, document(t, resource.NewStringProperty(text))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWithoutAuditNothingOfItIsMade(t *testing.T) {
	t.Parallel()
	both(t, withAudit(Audit{}, false), func(t *testing.T, r *recorder) {
		for _, token := range append(bucketTokens, trailToken) {
			if n := len(r.all(token)); n > 0 {
				t.Errorf("%d of %s were registered", n, token)
			}
		}
		if r.lookups > 0 {
			t.Errorf("%d things were looked up", r.lookups)
		}
	})
}

func TestNamesThatNoTrailMayHaveRegisterNothing(t *testing.T) {
	t.Parallel()
	for stack, ok := range map[string]bool{
		"pr-12":  true,
		"pr.12":  true,
		"pr_12":  true,
		"pr-":    false,
		"-pr":    false,
		"pr--12": false,
		"pr_-12": false,
		"pr.-12": false,
	} {
		for _, enabled := range []bool{true, false} {
			r := &recorder{}
			err := pulumi.RunErr(func(ctx *pulumi.Context) error {
				_, err := NewRestAPI(ctx, "items", withAudit(Audit{Enabled: enabled}, false))
				return err
			}, pulumi.WithMocks("items-api", stack, r))
			if refused := err != nil &&
				strings.Contains(
					err.Error(),
					"give the stack "+stack+" another name",
				); refused != (enabled && !ok) ||
				refused == (len(r.all(trailToken)) > 0) && enabled {
				t.Errorf(
					"%s, enabled: %v: got %v, and %d trails",
					stack,
					enabled,
					err,
					len(r.all(trailToken)),
				)
			}
		}
	}
}

func TestBadRetentionRegistersNothing(t *testing.T) {
	t.Parallel()
	refused(
		t,
		"Audit.RetentionDays must be from 1 to 36500, not -1",
		withAudit(Audit{RetentionDays: -1}, false),
	)
}
