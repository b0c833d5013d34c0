// Package resources deploys, with the real engine, resources that have no data
// plane here: a private network, also as awsx composes it, a key and an audit
// trail; and a custom domain, which is asked for over HTTP.
package resources

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudtrail"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/e2e/engine"
	"items-api/internal/localcloud"
)

// network is a VPC 10.n.0.0/16 with a subnet in each of three zones, from which only
// DynamoDB can be reached.
func network(ctx *pulumi.Context, n int) error {
	v, err := ec2.NewVpc(ctx, "v", &ec2.VpcArgs{
		CidrBlock:          pulumi.Sprintf("10.%d.0.0/16", n),
		EnableDnsHostnames: pulumi.Bool(true),
	})
	if err != nil {
		return err
	}
	if _, err := ec2.NewDefaultSecurityGroup(
		ctx,
		"default",
		&ec2.DefaultSecurityGroupArgs{VpcId: v.ID()},
	); err != nil {
		return err
	}
	table, err := ec2.NewRouteTable(ctx, "table", &ec2.RouteTableArgs{VpcId: v.ID()})
	if err != nil {
		return err
	}
	zones, err := aws.GetAvailabilityZones(ctx, &aws.GetAvailabilityZonesArgs{})
	if err != nil {
		return err
	}
	for i, zone := range zones.Names[:3] {
		subnet, err := ec2.NewSubnet(ctx, zone, &ec2.SubnetArgs{
			VpcId:            v.ID(),
			CidrBlock:        pulumi.Sprintf("10.%d.%d.0/24", n, i),
			AvailabilityZone: pulumi.String(zone),
		})
		if err != nil {
			return err
		}
		if _, err := ec2.NewRouteTableAssociation(ctx, zone, &ec2.RouteTableAssociationArgs{
			RouteTableId: table.ID(),
			SubnetId:     subnet.ID(),
		}); err != nil {
			return err
		}
	}
	endpoint, err := ec2.NewVpcEndpoint(ctx, "dynamodb", &ec2.VpcEndpointArgs{
		VpcId:         v.ID(),
		ServiceName:   pulumi.String("com.amazonaws.us-east-1.dynamodb"),
		RouteTableIds: pulumi.StringArray{table.ID()},
	})
	if err != nil {
		return err
	}
	group, err := ec2.NewSecurityGroup(ctx, "group", &ec2.SecurityGroupArgs{VpcId: v.ID()})
	if err != nil {
		return err
	}
	_, err = vpc.NewSecurityGroupEgressRule(ctx, "rule", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: group.ID(),
		IpProtocol:      pulumi.String("tcp"),
		FromPort:        pulumi.Int(443),
		ToPort:          pulumi.Int(443),
		PrefixListId:    endpoint.PrefixListId,
	})
	return err
}

const account = "000000000000"

// encrypted is a key that CloudWatch Logs and CloudTrail may use, an alias of
// it and a log group.
func encrypted(ctx *pulumi.Context) (*kms.Key, error) {
	service := func(name string) string {
		return `{"Effect":"Allow","Principal":{"Service":"` + name + `"},"Action":["kms:Encrypt*","kms:Decrypt*","kms:GenerateDataKey*","kms:Describe*"],"Resource":"*"}`
	}
	key, err := kms.NewKey(ctx, "key", &kms.KeyArgs{
		EnableKeyRotation: pulumi.Bool(true),
		Policy: pulumi.String(`{"Version":"2012-10-17","Statement":[` +
			`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"kms:*","Resource":"*"},` +
			service("logs.us-east-1.amazonaws.com") + "," + service("cloudtrail.amazonaws.com") + `]}`),
	})
	if err != nil {
		return nil, err
	}
	if _, err := kms.NewAlias(ctx, "alias", &kms.AliasArgs{
		Name:        pulumi.String("alias/resources"),
		TargetKeyId: key.KeyId,
	}); err != nil {
		return nil, err
	}
	_, err = cloudwatch.NewLogGroup(ctx, "group", &cloudwatch.LogGroupArgs{KmsKeyId: key.Arn})
	return key, err
}

