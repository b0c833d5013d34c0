package awsx

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudtrail"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	sdk "github.com/pulumi/pulumi-awsx/sdk/v2/go/awsx/cloudtrail"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
)

const trailType = "awsx:cloudtrail:Trail"

var trailArguments = []string{
	"advancedEventSelectors",
	"enableLogFileValidation",
	"enableLogging",
	"eventSelectors",
	"includeGlobalServiceEvents",
	"insightSelectors",
	"isMultiRegionTrail",
	"isOrganizationTrail",
	"kmsKeyId",
	"name",
	"s3Bucket",
	"s3KeyPrefix",
	"snsTopicName",
	"tags",
}

// trailArgs are the supported arguments. All but the bucket are passed on to
// the trail.
type trailArgs struct {
	AdvancedEventSelectors     cloudtrail.TrailAdvancedEventSelectorArrayInput `pulumi:"advancedEventSelectors"`
	EnableLogFileValidation    pulumi.BoolPtrInput                             `pulumi:"enableLogFileValidation"`
	EnableLogging              pulumi.BoolPtrInput                             `pulumi:"enableLogging"`
	EventSelectors             cloudtrail.TrailEventSelectorArrayInput         `pulumi:"eventSelectors"`
	IncludeGlobalServiceEvents pulumi.BoolPtrInput                             `pulumi:"includeGlobalServiceEvents"`
	InsightSelectors           cloudtrail.TrailInsightSelectorArrayInput       `pulumi:"insightSelectors"`
	IsMultiRegionTrail         pulumi.BoolPtrInput                             `pulumi:"isMultiRegionTrail"`
	IsOrganizationTrail        pulumi.BoolPtrInput                             `pulumi:"isOrganizationTrail"`
	KMSKeyID                   pulumi.StringPtrInput                           `pulumi:"kmsKeyId"`
	Name                       pulumi.StringPtrInput                           `pulumi:"name"`
	Bucket                     *bucketArgs                                     `pulumi:"s3Bucket"`
	S3KeyPrefix                pulumi.StringPtrInput                           `pulumi:"s3KeyPrefix"`
	SNSTopicName               pulumi.StringPtrInput                           `pulumi:"snsTopicName"`
	Tags                       pulumi.StringMapInput                           `pulumi:"tags"`
}

type bucketArgs struct {
	Args     pulumi.MapInput `pulumi:"args"`
	Existing *struct {
		ARN  pulumi.StringPtrInput `pulumi:"arn"`
		Name pulumi.StringPtrInput `pulumi:"name"`
	} `pulumi:"existing"`
}

func (a trailArgs) check() error {
	switch {
	case a.Bucket == nil || a.Bucket.Args != nil || a.Bucket.Existing == nil:
		return errors.New(
			"the local cloud does not support that awsx makes the bucket of a trail: make it, and give " +
				"its ARN as s3Bucket.existing.arn",
		)
	case a.Bucket.Existing.Name != nil || a.Bucket.Existing.ARN == nil:
		return errors.New(
			"the local cloud does not support s3Bucket.existing.name, from which awsx makes an ARN that " +
				"is none: give s3Bucket.existing.arn",
		)
	}
	return nil
}

// writable is the policy that awsx gives the bucket of a trail.
func writable(arn string) (string, error) {
	type member map[string]any
	who := member{"Service": "cloudtrail.amazonaws.com"}
	data, err := json.Marshal(member{"Version": "2012-10-17", "Statement": []member{
		{
			"Sid":       "AWSCloudTrailAclCheck",
			"Effect":    "Allow",
			"Principal": who,
			"Action":    []string{"s3:GetBucketAcl"},
			"Resource":  []string{arn},
		},
		{
			"Sid":       "AWSCloudTrailWrite",
			"Effect":    "Allow",
			"Principal": who,
			"Action":    []string{"s3:PutObject"},
			"Resource":  []string{arn + "/*"},
			"Condition": member{"StringEquals": member{"s3:x-amz-acl": "bucket-owner-full-control"}},
		},
	}})
	return string(data), err
}

// bucketName returns the name in a bucket's ARN.
func bucketName(arn string) (string, error) {
	name, ok := strings.CutPrefix(arn, "arn:aws:s3:::")
	if !ok || name == "" || strings.ContainsAny(name, ":/") {
		return "", fmt.Errorf("%q is not the ARN of a bucket", arn)
	}
	return name, nil
}

func constructTrail(
	ctx *pulumi.Context,
	typ, name string,
	in provider.ConstructInputs,
	o pulumi.ResourceOption,
) (*provider.ConstructResult, error) {
	var a trailArgs
	if err := in.CopyTo(&a); err != nil {
		return nil, fmt.Errorf("reading the arguments: %w", err)
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	t := &sdk.Trail{}
	if err := ctx.RegisterComponentResource(typ, name, t, o); err != nil {
		return nil, err
	}
	arn := a.Bucket.Existing.ARN.ToStringPtrOutput().Elem()
	bucket := arn.ApplyT(bucketName).(pulumi.StringOutput)
	policy, err := s3.NewBucketPolicy(ctx, name, &s3.BucketPolicyArgs{
		Bucket: bucket,
		Policy: arn.ApplyT(writable).(pulumi.StringOutput),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, err
	}
	made, err := cloudtrail.NewTrail(ctx, name, &cloudtrail.TrailArgs{
		AdvancedEventSelectors:     a.AdvancedEventSelectors,
		EnableLogFileValidation:    a.EnableLogFileValidation,
		EnableLogging:              a.EnableLogging,
		EventSelectors:             a.EventSelectors,
		IncludeGlobalServiceEvents: a.IncludeGlobalServiceEvents,
		InsightSelectors:           a.InsightSelectors,
		IsMultiRegionTrail:         a.IsMultiRegionTrail,
		IsOrganizationTrail:        a.IsOrganizationTrail,
		KmsKeyId:                   a.KMSKeyID,
		Name:                       a.Name,
		S3BucketName:               bucket,
		S3KeyPrefix:                a.S3KeyPrefix,
		SnsTopicName:               a.SNSTopicName,
		Tags:                       a.Tags,
	}, pulumi.Parent(t), pulumi.DependsOn([]pulumi.Resource{policy}))
	if err != nil {
		return nil, err
	}
	t.Trail = made.ToTrailOutput()
	// awsx leaves out what it does not make.
	t.Bucket = pulumi.ToOutput((*s3.Bucket)(nil)).(s3.BucketOutput)
	t.LogGroup = pulumi.ToOutput((*cloudwatch.LogGroup)(nil)).(cloudwatch.LogGroupOutput)
	if err := ctx.RegisterResourceOutputs(t, pulumi.Map{}); err != nil {
		return nil, err
	}
	return provider.NewConstructResult(t)
}
