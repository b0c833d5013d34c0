package provider

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"items-api/internal/localcloud/iam"
	"items-api/internal/localcloud/state"
)

const (
	trailType = "aws:cloudtrail/trail:Trail"

	cloudtrailService = "cloudtrail.amazonaws.com"
	noEvents          = "no events are recorded locally"
	// maxTrails is the number of trails in a region. Source: CloudTrail user
	// guide, "Quotas".
	maxTrails = 5
)

func cloudtrailTypes() []*Type {
	return []*Type{{
		Token:      trailType,
		Properties: trailProperties(),
		Outputs:    []string{"arn", "homeRegion", "snsTopicArn", "tagsAll"},
		Name:       "name",
		NameMax:    128,
		Check:      checkTrail,
		Create: func(_ context.Context, p *Provider, in values) (state.Record, error) {
			arn := p.arn("cloudtrail", "trail/"+in.str("name"))
			trails := p.Store.List(trailType)
			for _, t := range trails {
				if t.ID == arn {
					return state.Record{}, fmt.Errorf(
						"TrailAlreadyExistsException: the trail %s exists already",
						in.str("name"),
					)
				}
			}
			if len(trails) >= maxTrails {
				return state.Record{}, fmt.Errorf(
					"MaximumNumberOfTrailsExceededException: there are %d trails in %s already",
					len(trails),
					p.Region,
				)
			}
			rec := state.Record{ID: arn, Properties: base(in)}
			rec.Properties["arn"], rec.Properties["homeRegion"] = arn, p.Region
			rec.Properties["snsTopicArn"], rec.Properties["tagsAll"] = "", tagsOf(in)
			return rec, p.trailFits(arn, in)
		},
		Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
			return renewed(p.types[trailType], old, in), p.trailFits(old.ID, in)
		},
		Volatile: volatileTags,
	}}
}

func trailProperties() []Property {
	list := func(name string) Property {
		return Property{
			Name:  name,
			Kind:  List,
			Elem:  String,
			Level: Recorded,
		}
	}
	flag := func(name string, value bool) Property {
		return Property{
			Name:    name,
			Kind:    Bool,
			Level:   Recorded,
			Default: value,
			Note:    noEvents,
		}
	}
	return []Property{
		{
			Name:  "advancedEventSelectors",
			Kind:  List,
			Level: Recorded,
			Note:  noEvents,
			Fields: []Property{
				{
					Name:     "fieldSelectors",
					Kind:     Set,
					Level:    Recorded,
					Required: true,
					Fields: []Property{
						list("endsWiths"), list("equals"),
						{
							Name:     "field",
							Kind:     String,
							Level:    Recorded,
							Required: true,
							Check: oneOf(
								"eventCategory",
								"eventName",
								"eventSource",
								"eventType",
								"readOnly",
								"resources.ARN",
								"resources.type",
								"sessionCredentialFromConsole",
								"userIdentity.arn",
								"vpcEndpointId",
							),
						},
						list("notEndsWiths"), list("notEquals"), list("notStartsWiths"), list("startsWiths"),
					},
				},
				{
					Name:  "name",
					Kind:  String,
					Level: Recorded,
				},
			},
		},
		{
			Name:  "cloudWatchLogsGroupArn",
			Kind:  String,
			Level: Recorded,
			Note:  noEvents,
		},
		{
			Name:  "cloudWatchLogsRoleArn",
			Kind:  String,
			Level: Recorded,
			Note:  noEvents,
		},
		flag("enableLogFileValidation", false),
		flag("enableLogging", true),
		{
			Name:  "eventSelectors",
			Kind:  List,
			Level: Recorded,
			Note:  noEvents,
			Check: func(v any) error {
				if l, _ := v.([]any); len(l) > 5 {
					return fmt.Errorf("there must be at most 5 selectors, not %d", len(l))
				}
				return nil
			},
			Fields: []Property{
				{
					Name:  "dataResources",
					Kind:  List,
					Level: Recorded,
					Fields: []Property{
						{
							Name:     "type",
							Kind:     String,
							Level:    Recorded,
							Required: true,
							Check: oneOf(
								"AWS::S3::Object",
								"AWS::Lambda::Function",
								"AWS::DynamoDB::Table",
							),
						},
						{
							Name:     "values",
							Kind:     List,
							Elem:     String,
							Level:    Recorded,
							Required: true,
						},
					},
				},
				{
					Name:  "excludeManagementEventSources",
					Kind:  Set,
					Elem:  String,
					Level: Recorded,
				},
				{
					Name:    "includeManagementEvents",
					Kind:    Bool,
					Level:   Recorded,
					Default: true,
				},
				{
					Name:    "readWriteType",
					Kind:    String,
					Level:   Recorded,
					Default: "All",
				},
			},
		},
		flag("includeGlobalServiceEvents", true),
		{
			Name:  "insightSelectors",
			Kind:  Set,
			Level: Recorded,
			Note:  noEvents,
			Fields: []Property{
				{
					Name:     "insightType",
					Kind:     String,
					Level:    Recorded,
					Required: true,
				}},
		},
		flag("isMultiRegionTrail", false),
		{
			Name:    "isOrganizationTrail",
			Kind:    Bool,
			Level:   Recorded,
			Default: false,
			Only:    []any{false},
			Note:    "there are no organizations",
		},
		{
			Name:  "kmsKeyId",
			Kind:  String,
			Level: Enforced,
			Note:  "a key of this account must exist, and its policy must let CloudTrail use it",
			Check: matching(regexp.MustCompile(`^arn:`), "it must be the ARN of a key"),
		},
		{
			Name:    "name",
			Kind:    String,
			Level:   Enforced,
			Replace: true,
			Check:   trailName,
		},
		{
			Name:     "s3BucketName",
			Kind:     String,
			Level:    Enforced,
			Required: true,
			Note:     "the bucket must exist, and its policy must let CloudTrail write",
		},
		{
			Name:  "s3KeyPrefix",
			Kind:  String,
			Level: Enforced,
			Check: length(0, 200),
		},
		refused("snsTopicName", String, "there are no topics"),
		tags(),
	}
}