// audited is a bucket and a trail into it.
func audited(ctx *pulumi.Context, key *kms.Key) error {
	const trail = "arn:aws:cloudtrail:us-east-1:" + account + ":trail/audit"
	b, err := s3.NewBucketV2(ctx, "logs", nil)
	if err != nil {
		return err
	}
	_, err = s3.NewBucketVersioningV2(ctx, "logs", &s3.BucketVersioningV2Args{
		Bucket: b.Bucket,
		VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{
			Status: pulumi.String("Enabled"),
		},
	})
	if err != nil {
		return err
	}
	_, err = s3.NewBucketLifecycleConfigurationV2(ctx, "logs", &s3.BucketLifecycleConfigurationV2Args{
		Bucket: b.Bucket,
		Rules: s3.BucketLifecycleConfigurationV2RuleArray{
			s3.BucketLifecycleConfigurationV2RuleArgs{
				Id:         pulumi.String("old"),
				Status:     pulumi.String("Enabled"),
				Filter:     s3.BucketLifecycleConfigurationV2RuleFilterArgs{},
				Expiration: s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(365)},
			}},
	})
	if err != nil {
		return err
	}
	policy, err := s3.NewBucketPolicy(ctx, "logs", &s3.BucketPolicyArgs{
		Bucket: b.Bucket,
		Policy: pulumi.Sprintf(`{"Version":"2012-10-17","Statement":[`+
			`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"%[1]s","Condition":{"StringEquals":{"aws:SourceArn":"%[2]s"}}},`+
			`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"%[1]s/AWSLogs/%[3]s/*","Condition":{"StringEquals":{"aws:SourceArn":"%[2]s","s3:x-amz-acl":"bucket-owner-full-control"}}}]}`,
			b.Arn, trail, account),
	})
	if err != nil {
		return err
	}
	_, err = cloudtrail.NewTrail(ctx, "audit", &cloudtrail.TrailArgs{
		Name:         pulumi.String("audit"),
		S3BucketName: b.Bucket,
		KmsKeyId:     key.Arn,
	}, pulumi.DependsOn([]pulumi.Resource{policy}))
	return err
}

func program(n int) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		if err := network(ctx, n); err != nil {
			return err
		}
		key, err := encrypted(ctx)
		if err != nil {
			return err
		}
		return audited(ctx, key)
	}
}

// The engine finds the order in which the resources can be made, replaced and
// taken away: nothing is refused for what still refers to it.
func TestResourcesAreDeployedReplacedAndDestroyed(t *testing.T) {
	t.Parallel()
	port, err := engine.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	cloud := engine.Start(t, localcloud.Config{Port: port})
	up := func(n int) (auto.Stack, map[string]int) {
		t.Helper()
		s, err := cloud.Stack(t.Context(), "resources", program(n))
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Up(t.Context(), optup.SuppressProgress(), optup.SuppressOutputs())
		if err != nil {
			t.Fatal(err)
		}
		return s, *r.Summary.ResourceChanges
	}
	changes := func(m map[string]int) string {
		var out []string
		for _, op := range []string{"create", "update", "replace", "delete"} {
			if m[op] > 0 {
				out = append(out, fmt.Sprintf("%s %d", op, m[op]))
			}
		}
		return strings.Join(out, ", ")
	}
	// The stack itself is one of those created.
	if _, c := up(0); changes(c) != "create 21" {
		t.Errorf("the first deployment gave %s", changes(c))
	}
	stack, c := up(0)
	if changes(c) != "" {
		t.Errorf("the same program gave %s", changes(c))
	}
	if r, err := stack.Refresh(t.Context()); err != nil || changes(*r.Summary.ResourceChanges) != "" {
		t.Errorf("a refresh gave %v, %v", r.Summary.ResourceChanges, err)
	}
	stack, c = up(1)
	if changes(c) != "replace 12" {
		t.Errorf("another range gave %s", changes(c))
	}
	if _, err := stack.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
}
