package provider

import (
	"flag"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudtrail"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codedeploy"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cognito"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
)

var update = flag.Bool("update", false, "write the table of properties")

const tableFile = "../../../docs/local-cloud-support.md"

func TestTableIsMadeFromTheCode(t *testing.T) {
	want := Table()
	if *update {
		if err := os.WriteFile(tableFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error(
			"docs/local-cloud-support.md is out of date: run go test ./internal/localcloud/provider -run " +
				"TestTable -update",
		)
	}
}

type described interface{ ElementType() reflect.Type }

// sdk holds the types as the AWS SDK of Pulumi describes them: inputs and the
// resource with its outputs.
var sdk = map[string][2]any{
	tableType:          {dynamodb.TableArgs{}, dynamodb.Table{}},
	logGroupType:       {cloudwatch.LogGroupArgs{}, cloudwatch.LogGroup{}},
	roleType:           {iam.RoleArgs{}, iam.Role{}},
	rolePolicyType:     {iam.RolePolicyArgs{}, iam.RolePolicy{}},
	policyType:         {iam.PolicyArgs{}, iam.Policy{}},
	roleAttachmentType: {iam.RolePolicyAttachmentArgs{}, iam.RolePolicyAttachment{}},
	functionType:       {lambda.FunctionArgs{}, lambda.Function{}},
	aliasType:          {lambda.AliasArgs{}, lambda.Alias{}},
	permissionType:     {lambda.PermissionArgs{}, lambda.Permission{}},
	apiType:            {apigatewayv2.ApiArgs{}, apigatewayv2.Api{}},
	integrationType:    {apigatewayv2.IntegrationArgs{}, apigatewayv2.Integration{}},
	routeType:          {apigatewayv2.RouteArgs{}, apigatewayv2.Route{}},
	stageType:          {apigatewayv2.StageArgs{}, apigatewayv2.Stage{}},
	authorizerType:     {apigatewayv2.AuthorizerArgs{}, apigatewayv2.Authorizer{}},
	poolType:           {cognito.UserPoolArgs{}, cognito.UserPool{}},
	poolClientType:     {cognito.UserPoolClientArgs{}, cognito.UserPoolClient{}},
	resourceServerType: {cognito.ResourceServerArgs{}, cognito.ResourceServer{}},
	poolDomainType:     {cognito.UserPoolDomainArgs{}, cognito.UserPoolDomain{}},
	deploymentType:     {apigatewayv2.DeploymentArgs{}, apigatewayv2.Deployment{}},

	vpcType:                   {ec2.VpcArgs{}, ec2.Vpc{}},
	subnetType:                {ec2.SubnetArgs{}, ec2.Subnet{}},
	internetGatewayType:       {ec2.InternetGatewayArgs{}, ec2.InternetGateway{}},
	routeTableType:            {ec2.RouteTableArgs{}, ec2.RouteTable{}},
	vpcRouteType:              {ec2.RouteArgs{}, ec2.Route{}},
	routeTableAssociationType: {ec2.RouteTableAssociationArgs{}, ec2.RouteTableAssociation{}},
	securityGroupType:         {ec2.SecurityGroupArgs{}, ec2.SecurityGroup{}},
	defaultGroupType:          {ec2.DefaultSecurityGroupArgs{}, ec2.DefaultSecurityGroup{}},
	egressRuleType:            {vpc.SecurityGroupEgressRuleArgs{}, vpc.SecurityGroupEgressRule{}},
	ingressRuleType:           {vpc.SecurityGroupIngressRuleArgs{}, vpc.SecurityGroupIngressRule{}},
	endpointType:              {ec2.VpcEndpointArgs{}, ec2.VpcEndpoint{}},
	certificateType:           {acm.CertificateArgs{}, acm.Certificate{}},
	validationType:            {acm.CertificateValidationArgs{}, acm.CertificateValidation{}},
	zoneType:                  {route53.ZoneArgs{}, route53.Zone{}},
	recordType:                {route53.RecordArgs{}, route53.Record{}},
	domainType:                {apigatewayv2.DomainNameArgs{}, apigatewayv2.DomainName{}},
	mappingType:               {apigatewayv2.ApiMappingArgs{}, apigatewayv2.ApiMapping{}},
	alarmType:                 {cloudwatch.MetricAlarmArgs{}, cloudwatch.MetricAlarm{}},
	applicationType:           {codedeploy.ApplicationArgs{}, codedeploy.Application{}},
	deploymentGroupType:       {codedeploy.DeploymentGroupArgs{}, codedeploy.DeploymentGroup{}},
	deploymentConfigType:      {codedeploy.DeploymentConfigArgs{}, codedeploy.DeploymentConfig{}},

	keyType:              {kms.KeyArgs{}, kms.Key{}},
	keyAliasType:         {kms.AliasArgs{}, kms.Alias{}},
	bucketType:           {s3.BucketV2Args{}, s3.BucketV2{}},
	bucketVersioningType: {s3.BucketVersioningV2Args{}, s3.BucketVersioningV2{}},
	bucketEncryptionType: {
		s3.BucketServerSideEncryptionConfigurationV2Args{},
		s3.BucketServerSideEncryptionConfigurationV2{},
	},
	bucketLifecycleType:   {s3.BucketLifecycleConfigurationV2Args{}, s3.BucketLifecycleConfigurationV2{}},
	bucketPublicBlockType: {s3.BucketPublicAccessBlockArgs{}, s3.BucketPublicAccessBlock{}},
	bucketOwnershipType:   {s3.BucketOwnershipControlsArgs{}, s3.BucketOwnershipControls{}},
	bucketPolicyType:      {s3.BucketPolicyArgs{}, s3.BucketPolicy{}},
	trailType:             {cloudtrail.TrailArgs{}, cloudtrail.Trail{}},
}

func TestEveryPropertyOfEverySupportedTypeIsClassified(t *testing.T) {
	t.Parallel()
	for _, typ := range Types() {
		s, ok := sdk[typ.Token]
		if !ok {
			t.Errorf("%s is not compared with the SDK", typ.Token)
			continue
		}
		inputs := s[0].(described).ElementType()
		compare(t, typ.Token, typ.Properties, inputs)
		in := tagsIn(inputs)
		for _, name := range tagsIn(reflect.TypeOf(s[1])) {
			if !slices.Contains(in, name) && !slices.Contains(typ.Outputs, name) {
				t.Errorf("%s: the output %s is not declared", typ.Token, name)
			}
		}
	}
}

func tagsIn(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		if tag := t.Field(i).Tag.Get("pulumi"); tag != "" {
			out = append(out, tag)
		}
	}
	return out
}

func compare(t *testing.T, path string, props []Property, want reflect.Type) {
	t.Helper()
	names := tagsIn(want)
	for _, p := range props {
		if p.Level == 0 || p.Kind == 0 {
			t.Errorf("%s.%s has no level or no kind", path, p.Name)
		}
		if !slices.Contains(names, p.Name) {
			t.Errorf("%s.%s does not exist in the SDK", path, p.Name)
		}
	}
	for i := range want.NumField() {
		name := want.Field(i).Tag.Get("pulumi")
		j := slices.IndexFunc(props, func(p Property) bool { return p.Name == name })
		if j < 0 {
			t.Errorf("%s.%s is not classified", path, name)
			continue
		}
		ft := want.Field(i).Type
		for ft.Kind() == reflect.Pointer || ft.Kind() == reflect.Slice {
			ft = ft.Elem()
		}
		if ft.Kind() == reflect.Struct && props[j].Level != Refused {
			compare(t, path+"."+name, props[j].Fields, ft)
		}
	}
}