var (
	trailPattern = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{1,126}[a-zA-Z0-9]$`)
	trailTwice   = regexp.MustCompile(`[._-]{2}`)
)

// trailName: source, CloudTrail API reference, CreateTrail.
func trailName(v any) error {
	s, _ := v.(string)
	if !trailPattern.MatchString(s) || trailTwice.MatchString(s) {
		return fmt.Errorf(
			"a trail's name has 3 to 128 letters, digits, '.', '_' or '-', of which the last three do not " +
				"stand first, last or side by side",
		)
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return fmt.Errorf("a trail's name must not look like an IP address")
	}
	return nil
}

func checkTrail(_ *Provider, in values) []Failure {
	var out []Failure
	if in.has("eventSelectors") && in.has("advancedEventSelectors") {
		out = append(
			out,
			Failure{
				"advancedEventSelectors",
				"only one of eventSelectors and advancedEventSelectors may be given",
			},
		)
	}
	if in.has("cloudWatchLogsGroupArn") != in.has("cloudWatchLogsRoleArn") {
		out = append(
			out,
			Failure{"cloudWatchLogsRoleArn", "cloudWatchLogsGroupArn and cloudWatchLogsRoleArn go together"},
		)
	}
	if arn, ok := in["cloudWatchLogsGroupArn"].(string); ok && !strings.HasSuffix(arn, ":*") {
		out = append(
			out,
			Failure{"cloudWatchLogsGroupArn", "CloudTrail wants the ARN of a log group with :* at its end"},
		)
	}
	return out
}

// trailFits tests a trail's bucket and key as CloudTrail does when it is told
// of them: they exist, and their policies let it write what it will write.
// Source: CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail" and
// "Configure AWS KMS key policies for CloudTrail".
func (p *Provider) trailFits(trail string, in values) error {
	bucket := in.str("s3BucketName")
	if _, err := p.Store.Get(bucketType, bucket); err != nil {
		return fmt.Errorf("S3BucketDoesNotExistException: the bucket %s does not exist", bucket)
	}
	policy, err := p.bucketPolicy(bucket)
	if err != nil {
		return fmt.Errorf("reading the policy of the bucket %s: %w", bucket, err)
	}
	context := map[string][]string{
		"aws:sourcearn":       {trail},
		"aws:sourceaccount":   {Account},
		"aws:securetransport": {"true"},
	}
	lets := func(action, resource string) bool {
		return policy.AllowsService(cloudtrailService, iam.Request{
			Action:   action,
			Resource: resource,
			Context:  context,
		})
	}
	mayRead := lets("s3:GetBucketAcl", bucketARN(bucket))
	object := bucketARN(bucket) + "/"
	if prefix := in.str("s3KeyPrefix"); prefix != "" {
		object += prefix + "/"
	}
	context["s3:x-amz-acl"] = []string{"bucket-owner-full-control"}
	if !mayRead || !lets("s3:PutObject", object+"AWSLogs/"+Account+"/CloudTrail") {
		return fmt.Errorf(
			"InsufficientS3BucketPolicyException: Incorrect S3 bucket policy is detected for bucket: %s: "+
				"it must let %s s3:GetBucketAcl on the bucket and s3:PutObject on %sAWSLogs/%s/* "+
				"for the trail %s",
			bucket,
			cloudtrailService,
			object,
			Account,
			trail,
		)
	}
	key, own, err := p.ownKey(in.str("kmsKeyId"))
	if err != nil {
		return fmt.Errorf("kmsKeyId: %w", err)
	}
	delete(context, "s3:x-amz-acl")
	if own {
		described := keyLets(key, cloudtrailService, context, "kms:DescribeKey")
		context["kms:encryptioncontext:aws:cloudtrail:arn"] = []string{trail}
		if !described || !keyLets(key, cloudtrailService, context, "kms:GenerateDataKey") {
			return fmt.Errorf(
				"InsufficientEncryptionPolicyException: Insufficient permissions to access S3 bucket %s "+
					"or KMS key %s.",
				bucket,
				in.str("kmsKeyId"),
			)
		}
	}
	return nil
}
