package provider

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"items-api/internal/localcloud/iam"
	"items-api/internal/localcloud/state"
)

const (
	applicationType      = "aws:codedeploy/application:Application"
	deploymentGroupType  = "aws:codedeploy/deploymentGroup:DeploymentGroup"
	deploymentConfigType = "aws:codedeploy/deploymentConfig:DeploymentConfig"

	onlyLambda   = "only functions are deployed locally"
	noDeployment = "CodeDeploy shifts no traffic locally"
	// predefined is what the names of AWS's own configurations begin with.
	predefined = "CodeDeployDefault."
)

// lambdaConfigs are AWS's own for Lambda. Source: CodeDeploy user guide,
// "Predefined deployment configurations for an AWS Lambda compute platform".
var lambdaConfigs = []string{
	"CodeDeployDefault.LambdaAllAtOnce",
	"CodeDeployDefault.LambdaCanary10Percent5Minutes",
	"CodeDeployDefault.LambdaCanary10Percent10Minutes",
	"CodeDeployDefault.LambdaCanary10Percent15Minutes",
	"CodeDeployDefault.LambdaCanary10Percent30Minutes",
	"CodeDeployDefault.LambdaLinear10PercentEvery1Minute",
	"CodeDeployDefault.LambdaLinear10PercentEvery2Minutes",
	"CodeDeployDefault.LambdaLinear10PercentEvery3Minutes",
	"CodeDeployDefault.LambdaLinear10PercentEvery10Minutes",
}

func codedeployTypes() []*Type {
	platform := Property{
		Name:    "computePlatform",
		Kind:    String,
		Level:   Enforced,
		Default: "Server",
		Replace: true,
		Only:    []any{"Lambda"},
		Note:    onlyLambda,
	}
	return []*Type{
		{
			Token:   applicationType,
			Outputs: []string{"applicationId", "arn", "githubAccountName", "linkedToGithub", "tagsAll"},
			Name:    "name",
			NameMax: 100,
			Properties: []Property{
				platform,
				{
					Name:    "name",
					Kind:    String,
					Level:   Enforced,
					Replace: true,
					Note:    "the AWS provider renames in place",
				},
				tags(),
			},
			Create: createApplication,
			Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
				return state.Record{
					Properties: p.applicationOutputs(values(old.Properties).str("applicationId"), in),
					Private:    old.Private,
				}, nil
			},
			Key: func(id string, _ values) string { _, name, _ := strings.Cut(id, ":"); return name },
			// An application takes its groups with it.
			Removed: func(_ context.Context, p *Provider, r state.Record) error {
				for _, g := range p.Store.List(deploymentGroupType) {
					if values(g.Properties).str("appName") == values(r.Properties).str("name") {
						if err := p.Store.Delete(deploymentGroupType, g.Key); err != nil {
							return err
						}
					}
				}
				return nil
			},
			Volatile: volatileTags,
		},
		{
			Token:   deploymentConfigType,
			Outputs: []string{"arn", "deploymentConfigId"},
			Name:    "deploymentConfigName",
			NameMax: 100,
			Properties: []Property{
				platform,
				{
					Name:    "deploymentConfigName",
					Kind:    String,
					Level:   Enforced,
					Replace: true,
					Check: func(v any) error {
						if s, _ := v.(string); strings.HasPrefix(s, predefined) {
							return fmt.Errorf("a name that begins with %s is AWS's own", predefined)
						}
						return length(1, 100)(v)
					},
				},
				refused("minimumHealthyHosts", Object, onlyLambda),
				{
					Name:     "trafficRoutingConfig",
					Kind:     Object,
					Level:    Recorded,
					Required: true,
					Replace:  true,
					Note:     noDeployment,
					Fields: []Property{
						{
							Name:   "timeBasedCanary",
							Kind:   Object,
							Level:  Recorded,
							Fields: shift(),
						},
						{
							Name:   "timeBasedLinear",
							Kind:   Object,
							Level:  Recorded,
							Fields: shift(),
						},
						{
							Name:    "type",
							Kind:    String,
							Level:   Recorded,
							Default: "AllAtOnce",
						},
					},
				},
				refused("zonalConfig", Object, onlyLambda),
			},
			Check:  checkDeploymentConfig,
			Create: createDeploymentConfig,
			Delete: unusedDeploymentConfig,
		},
		{
			Token:      deploymentGroupType,
			Outputs:    []string{"arn", "computePlatform", "deploymentGroupId", "tagsAll"},
			Properties: deploymentGroupProperties(),
			Check:      checkDeploymentGroup,
			Create:     createDeploymentGroup,
			Update:     updateDeploymentGroup,
			Volatile:   volatileTags,
		},
	}
}

