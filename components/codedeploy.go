package components

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codedeploy"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// deploymentConfigs are AWS's own: a tenth of the requests each minute, or a
// tenth for five minutes and then the rest.
var deploymentConfigs = map[Strategy]string{
	CodeDeployLinear: "CodeDeployDefault.LambdaLinear10PercentEvery1Minute",
	CodeDeployCanary: "CodeDeployDefault.LambdaCanary10Percent5Minutes",
}

var codeDeployTrust = policyDocument{policyVersion, []statement{{Sid: "AssumedByCodeDeploy", Effect: "Allow",
	Principal: &principal{Service: "codedeploy.amazonaws.com"}, Action: []string{"sts:AssumeRole"}}}}

// codeDeployPolicy grants what AWSCodeDeployRoleForLambdaLimited does, for one
// function, but for S3 and hooks, which are not used. The Service
// Authorization Reference names the function for GetAlias and UpdateAlias, and
// its aliases and versions for GetProvisionedConcurrencyConfig; versions to
// come have no names yet, and the wildcard stands for those of this function.
// DescribeAlarms only reads; AWS judges some of its calls on * alone, and
// which of them CodeDeploy makes is not documented.
func codeDeployPolicy(functionARN string) policyDocument {
	return policyDocument{policyVersion, []statement{
		{
			Sid:      "Alias",
			Effect:   "Allow",
			Action:   []string{"lambda:GetAlias", "lambda:UpdateAlias"},
			Resource: []string{functionARN, functionARN + ":" + Alias},
		},
		{
			Sid:      "Concurrency",
			Effect:   "Allow",
			Action:   []string{"lambda:GetProvisionedConcurrencyConfig"},
			Resource: []string{functionARN + ":*"},
		},
		{
			Sid:      "Alarms",
			Effect:   "Allow",
			Action:   []string{"cloudwatch:DescribeAlarms"},
			Resource: []string{"*"},
		},
	}}
}

// addCodeDeploy makes what CodeDeploy needs to move the alias. Pulumi has no
// resource for a deployment, so that a command of the AWS CLI starts it.
func (r *RestAPI) addCodeDeploy(ctx *pulumi.Context, name string, a RestAPIArgs) error {
	if !a.Release.Strategy.CodeDeploy() {
		return nil
	}
	role, policy, err := r.addCodeDeployRole(ctx, name+"-codedeploy", a)
	if err != nil {
		return err
	}
	application, err := codedeploy.NewApplication(ctx, name, &codedeploy.ApplicationArgs{
		ComputePlatform: pulumi.String("Lambda"), Tags: pulumi.ToStringMap(a.Tags)}, r.child()...)
	if err != nil {
		return fmt.Errorf("creating the application of CodeDeploy: %w", err)
	}
	if _, err := codedeploy.NewDeploymentGroup(ctx, name, &codedeploy.DeploymentGroupArgs{
		AppName:              application.Name,
		DeploymentGroupName:  pulumi.String(Alias),
		ServiceRoleArn:       role.Arn,
		DeploymentConfigName: pulumi.String(deploymentConfigs[a.Release.Strategy]),
		DeploymentStyle: codedeploy.DeploymentGroupDeploymentStyleArgs{
			DeploymentType:   pulumi.String("BLUE_GREEN"),
			DeploymentOption: pulumi.String("WITH_TRAFFIC_CONTROL"),
		},
		AutoRollbackConfiguration: codedeploy.DeploymentGroupAutoRollbackConfigurationArgs{
			Enabled: pulumi.Bool(true),
			Events:  pulumi.ToStringArray([]string{"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"}),
		},
		AlarmConfiguration: codedeploy.DeploymentGroupAlarmConfigurationArgs{
			Enabled: pulumi.Bool(true),
			Alarms:  r.alarms,
		},
		Tags: pulumi.ToStringMap(a.Tags),
	}, r.child(policy)...); err != nil {
		return fmt.Errorf("creating the deployment group: %w", err)
	}
	of := pulumi.All(r.function.Arn, r.function.Name, r.function.Version, application.Name)
	r.ReleaseCommand = of.ApplyT(func(v []any) (string, error) {
		return moveCommand(v[0].(string), v[1].(string), v[3].(string), v[2].(string), "")
	}).(pulumi.StringOutput)
	r.RollbackCommand = of.ApplyT(func(v []any) (string, error) {
		// At once, and not held up by the alarms that it is meant to end.
		command, err := moveCommand(v[0].(string), v[1].(string), v[3].(string), "$VERSION", " --deployment-config-name CodeDeployDefault.LambdaAllAtOnce --override-alarm-configuration enabled=false")
		return `: "${VERSION:?the version to go back to}" && ` + command, err
	}).(pulumi.StringOutput)
	return nil
}

func (r *RestAPI) addCodeDeployRole(
	ctx *pulumi.Context,
	name string,
	a RestAPIArgs,
) (*iam.Role, *iam.RolePolicy, error) {
	trusted, err := codeDeployTrust.json()
	if err != nil {
		return nil, nil, err
	}
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Description:      pulumi.String("Lets CodeDeploy move the alias of the function"),
		AssumeRolePolicy: pulumi.String(trusted),
		Tags:             pulumi.ToStringMap(a.Tags),
	}, r.child()...)
	if err != nil {
		return nil, nil, fmt.Errorf("creating the role %s: %w", name, err)
	}
	document := r.function.Arn.ApplyT(func(arn string) (string, error) { return codeDeployPolicy(arn).json() }).(pulumi.StringOutput)
	policy, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{
		Role:   role.Name,
		Policy: document,
	}, r.child()...)
	if err != nil {
		return nil, nil, fmt.Errorf("creating the policy of the role %s: %w", name, err)
	}
	return role, policy, nil
}

// moveCommand is a command line that moves the alias from the version it points
// to when it runs. The AppSpec stands in the revision itself; printf puts the
// versions into it. Source: CodeDeploy User Guide, "AppSpec resources section
// (Lambda deployments only)", and CreateDeployment, CodeDeploy API reference.
func moveCommand(functionARN, function, application, target, options string) (string, error) {
	parts := strings.Split(functionARN, ":")
	if len(parts) < 4 {
		return "", fmt.Errorf("%q is no ARN of a function", functionARN)
	}
	appSpec, err := json.Marshal(map[string]any{
		"version": json.Number("0.0"),
		"Resources": []any{map[string]any{function: map[string]any{
			"Type": "AWS::Lambda::Function",
			"Properties": map[string]string{
				"Name":           function,
				"Alias":          Alias,
				"CurrentVersion": "%s",
				"TargetVersion":  "%s",
			},
		}}},
	})
	if err != nil {
		return "", fmt.Errorf("encoding the AppSpec: %w", err)
	}
	revision, err := json.Marshal(map[string]any{
		"revisionType":   "AppSpecContent",
		"appSpecContent": map[string]string{"content": string(appSpec)},
	})
	if err != nil {
		return "", fmt.Errorf("encoding the revision: %w", err)
	}
	return fmt.Sprintf(
		`aws deploy create-deployment --region %[1]s --application-name %[2]s --deployment-group-name %[3]s%[4]s --revision "$(printf '%[5]s' `+
			`"$(aws lambda get-alias --region %[1]s --function-name %[6]s --name %[3]s --query FunctionVersion --output text)" "%[7]s")"`,
		parts[3],
		application,
		Alias,
		options,
		strings.ReplaceAll(string(revision), `\`, `\\`),
		function,
		target,
	), nil
}
