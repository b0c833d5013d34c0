package components

import (
	"encoding/json"
	"fmt"
	"slices"

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
	Service string   `json:"Service,omitempty"`
	AWS     []string `json:"AWS,omitempty"`
}

// everybody as a principal says that conditions choose who it is.
const everybody = "*"

const policyVersion = "2012-10-17"

func (d policyDocument) json() (string, error) {
	data, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("encoding a policy: %w", err)
	}
	return string(data), nil
}

var trust = policyDocument{policyVersion, []statement{{Sid: "AssumedByLambda", Effect: "Allow",
	Principal: &principal{Service: "lambda.amazonaws.com"}, Action: []string{"sts:AssumeRole"}}}}

// itemStatement lets the function do what the store calls, with the records of
// owners: the records of API keys are out of its reach.
func itemStatement(tableARN string) statement {
	return statement{
		Sid:      "Items",
		Effect:   "Allow",
		Action:   store.Actions(),
		Resource: []string{tableARN},
		Condition: map[string]map[string][]string{
			"ForAllValues:StringLike": {"dynamodb:LeadingKeys": {api.OwnerPartitions + "*"}},
		},
	}
}

// rolePolicy grants what a function calls and what logging needs. The only
// wildcard among the resources stands for the names of log streams, which
// Lambda makes up: one for each execution environment. Both actions are judged
// on the stream, although the Service Authorization Reference gives the group
// for CreateLogStream: CloudTrail's records of denied calls name the stream.
func rolePolicy(own statement, logGroupARN string) policyDocument {
	return policyDocument{policyVersion, []statement{own,
		{
			Sid:      "Logs",
			Effect:   "Allow",
			Action:   []string{"logs:CreateLogStream", "logs:PutLogEvents"},
			Resource: []string{logGroupARN + ":log-stream:*"},
		},
	}}
}

// functionRole is the role of one function.
type functionRole struct {
	name string
	role *iam.Role
}

// addRoles makes the roles of all functions before anything else, since the
// policies of others name them: the handler's first, and the authorizer's.
func (r *RestAPI) addRoles(ctx *pulumi.Context, name string, a RestAPIArgs) error {
	trusted, err := trust.json()
	if err != nil {
		return err
	}
	names := []string{name}
	if a.Auth.Mode == api.AuthLambda {
		names = append(names, name+"-authorizer")
	}
	for _, n := range names {
		role, err := iam.NewRole(ctx, n, &iam.RoleArgs{
			Description:      pulumi.String("Runs the function of " + n),
			AssumeRolePolicy: pulumi.String(trusted),
			Tags:             pulumi.ToStringMap(a.Tags),
		}, r.child()...)
		if err != nil {
			return fmt.Errorf("creating the role %s: %w", n, err)
		}
		r.roles = append(r.roles, functionRole{n, role})
	}
	return nil
}

// roleARNs returns the ARNs of all functions' roles.
func (r *RestAPI) roleARNs() pulumi.StringArrayOutput {
	var out pulumi.StringArray
	for _, f := range r.roles {
		out = append(out, f.role.Arn)
	}
	return out.ToStringArrayOutput()
}

// addFunctionRole lets the role of one function do what own says of the table,
// and write its log.
func (r *RestAPI) addFunctionRole(
	ctx *pulumi.Context,
	name string,
	a RestAPIArgs,
	log *cloudwatch.LogGroup,
	own func(tableARN string) statement,
) (*iam.Role, *iam.RolePolicy, error) {
	i := slices.IndexFunc(r.roles, func(f functionRole) bool { return f.name == name })
	if i < 0 {
		return nil, nil, fmt.Errorf("no role was made for the function %s", name)
	}
	role := r.roles[i].role
	document := pulumi.All(r.table.Arn, log.Arn).ApplyT(func(arns []any) (string, error) {
		return rolePolicy(own(arns[0].(string)), arns[1].(string)).json()
	}).(pulumi.StringOutput)
	policy, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{
		Role:   role.Name,
		Policy: document,
	}, r.child()...)
	if err != nil {
		return nil, nil, fmt.Errorf("creating the policy of the role %s: %w", name, err)
	}
	return role, policy, nil
}

func (r *RestAPI) addRole(ctx *pulumi.Context, name string, a RestAPIArgs) (err error) {
	r.role, r.policy, err = r.addFunctionRole(ctx, name, a, r.functionLog, itemStatement)
	return err
}