// shift is one step of a time-based configuration: percent and minutes.
func shift() []Property {
	return []Property{
		{
			Name:     "interval",
			Kind:     Int,
			Level:    Recorded,
			Required: true,
			Check:    between(1, 1e6),
		},
		{
			Name:     "percentage",
			Kind:     Int,
			Level:    Recorded,
			Required: true,
			Check:    between(1, 99),
		},
	}
}

func deploymentGroupProperties() []Property {
	return []Property{
		{
			Name:  "alarmConfiguration",
			Kind:  Object,
			Level: Recorded,
			Note:  noDeployment,
			Fields: []Property{
				{
					Name:  "alarms",
					Kind:  Set,
					Elem:  String,
					Level: Enforced,
					Check: atMost(10),
					Note:  "each must exist in this cloud",
				},
				{
					Name:  "enabled",
					Kind:  Bool,
					Level: Recorded,
				},
				{
					Name:    "ignorePollAlarmFailure",
					Kind:    Bool,
					Level:   Recorded,
					Default: false,
				},
			},
		},
		{
			Name:     "appName",
			Kind:     String,
			Level:    Enforced,
			Required: true,
		},
		{
			Name:  "autoRollbackConfiguration",
			Kind:  Object,
			Level: Recorded,
			Note:  noDeployment,
			Fields: []Property{
				{
					Name:  "enabled",
					Kind:  Bool,
					Level: Recorded,
				},
				{
					Name:  "events",
					Kind:  Set,
					Elem:  String,
					Level: Recorded,
				},
			},
		},
		refused("autoscalingGroups", Set, onlyLambda),
		refused("blueGreenDeploymentConfig", Object, onlyLambda),
		{
			Name:    "deploymentConfigName",
			Kind:    String,
			Level:   Enforced,
			Default: "CodeDeployDefault.OneAtATime",
			Note:    "the AWS provider's default is for servers; name one for Lambda",
		},
		{
			Name:     "deploymentGroupName",
			Kind:     String,
			Level:    Enforced,
			Required: true,
		},
		{
			Name:     "deploymentStyle",
			Kind:     Object,
			Level:    Enforced,
			Required: true,
			Note:     "what AWS does without it is not verified; give it",
			Fields: []Property{
				{
					Name:    "deploymentOption",
					Kind:    String,
					Level:   Enforced,
					Default: "WITHOUT_TRAFFIC_CONTROL",
					Only:    []any{"WITH_TRAFFIC_CONTROL"},
					Note:    "functions have no other",
				},
				{
					Name:    "deploymentType",
					Kind:    String,
					Level:   Enforced,
					Default: "IN_PLACE",
					Only:    []any{"BLUE_GREEN"},
					Note:    "functions have no other",
				},
			},
		},
		refused("ec2TagFilters", Set, onlyLambda),
		refused("ec2TagSets", Set, onlyLambda),
		refused("ecsService", Object, onlyLambda),
		refused("loadBalancerInfo", Object, onlyLambda),
		refused("onPremisesInstanceTagFilters", Set, onlyLambda),
		{
			Name:    "outdatedInstancesStrategy",
			Kind:    String,
			Level:   Recorded,
			Default: "UPDATE",
		},
		{
			Name:     "serviceRoleArn",
			Kind:     String,
			Level:    Enforced,
			Required: true,
			Check: matching(
				regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/.+$`),
				"it must be the ARN of a role",
			),
		},
		tags(),
		refused("terminationHookEnabled", Bool, onlyLambda),
		{
			Name:  "triggerConfigurations",
			Kind:  Set,
			Level: Recorded,
			Note:  noDeployment,
			Fields: []Property{
				{
					Name:     "triggerEvents",
					Kind:     Set,
					Elem:     String,
					Level:    Recorded,
					Required: true,
				},
				{
					Name:     "triggerName",
					Kind:     String,
					Level:    Recorded,
					Required: true,
				},
				{
					Name:     "triggerTargetArn",
					Kind:     String,
					Level:    Recorded,
					Required: true,
					Check:    matching(anyARN, "it must be the ARN of an SNS topic"),
				},
			},
		},
	}
}

func createApplication(_ context.Context, p *Provider, in values) (state.Record, error) {
	name := in.str("name")
	if _, err := p.Store.Get(applicationType, name); err == nil {
		return state.Record{}, fmt.Errorf(
			"ApplicationAlreadyExistsException: an application with the name %s exists already",
			name,
		)
	}
	id := p.uuid()
	return state.Record{ID: id + ":" + name, Properties: p.applicationOutputs(id, in)}, nil
}

func (p *Provider) applicationOutputs(id string, in values) map[string]any {
	props := base(in)
	props["applicationId"], props["arn"] = id, p.arn("codedeploy", "application:"+in.str("name"))
	props["githubAccountName"], props["linkedToGithub"] = "", false
	props["tagsAll"] = tagsOf(in)
	return props
}

func checkDeploymentConfig(_ *Provider, in values) []Failure {
	c := in.object("trafficRoutingConfig")
	if c == nil || !known(c["type"]) {
		return nil
	}
	var out []Failure
	for name, kind := range map[string]string{
		"timeBasedCanary": "TimeBasedCanary",
		"timeBasedLinear": "TimeBasedLinear",
	} {
		if c.has(name) != (c.str("type") == kind) {
			out = append(
				out,
				Failure{
					"trafficRoutingConfig." + name,
					fmt.Sprintf(
						"%s belongs to the type %s, and must be given with it; the type is %s",
						name,
						kind,
						c.str("type"),
					),
				},
			)
		}
	}
	return out
}

func createDeploymentConfig(_ context.Context, p *Provider, in values) (state.Record, error) {
	name := in.str("deploymentConfigName")
	if _, err := p.Store.Get(deploymentConfigType, name); err == nil {
		return state.Record{}, fmt.Errorf(
			"DeploymentConfigAlreadyExistsException: a deployment configuration with the name %s "+
				"exists already",
			name,
		)
	}
	props := base(in)
	props["arn"], props["deploymentConfigId"] = p.arn("codedeploy", "deploymentconfig:"+name), p.uuid()
	return state.Record{ID: name, Properties: props}, nil
}

func unusedDeploymentConfig(_ context.Context, p *Provider, r state.Record) error {
	for _, g := range p.Store.List(deploymentGroupType) {
		if v := values(g.Properties); v.str("deploymentConfigName") == r.ID {
			return fmt.Errorf(
				"DeploymentConfigInUseException: the deployment group %s of the application %s uses the "+
					"deployment configuration %s",
				v.str("deploymentGroupName"),
				v.str("appName"),
				r.ID,
			)
		}
	}
	return nil
}

func checkDeploymentGroup(_ *Provider, in values) []Failure {
	var out []Failure
	if name := in.str(
		"deploymentConfigName",
	); strings.HasPrefix(name, predefined) &&
		!slices.Contains(lambdaConfigs, name) {
		out = append(
			out,
			Failure{
				"deploymentConfigName",
				fmt.Sprintf(
					"%s is no deployment configuration for Lambda; use a DeploymentConfig, or one of %s",
					name,
					strings.Join(lambdaConfigs, ", "),
				),
			},
		)
	}
	if c := in.object(
		"autoRollbackConfiguration",
	); c.boolean("enabled") && c.has("events") && empty(c["events"]) ||
		c.boolean("enabled") && !c.has("events") {
		out = append(
			out,
			Failure{"autoRollbackConfiguration.events", "rollbacks that are enabled need at least one event"},
		)
	}
	if c := in.object(
		"alarmConfiguration",
	); c.boolean("enabled") &&
		(!c.has("alarms") || empty(c["alarms"])) {
		out = append(
			out,
			Failure{"alarmConfiguration.alarms", "alarms that are enabled need at least one name"},
		)
	}
	return out
}

func createDeploymentGroup(_ context.Context, p *Provider, in values) (state.Record, error) {
	id := p.uuid()
	props, err := p.deploymentGroupOutputs(id, in)
	return state.Record{ID: id, Properties: props}, err
}

func updateDeploymentGroup(
	_ context.Context,
	p *Provider,
	old state.Record,
	in values,
) (state.Record, error) {
	props, err := p.deploymentGroupOutputs(old.ID, in)
	return state.Record{Properties: props, Private: old.Private}, err
}

func (p *Provider) deploymentGroupOutputs(id string, in values) (map[string]any, error) {
	app, name := in.str("appName"), in.str("deploymentGroupName")
	if _, err := p.Store.Get(applicationType, app); err != nil {
		return nil, fmt.Errorf("ApplicationDoesNotExistException: No application found for name: %s", app)
	}
	for _, g := range p.Store.List(deploymentGroupType) {
		if v := values(
			g.Properties,
		); g.ID != id && v.str("appName") == app &&
			v.str("deploymentGroupName") == name {
			return nil, fmt.Errorf(
				"DeploymentGroupAlreadyExistsException: the application %s has a deployment group %s already",
				app,
				name,
			)
		}
	}
	if config := in.str("deploymentConfigName"); !slices.Contains(lambdaConfigs, config) {
		if _, err := p.Store.Get(deploymentConfigType, config); err != nil {
			return nil, fmt.Errorf(
				"DeploymentConfigDoesNotExistException: No deployment configuration found for name: %s",
				config,
			)
		}
	}
	if err := p.deployable(in.str("serviceRoleArn")); err != nil {
		return nil, err
	}
	// That AWS wants an alarm to exist when the group is created is not verified.
	for _, a := range in.object("alarmConfiguration").strings("alarms") {
		if _, err := p.Store.Get(alarmType, a); err != nil {
			return nil, fmt.Errorf(
				"the alarm %s of the deployment group %s does not exist: let the group depend on the alarm",
				a,
				name,
			)
		}
	}
	props := base(in)
	props["arn"], props["deploymentGroupId"], props["computePlatform"] = p.arn(
		"codedeploy",
		"deploymentgroup:"+app+"/"+name,
	), id, "Lambda"
	props["tagsAll"] = tagsOf(in)
	return props, nil
}

// deployable checks that a role exists and that CodeDeploy may assume it.
func (p *Provider) deployable(roleARN string) error {
	role, err := p.Store.Get(roleType, roleARN[strings.LastIndex(roleARN, "/")+1:])
	if err == nil && values(role.Properties).str("arn") == roleARN {
		trust, err := iam.Parse([]byte(values(role.Properties).str("assumeRolePolicy")))
		if err != nil {
			return fmt.Errorf("reading the trust policy of the role %s: %w", roleARN, err)
		}
		if trust.TrustAllows("codedeploy.amazonaws.com", "sts:AssumeRole") {
			return nil
		}
	}
	return fmt.Errorf(
		"InvalidRoleException: AWS CodeDeploy does not have the permissions required to assume the role %s",
		roleARN,
	)
}
