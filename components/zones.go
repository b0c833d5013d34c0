package components

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// lambdaMissing are the ids of zones in which Lambda has no functions. It says
// "The provided subnets contain availability zone Lambda doesn't support" of
// them (keboola/developer-portal#81). AWS lists none for Lambda: use1-az3 is the
// oldest zone of us-east-1, which other services name as one that they do not
// use (RDS Proxy, MSK, Fargate on ARM64). Any other can be avoided by name.
var lambdaMissing = []string{"use1-az3"}

// zones returns the zones of the network: those that are named, or those that it
// has and, where it has fewer, others that work. A zone that fails for a while
// does not take the network's subnets away: functions are in them.
//
// Local Zones that the account has opted in to are left out. awsx would take
// them, first even, as their names come before those of the region's own zones,
// and Lambda has no functions there. Source: pulumi/pulumi-awsx#1365.
func (r *RestAPI) zones(ctx *pulumi.Context, n Network) ([]string, error) {
	if len(n.ZoneNames) > 0 {
		return n.ZoneNames, nil
	}
	chosen := slices.Clone(n.Existing[:min(n.Zones, len(n.Existing))])
	if len(chosen) == n.Zones {
		return chosen, nil
	}
	found, err := aws.GetAvailabilityZones(ctx, &aws.GetAvailabilityZonesArgs{
		State:          pulumi.StringRef("available"),
		ExcludeZoneIds: lambdaMissing,
		Filters: []aws.GetAvailabilityZonesFilter{
			{Name: "opt-in-status", Values: []string{"opt-in-not-required"}},
		},
	}, pulumi.Parent(r))
	if err != nil {
		return nil, fmt.Errorf("asking for the availability zones: %w", err)
	}
	for _, name := range found.Names {
		if len(chosen) < n.Zones && !slices.Contains(chosen, name) {
			chosen = append(chosen, name)
		}
	}
	if len(chosen) < n.Zones {
		return nil, fmt.Errorf(
			"the region has %d availability zones for this account that work and that Lambda takes, and "+
				"Network.Zones is %d: "+
				"lower it, or choose another region",
			len(chosen),
			n.Zones,
		)
	}
	return chosen, nil
}
