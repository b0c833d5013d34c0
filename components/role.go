package components

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
	"items-api/internal/store"
)

// policyDocument is an IAM policy as a typed struct.
type policyDocument struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Sid       string     `json:"Sid"`
	Effect    string     `json:"Effect"`
	Principal *principal `json:"Principal,omitempty"`
	Action    []string   `json:"Action"`
	Resource  []string   `json:"Resource,omitempty"`
	// Condition holds values by operator and key.
	Condition map[string]map[string][]string `json:"Condition,omitempty"`
}

type principal struct {
	Service string `json:"Service"`
}

const policyVersion = "2012-10-17"

func (d policyDocument) json() (string, error) {
	data, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("encoding a policy: %w", err)
	}
	return string(data), nil
}

var trust = policyDocument{policyVersion, []statement{{Sid: "AssumedByLambda", Effect: "Allow",
	Principal: &principal{"lambda.amazonaws.com"}, Action: []string{"sts:AssumeRole"}}}}

// itemStatement lets the function do what the store calls, with the records of
// owners: the records of API keys are out of its reach.
func itemStatement(tableARN string) statement {
	return statement{Sid: "Items", Effect: "Allow", Action: store.Actions(), Resource: []string{tableARN},
		Condition: map[string]map[string][]string{"ForAllValues:StringLike": {"dynamodb:LeadingKeys": {api.OwnerPartitions + "*"}}}}
}

// rolePolicy grants what a function calls and what logging needs. The only
// wildcard among the resources stands for the names of log streams, which
// Lambda makes up: one for each execution environment. Both the group and its
// streams are named, because the Service Authorization Reference gives the
// group for CreateLogStream and the stream for PutLogEvents.
func rolePolicy(own statement, logGroupARN string) policyDocument {
	return policyDocument{policyVersion, []statement{own,
		{Sid: "Logs", Effect: "Allow", Action: []string{"logs:CreateLogStream", "logs:PutLogEvents"},
			Resource: []string{logGroupARN, logGroupARN + ":log-stream:*"}},
	}}
}

// addFunctionRole makes the role of one function, which may do what own says
// of the table, and write its log.
func (r *RestAPI) addFunctionRole(ctx *pulumi.Context, name string, a RestAPIArgs, log *cloudwatch.LogGroup, own func(tableARN string) statement) (*iam.Role, *iam.RolePolicy, error) {
	trusted, err := trust.json()
	if err != nil {
		return nil, nil, err
	}
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Description: pulumi.String("Runs the function of " + name), AssumeRolePolicy: pulumi.String(trusted), Tags: pulumi.ToStringMap(a.Tags),
	}, r.child()...)
	if err != nil {
		return nil, nil, fmt.Errorf("creating the role %s: %w", name, err)
	}
	document := pulumi.All(r.table.Arn, log.Arn).ApplyT(func(arns []any) (string, error) {
		return rolePolicy(own(arns[0].(string)), arns[1].(string)).json()
	}).(pulumi.StringOutput)
	policy, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{Role: role.Name, Policy: document}, r.child()...)
	if err != nil {
		return nil, nil, fmt.Errorf("creating the policy of the role %s: %w", name, err)
	}
	return role, policy, nil
}

func (r *RestAPI) addRole(ctx *pulumi.Context, name string, a RestAPIArgs) (err error) {
	r.role, r.policy, err = r.addFunctionRole(ctx, name, a, r.functionLog, itemStatement)
	return err
}
