package resources

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	awsec2 "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-awsx/sdk/v2/go/awsx/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/e2e/engine"
	"items-api/internal/localcloud"
)

// vpcProgram composes a VPC and exports what a program asks of it.
func vpcProgram(args *ec2.VpcArgs) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		v, err := ec2.NewVpc(ctx, "net", args)
		if err != nil {
			return err
		}
		ctx.Export("vpcId", v.VpcId)
		ctx.Export("vpc", v.Vpc.CidrBlock())
		ctx.Export("subnets", v.IsolatedSubnetIds)
		ctx.Export("gateway", v.InternetGateway.VpcId())
		ctx.Export("layout", v.SubnetLayout.Index(pulumi.Int(0)).Type())
		ctx.Export("tables", v.RouteTables.ApplyT(func(all []*awsec2.RouteTable) pulumi.StringArrayOutput {
			var ids pulumi.StringArray
			for _, t := range all {
				ids = append(ids, t.ID().ToStringOutput())
			}
			return ids.ToStringArrayOutput()
		}))
		return nil
	}
}

func isolated(zones int) *ec2.VpcArgs {
	auto := ec2.SubnetAllocationStrategyAuto
	return &ec2.VpcArgs{
		NumberOfAvailabilityZones: &zones,
		SubnetStrategy:            &auto,
		SubnetSpecs:               []ec2.SubnetSpecArgs{{Type: ec2.SubnetTypeIsolated}},
		NatGateways:               &ec2.NatGatewayConfigurationArgs{Strategy: ec2.NatGatewayStrategyNone},
		Tags:                      pulumi.StringMap{"a": pulumi.String("b")},
	}
}

// registered returns the URNs that the engine knows, after the stack's name.
func registered(t *testing.T, s auto.Stack) []string {
	t.Helper()
	exported, err := s.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var state struct{ Resources []struct{ URN string } }
	if err := json.Unmarshal(exported.Deployment, &state); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range state.Resources {
		if urn := r.URN[strings.LastIndex(r.URN, "tests::")+len("tests::"):]; strings.HasPrefix(
			urn,
			"awsx:",
		) {
			out = append(out, urn)
		}
	}
	slices.Sort(out)
	return out
}

func TestVpcOfAWSXIsComposedUnderItsNames(t *testing.T) {
	t.Parallel()
	cloud := engine.Start(t, localcloud.Config{})
	s, err := cloud.Stack(t.Context(), "vpc", vpcProgram(isolated(2)))
	if err != nil {
		t.Fatal(err)
	}
	up, err := s.Up(t.Context(), optup.SuppressProgress(), optup.SuppressOutputs())
	if err != nil {
		t.Fatal(err)
	}
	const in = "awsx:ec2:Vpc"
	want := []string{
		in + "$aws:ec2/vpc:Vpc$aws:ec2/internetGateway:InternetGateway::net",
		in + "$aws:ec2/vpc:Vpc$aws:ec2/subnet:Subnet$aws:ec2/routeTable:RouteTable$aws:ec2/routeTableAssociation:RouteTableAssociation::net-isolated-1",
		in + "$aws:ec2/vpc:Vpc$aws:ec2/subnet:Subnet$aws:ec2/routeTable:RouteTable$aws:ec2/routeTableAssociation:RouteTableAssociation::net-isolated-2",
		in + "$aws:ec2/vpc:Vpc$aws:ec2/subnet:Subnet$aws:ec2/routeTable:RouteTable::net-isolated-1",
		in + "$aws:ec2/vpc:Vpc$aws:ec2/subnet:Subnet$aws:ec2/routeTable:RouteTable::net-isolated-2",
		in + "$aws:ec2/vpc:Vpc$aws:ec2/subnet:Subnet::net-isolated-1",
		in + "$aws:ec2/vpc:Vpc$aws:ec2/subnet:Subnet::net-isolated-2",
		in + "$aws:ec2/vpc:Vpc::net",
		in + "::net",
	}
	if diff := cmp.Diff(want, registered(t, s)); diff != "" {
		t.Errorf("the engine knows (-want +got):\n%s", diff)
	}
	for name, prefix := range map[string]string{"subnets": "subnet-", "tables": "rtb-"} {
		ids, _ := up.Outputs[name].Value.([]any)
		if len(ids) != 2 ||
			slices.ContainsFunc(
				ids,
				func(v any) bool { id, ok := v.(string); return !ok || !strings.HasPrefix(id, prefix) },
			) {
			t.Errorf("%s is %v", name, up.Outputs[name].Value)
		}
	}
	if up.Outputs["vpc"].Value != "10.0.0.0/16" || up.Outputs["gateway"].Value != up.Outputs["vpcId"].Value ||
		up.Outputs["layout"].Value != "Isolated" {
		t.Errorf("got %v", up.Outputs)
	}
	again, err := s.Up(t.Context(), optup.SuppressProgress(), optup.SuppressOutputs())
	if err != nil {
		t.Fatal(err)
	}
	if changes := *again.Summary.ResourceChanges; len(changes) != 1 || changes["same"] == 0 {
		t.Errorf("the same program changed %v", changes)
	}
	if _, err := s.Destroy(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNotComposedIsRefusedByName(t *testing.T) {
	t.Parallel()
	cloud := engine.Start(t, localcloud.Config{})
	pool := isolated(2)
	pool.Ipv4IpamPoolId = pulumi.String("pool")
	public := isolated(2)
	public.SubnetSpecs[0].Type = ec2.SubnetTypePublic
	for want, args := range map[string]*ec2.VpcArgs{
		"ipv4IpamPoolId":             pool,
		"subnetSpecs[0].type Public": public,
	} {
		s, err := cloud.Stack(t.Context(), strings.ToLower(want[:6]), vpcProgram(args))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Up(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
		if urns := registered(t, s); len(urns) > 0 {
			t.Errorf("%s: %v was registered", want, urns)
		}
	}
}
