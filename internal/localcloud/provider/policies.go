package provider

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"items-api/internal/localcloud/iam"
)

// awsManaged holds the policies made by AWS that the local cloud knows.
// Source: AWS managed policy reference guide.
var awsManaged = map[string]string{
	"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole":     `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"*"}]}`,
	"arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole": `{"Version":"2012-10-17","Statement":[{"Sid":"AWSLambdaVPCAccessExecutionPermissions","Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents","ec2:CreateNetworkInterface","ec2:DescribeNetworkInterfaces","ec2:DescribeSubnets","ec2:DeleteNetworkInterface","ec2:AssignPrivateIpAddresses","ec2:UnassignPrivateIpAddresses"],"Resource":"*"}]}`,
}

// attachable tests the ARN of a managed policy as far as it can be told before
// anything exists: it is one of AWS that the local cloud knows, or one of the
// cloud's own account.
func attachable(v any) error {
	arn, _ := v.(string)
	account, path, ok := policyAccount(arn)
	switch {
	case !ok:
		return fmt.Errorf("ValidationError: ARN %s is not valid: that of a policy looks like "+
			"arn:aws:iam::aws:policy/NAME or arn:aws:iam::%s:policy/NAME", arn, Account)
	case account == "aws" && awsManaged[arn] == "":
		return fmt.Errorf(
			"the local cloud does not know the AWS managed policy %s, so it cannot enforce it; "+
				"it knows %s: take one of these, or write the statements that are needed into a "+
				"policy of your own",
			path,
			strings.Join(knownPolicies(), " and "),
		)
	case account != "aws" && account != Account:
		return fmt.Errorf("NoSuchEntity: Policy %s does not exist or is not attachable: "+
			"a role takes policies of its own account, %s, and of AWS", arn, Account)
	}
	return nil
}

var policyPattern = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(aws|\d{12}):policy/(.+)$`)

func policyAccount(arn string) (account, path string, ok bool) {
	m := policyPattern.FindStringSubmatch(arn)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

func knownPolicies() []string {
	out := slices.Sorted(maps.Keys(awsManaged))
	for i, arn := range out {
		_, out[i], _ = policyAccount(arn)
	}
	return out
}

// managedPolicy returns the document of a managed policy.
func (p *Provider) managedPolicy(arn string) (string, error) {
	if doc, ok := awsManaged[arn]; ok {
		return doc, nil
	}
	if err := attachable(arn); err != nil {
		return "", err
	}
	r, err := p.Store.Get(policyType, arn)
	if err != nil {
		return "", fmt.Errorf("NoSuchEntity: Policy %s does not exist or is not attachable.", arn)
	}
	return values(r.Properties).str("policy"), nil
}

// Policies returns all identity policies of a role, as they are now.
func (p *Provider) Policies(roleARN string) ([]iam.Policy, error) {
	name := roleARN[strings.LastIndex(roleARN, "/")+1:]
	role, err := p.Store.Get(roleType, name)
	if err != nil {
		return nil, fmt.Errorf("the role %s does not exist: %w", roleARN, err)
	}
	props := values(role.Properties)
	var docs []string
	for _, e := range props.list("inlinePolicies") {
		docs = append(docs, values(e.(map[string]any)).str("policy"))
	}
	arns := props.strings("managedPolicyArns")
	for _, a := range p.Store.List(roleAttachmentType) {
		if v := values(a.Properties); v.str("role") == name {
			arns = append(arns, v.str("policyArn"))
		}
	}
	for _, arn := range arns {
		doc, err := p.managedPolicy(arn)
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	for _, r := range p.Store.List(rolePolicyType) {
		if v := values(r.Properties); v.str("role") == name {
			docs = append(docs, v.str("policy"))
		}
	}
	out := make([]iam.Policy, 0, len(docs))
	for _, doc := range docs {
		parsed, err := iam.Parse([]byte(doc))
		if err != nil {
			return nil, fmt.Errorf("reading a policy of the role %s: %w", name, err)
		}
		out = append(out, parsed)
	}
	return out, nil
}

// assumable reports whether Lambda may assume the role.
func (p *Provider) assumable(roleARN string) error {
	name := roleARN[strings.LastIndex(roleARN, "/")+1:]
	role, err := p.Store.Get(roleType, name)
	if err == nil && values(role.Properties).str("arn") == roleARN {
		trust, err := iam.Parse([]byte(values(role.Properties).str("assumeRolePolicy")))
		if err != nil {
			return fmt.Errorf("reading the trust policy of the role %s: %w", name, err)
		}
		if trust.TrustAllows("lambda.amazonaws.com", "sts:AssumeRole") {
			return nil
		}
	}
	return fmt.Errorf(
		"InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda: %s",
		roleARN,
	)
}
