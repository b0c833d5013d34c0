package components

import (
	"context"
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudtrail"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	awsx "github.com/pulumi/pulumi-awsx/sdk/v2/go/awsx/awsx"
	trail "github.com/pulumi/pulumi-awsx/sdk/v2/go/awsx/cloudtrail"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Audit chooses whether each read and write of the table is recorded.
type Audit struct {
	Enabled bool
	// RetentionDays is how long records are kept, 1 to MaxAuditDays; 365 if 0.
	RetentionDays int
}

func (a Audit) withDefaults() Audit {
	if a.RetentionDays == 0 {
		a.RetentionDays = 365
	}
	return a
}

// MaxAuditDays is a hundred years.
const MaxAuditDays = 36500

func (a Audit) check() error {
	if a.RetentionDays < 1 || a.RetentionDays > MaxAuditDays {
		return fmt.Errorf("Audit.RetentionDays must be from 1 to %d, not %d", MaxAuditDays, a.RetentionDays)
	}
	return nil
}

const (
	cloudTrail = "cloudtrail.amazonaws.com"
	// recoverDays is for how long a record that expired, or was overwritten or
	// deleted, can be brought back.
	recoverDays = 30
	// uploadDays is how long an upload may take.
	uploadDays = 7
)

// trailName is what CloudTrail takes for a trail's name, apart from its length:
// '.', '_' and '-' stand alone between others. Source: CloudTrail API reference,
// CreateTrail.
var trailName = regexp.MustCompile(`^[a-zA-Z0-9]+([._-][a-zA-Z0-9]+)*$`)

// checkName refuses names of stacks that cannot be part of a trail's, which AWS
// would do when the bucket is there.
func (a Audit) checkName(ctx *pulumi.Context, name string) error {
	if trail := global(ctx, name); a.Enabled && !trailName.MatchString(trail) {
		return fmt.Errorf(
			"Audit.Enabled makes the trail %s, and CloudTrail takes no name in which '-' or '_' stand "+
				"side by side: give the stack %s another name",
			trail,
			ctx.Stack(),
		)
	}
	return nil
}

// trailARN is known before the trail is made, since its name is given: the
// policies of bucket and key name it.
func trailARN(ctx *pulumi.Context, at place, name string) string {
	return at.arn("cloudtrail", "trail/"+global(ctx, name))
}

// auditPolicy lets this trail write to the bucket, and nobody use it without
// TLS. Source: CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail".
func auditPolicy(bucketARN, trail, account string) policyDocument {
	statementOf := func(sid, action, resource string, more map[string]string) statement {
		equals := map[string][]string{"aws:SourceArn": {trail}}
		for k, v := range more {
			equals[k] = []string{v}
		}
		return statement{
			Sid:       sid,
			Effect:    "Allow",
			Principal: &principal{Service: cloudTrail},
			Action:    []string{action},
			Resource:  []string{resource},
			Condition: map[string]map[string][]string{"StringEquals": equals},
		}
	}
	return policyDocument{
		policyVersion,
		[]statement{
			statementOf("AWSCloudTrailAclCheck", "s3:GetBucketAcl", bucketARN, nil),
			statementOf(
				"AWSCloudTrailWrite",
				"s3:PutObject",
				bucketARN+"/AWSLogs/"+account+"/*",
				map[string]string{"s3:x-amz-acl": "bucket-owner-full-control"},
			),
			{
				Sid:       "TLSOnly",
				Effect:    "Deny",
				Principal: &principal{AWS: []string{everybody}},
				Action:    []string{"s3:*"},
				Resource:  []string{bucketARN, bucketARN + "/*"},
				Condition: map[string]map[string][]string{"Bool": {"aws:SecureTransport": {"false"}}},
			},
		},
	}
}

// trailKeyStatements let this trail encrypt its files with the stack's key.
// Source: CloudTrail user guide, "Configure AWS KMS key policies for
// CloudTrail".
func trailKeyStatements(trail string) []statement {
	from := map[string][]string{"aws:SourceArn": {trail}}
	return []statement{
		{
			Sid:       "Trail",
			Effect:    "Allow",
			Principal: &principal{Service: cloudTrail},
			Action:    []string{"kms:GenerateDataKey*"},
			Resource:  []string{thisKey},
			Condition: map[string]map[string][]string{"StringEquals": {
				"aws:SourceArn": {trail},
				"kms:EncryptionContext:aws:cloudtrail:arn": {trail},
			}},
		},
		{
			Sid:       "TrailLooks",
			Effect:    "Allow",
			Principal: &principal{Service: cloudTrail},
			Action:    []string{"kms:DescribeKey"},
			Resource:  []string{thisKey},
			Condition: map[string]map[string][]string{"StringEquals": from},
		},
	}
}

// addAudit makes a trail that records what is done with the items of this
// table, and nothing else: management events would be recorded, and paid for,
// once more in most accounts.
func (r *RestAPI) addAudit(ctx *pulumi.Context, name string, a RestAPIArgs) error {
	if !a.Audit.Enabled {
		return nil
	}
	at, err := r.place(ctx)
	if err != nil {
		return err
	}
	bucket, parts, err := r.addAuditBucket(ctx, name+"-audit", a)
	if err != nil {
		return err
	}
	policy := bucket.Arn.ApplyT(func(arn string) (string, error) {
		return auditPolicy(arn, trailARN(ctx, at, name), at.account).json()
	}).(pulumi.StringOutput)
	is := func(field string, value pulumi.StringInput) cloudtrail.TrailAdvancedEventSelectorFieldSelectorInput {
		return cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs{
			Field:  pulumi.String(field),
			Equals: pulumi.StringArray{value},
		}
	}
	_, err = trail.NewTrail(ctx, name, &trail.TrailArgs{
		Name: pulumi.String(global(ctx, name)),
		// By its ARN: from a name awsx 2.22 makes an ARN that is none.
		S3Bucket: &awsx.RequiredBucketArgs{
			Existing: &awsx.ExistingBucketArgs{Arn: bucket.Arn},
		},
		EnableLogFileValidation:    pulumi.Bool(true),
		IncludeGlobalServiceEvents: pulumi.Bool(false),
		KmsKeyId:                   r.keyARN(),
		AdvancedEventSelectors: cloudtrail.TrailAdvancedEventSelectorArray{
			cloudtrail.TrailAdvancedEventSelectorArgs{
				Name: pulumi.String("Items of " + name),
				FieldSelectors: cloudtrail.TrailAdvancedEventSelectorFieldSelectorArray{
					is(
						"eventCategory",
						pulumi.String("Data"),
					),
					is("resources.type", pulumi.String("AWS::DynamoDB::Table")),
					is("resources.ARN", r.table.Arn),
				},
			},
		},
		Tags: pulumi.ToStringMap(a.Tags),
	}, append(r.child(parts...), pulumi.Transforms([]pulumi.ResourceTransform{bucketPolicy(policy, a.DeletionProtection)}))...)
	if err != nil {
		return fmt.Errorf("creating the trail: %w", err)
	}
	r.AuditBucket = bucket.Bucket
	return nil
}

// bucketPolicy puts our policy in the place of the one that awsx gives the
// bucket, which lets every trail of every account write to it, and keeps it
// with the bucket.
func bucketPolicy(policy pulumi.StringOutput, keep bool) pulumi.ResourceTransform {
	return func(_ context.Context, args *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
		if args.Type != "aws:s3/bucketPolicy:BucketPolicy" {
			return nil
		}
		args.Props["policy"] = policy
		args.Opts.RetainOnDelete = keep
		return &pulumi.ResourceTransformResult{Props: args.Props, Opts: args.Opts}
	}
}

// addAuditBucket makes the bucket of the records, with what protects them. It
// is never emptied; of a protected stack it stays when the trail goes.
func (r *RestAPI) addAuditBucket(
	ctx *pulumi.Context,
	name string,
	a RestAPIArgs,
) (*s3.BucketV2, []pulumi.Resource, error) {
	opts := func(after ...pulumi.Resource) []pulumi.ResourceOption {
		return append(r.child(after...), pulumi.RetainOnDelete(a.DeletionProtection))
	}
	bucket, err := s3.NewBucketV2(ctx, name, &s3.BucketV2Args{
		ForceDestroy: pulumi.Bool(false),
		Tags:         pulumi.ToStringMap(a.Tags),
	}, opts()...)
	if err != nil {
		return nil, nil, fmt.Errorf("creating the bucket %s: %w", name, err)
	}
	versioning, err := s3.NewBucketVersioningV2(ctx, name, &s3.BucketVersioningV2Args{
		Bucket: bucket.ID(),
		VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{
			Status: pulumi.String("Enabled"),
		},
	}, opts()...)
	if err != nil {
		return nil, nil, fmt.Errorf("keeping versions in the bucket %s: %w", name, err)
	}
	// The trail itself encrypts records with the stack's key. The default is for
	// what it writes without: digest files, of which it is not established that
	// the key's policy would let them in.
	sse := s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
		SseAlgorithm: pulumi.String("AES256"),
	}
	encryption, err := s3.NewBucketServerSideEncryptionConfigurationV2(
		ctx,
		name,
		&s3.BucketServerSideEncryptionConfigurationV2Args{
			Bucket: bucket.ID(),
			Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{
				s3.BucketServerSideEncryptionConfigurationV2RuleArgs{ApplyServerSideEncryptionByDefault: sse},
			},
		},
		opts()...)
	if err != nil {
		return nil, nil, fmt.Errorf("encrypting the bucket %s: %w", name, err)
	}
	private, err := s3.NewBucketPublicAccessBlock(ctx, name, &s3.BucketPublicAccessBlockArgs{
		Bucket:                bucket.ID(),
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, opts()...)
	if err != nil {
		return nil, nil, fmt.Errorf("closing the bucket %s: %w", name, err)
	}
	owner, err := s3.NewBucketOwnershipControls(ctx, name, &s3.BucketOwnershipControlsArgs{
		Bucket: bucket.ID(),
		Rule:   s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
	}, opts()...)
	if err != nil {
		return nil, nil, fmt.Errorf("taking the ownership of the bucket %s: %w", name, err)
	}
	life, err := s3.NewBucketLifecycleConfigurationV2(ctx, name, &s3.BucketLifecycleConfigurationV2Args{
		Bucket: bucket.ID(),
		Rules:  retentionRules(a.Audit.RetentionDays),
	}, opts(versioning)...)
	if err != nil {
		return nil, nil, fmt.Errorf("limiting the retention of the bucket %s: %w", name, err)
	}
	return bucket, []pulumi.Resource{versioning, encryption, private, owner, life}, nil
}

// retentionRules end the life of records, and of the markers that S3 leaves in
// their place, for which it wants a rule without days.
func retentionRules(days int) s3.BucketLifecycleConfigurationV2RuleArray {
	all := s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")}
	return s3.BucketLifecycleConfigurationV2RuleArray{
		s3.BucketLifecycleConfigurationV2RuleArgs{
			Id:     pulumi.String("retention"),
			Status: pulumi.String("Enabled"),
			Filter: all,
			Expiration: s3.BucketLifecycleConfigurationV2RuleExpirationArgs{
				Days: pulumi.Int(days),
			},
			NoncurrentVersionExpiration: s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
				NoncurrentDays: pulumi.Int(recoverDays),
			},
			AbortIncompleteMultipartUpload: s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
				DaysAfterInitiation: pulumi.Int(uploadDays),
			},
		},
		s3.BucketLifecycleConfigurationV2RuleArgs{
			Id:     pulumi.String("markers"),
			Status: pulumi.String("Enabled"),
			Filter: all,
			Expiration: s3.BucketLifecycleConfigurationV2RuleExpirationArgs{
				ExpiredObjectDeleteMarker: pulumi.Bool(true),
			},
		},
	}
}
