package components

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

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

// rolePolicy grants what the store calls and what logging needs. The only
// wildcard stands for the names of log streams, which Lambda makes up: one for
// each execution environment. Both the group and its streams are named, because
// the Service Authorization Reference gives the group for CreateLogStream and
// the stream for PutLogEvents.
func rolePolicy(tableARN, logGroupARN string) policyDocument {
	return policyDocument{policyVersion, []statement{
		{Sid: "Items", Effect: "Allow", Action: store.Actions(), Resource: []string{tableARN}},
		{Sid: "Logs", Effect: "Allow", Action: []string{"logs:CreateLogStream", "logs:PutLogEvents"},
			Resource: []string{logGroupARN, logGroupARN + ":log-stream:*"}},
	}}
}

func (r *RestAPI) addRole(ctx *pulumi.Context, name string, a RestAPIArgs) error {
	trusted, err := trust.json()
	if err != nil {
		return err
	}
	if r.role, err = iam.NewRole(ctx, name, &iam.RoleArgs{
		Description: pulumi.String("Runs the function of " + name), AssumeRolePolicy: pulumi.String(trusted), Tags: pulumi.ToStringMap(a.Tags),
	}, r.child()...); err != nil {
		return fmt.Errorf("creating the role: %w", err)
	}
	document := pulumi.All(r.table.Arn, r.functionLog.Arn).ApplyT(func(arns []any) (string, error) {
		return rolePolicy(arns[0].(string), arns[1].(string)).json()
	}).(pulumi.StringOutput)
	if r.policy, err = iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{Role: r.role.Name, Policy: document}, r.child()...); err != nil {
		return fmt.Errorf("creating the role's policy: %w", err)
	}
	return nil
}
