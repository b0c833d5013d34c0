package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// place is where the stack is deployed.
type place struct{ partition, region, account string }

// arn returns the ARN of a resource of a service.
func (p place) arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", p.partition, service, p.region, p.account, resource)
}

// root stands for the account and its administrators.
func (p place) root() string { return fmt.Sprintf("arn:%s:iam::%s:root", p.partition, p.account) }

// place asks where the stack is deployed. It is asked for what needs it only,
// so that other stacks look nothing up.
func (r *RestAPI) place(ctx *pulumi.Context) (place, error) {
	of := pulumi.Parent(r)
	who, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{}, of)
	if err != nil {
		return place{}, fmt.Errorf("asking for the account: %w", err)
	}
	region, err := aws.GetRegion(ctx, &aws.GetRegionArgs{}, of)
	if err != nil {
		return place{}, fmt.Errorf("asking for the region: %w", err)
	}
	partition, err := aws.GetPartition(ctx, &aws.GetPartitionArgs{}, of)
	if err != nil {
		return place{}, fmt.Errorf("asking for the partition: %w", err)
	}
	return place{partition.Partition, region.Name, who.AccountId}, nil
}
