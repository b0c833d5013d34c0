package data

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
	"items-api/internal/localcloud/dynamodb"
	"items-api/stack"
)

// endpointPolicy changes the policy of the endpoint for DynamoDB.
func endpointPolicy(change func(string) string) pulumi.ResourceTransformation {
	return func(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
		props, ok := args.Props.(*ec2.VpcEndpointArgs)
		if !ok {
			return nil
		}
		props.Policy = props.Policy.ToStringPtrOutput().Elem().ApplyT(change).(pulumi.StringOutput)
		return &pulumi.ResourceTransformationResult{Props: props, Opts: args.Opts}
	}
}

// closed makes the rule that lets HTTPS out one for another port.
func closed(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
	props, ok := args.Props.(*vpc.SecurityGroupEgressRuleArgs)
	if !ok {
		return nil
	}
	props.FromPort, props.ToPort = pulumi.Int(80), pulumi.Int(80)
	return &pulumi.ResourceTransformationResult{Props: props, Opts: args.Opts}
}

func TestPrivateStackPassesItsEndpoint(t *testing.T) {
	t.Parallel()
	s := newSiteWith(t, func(settings *stack.Settings) { settings.Network.Private = true })
	c := s.caller(t, "alice")
	it := c.create("x")
	c.visit()
	if unused, denied := s.differences(t); len(unused)+len(denied) > 0 {
		t.Errorf("granted and never used: %v; used and not granted: %v", unused, denied)
	}

	s.deploy(t, endpointPolicy(func(policy string) string {
		return strings.ReplaceAll(policy, `"dynamodb:PutItem"`, `"dynamodb:ListTables"`)
	}))
	c = s.caller(t, "alice")
	c.send("GET", "/items/"+it.ID, nil).want(t, 200)
	denied := func(a answer) *dynamodb.Call {
		for i := range a.calls {
			if a.calls[i].Operation == "PutItem" && a.calls[i].ErrorCode == "AccessDeniedException" {
				return &a.calls[i]
			}
		}
		return nil
	}
	a := c.send("POST", "/items", api.ItemInput{Name: "y"})
	if a.Status < 500 || denied(a) == nil || denied(a).Denied != "" {
		t.Errorf(
			"without PutItem in the endpoint's policy a create got %d, and its calls are %+v",
			a.Status,
			a.calls,
		)
	}
	if _, denied := s.differences(t); len(denied) > 0 {
		t.Errorf("the roles are blamed for %v", denied)
	}

	s.deploy(t, closed)
	lost := s.caller(t, "alice").send("GET", "/items", nil)
	if lost.Status < 500 {
		t.Errorf("without a way out a list got %d %s", lost.Status, lost.Body)
	}
	reasons := 0
	for _, call := range s.observed(t, lost.Header.Get("Apigw-Requestid")).Calls {
		if strings.Contains(call.Unreachable, "no security group of the function lets HTTPS out") {
			reasons++
		}
	}
	if reasons == 0 {
		t.Error("no call says why there is no way")
	}
}
