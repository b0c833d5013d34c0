package resources

import (
	"context"
	"net/http"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codedeploy"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/e2e/engine"
	"items-api/internal/localcloud"
)

const host = "api.example.com"

func domainProgram(ctx *pulumi.Context) error {
	first, err := site(ctx, "first", "https://first.example")
	if err != nil {
		return err
	}
	second, err := site(ctx, "second", "https://second.example")
	if err != nil {
		return err
	}
	ctx.Export("url", first.api.ApiEndpoint)
	domain, err := certified(ctx)
	if err != nil {
		return err
	}
	for key, s := range map[string]*parts{"": first, "v2/orders": second} {
		if _, err := apigatewayv2.NewApiMapping(ctx, "m"+key, &apigatewayv2.ApiMappingArgs{
			ApiId:         s.api.ID(),
			DomainName:    domain.ID(),
			Stage:         s.stage.ID(),
			ApiMappingKey: pulumi.String(key),
		}); err != nil {
			return err
		}
	}
	return release(ctx)
}

type parts struct {
	api   *apigatewayv2.Api
	stage *apigatewayv2.Stage
}

// site is an API that allows one origin: a preflight request tells which API
// answered, without a function.
func site(ctx *pulumi.Context, name, origin string) (*parts, error) {
	api, err := apigatewayv2.NewApi(ctx, name, &apigatewayv2.ApiArgs{
		ProtocolType:              pulumi.String("HTTP"),
		DisableExecuteApiEndpoint: pulumi.Bool(true),
		CorsConfiguration: &apigatewayv2.ApiCorsConfigurationArgs{
			AllowOrigins: pulumi.ToStringArray([]string{origin}),
			AllowMethods: pulumi.ToStringArray([]string{"*"}),
		},
	})
	if err != nil {
		return nil, err
	}
	stage, err := apigatewayv2.NewStage(ctx, name, &apigatewayv2.StageArgs{
		ApiId:      api.ID(),
		Name:       pulumi.String("$default"),
		AutoDeploy: pulumi.Bool(true),
	})
	return &parts{api, stage}, err
}

// certified makes the domain with a certificate that is validated by DNS.
func certified(ctx *pulumi.Context) (*apigatewayv2.DomainName, error) {
	zone, err := route53.LookupZone(ctx, &route53.LookupZoneArgs{Name: pulumi.StringRef("example.com")})
	if err != nil {
		return nil, err
	}
	cert, err := acm.NewCertificate(ctx, "c", &acm.CertificateArgs{
		DomainName:       pulumi.String(host),
		ValidationMethod: pulumi.String("DNS"),
	})
	if err != nil {
		return nil, err
	}
	proof := cert.DomainValidationOptions.Index(pulumi.Int(0))
	record, err := route53.NewRecord(ctx, "proof", &route53.RecordArgs{
		ZoneId:  pulumi.String(zone.ZoneId),
		Name:    proof.ResourceRecordName().Elem(),
		Type:    proof.ResourceRecordType().Elem(),
		Ttl:     pulumi.Int(60),
		Records: pulumi.StringArray{proof.ResourceRecordValue().Elem()},
	})
	if err != nil {
		return nil, err
	}
	valid, err := acm.NewCertificateValidation(ctx, "v", &acm.CertificateValidationArgs{
		CertificateArn:        cert.Arn,
		ValidationRecordFqdns: pulumi.StringArray{record.Fqdn},
	})
	if err != nil {
		return nil, err
	}
	domain, err := apigatewayv2.NewDomainName(ctx, "d", &apigatewayv2.DomainNameArgs{
		DomainName: pulumi.String(host),
		DomainNameConfiguration: &apigatewayv2.DomainNameDomainNameConfigurationArgs{
			CertificateArn: valid.CertificateArn,
			EndpointType:   pulumi.String("REGIONAL"),
			SecurityPolicy: pulumi.String("TLS_1_2"),
		},
	})
	if err != nil {
		return nil, err
	}
	_, err = route53.NewRecord(ctx, "alias", &route53.RecordArgs{
		ZoneId: pulumi.String(zone.ZoneId),
		Name:   domain.DomainName,
		Type:   pulumi.String("A"),
		Aliases: route53.RecordAliasArray{
			&route53.RecordAliasArgs{
				Name:                 domain.DomainNameConfiguration.TargetDomainName().Elem(),
				ZoneId:               domain.DomainNameConfiguration.HostedZoneId().Elem(),
				EvaluateTargetHealth: pulumi.Bool(false),
			}},
	})
	return domain, err
}

// release declares a deployment group that rolls back on an alarm.
func release(ctx *pulumi.Context) error {
	alarm, err := cloudwatch.NewMetricAlarm(ctx, "errors", &cloudwatch.MetricAlarmArgs{
		ComparisonOperator: pulumi.String("GreaterThanThreshold"),
		EvaluationPeriods:  pulumi.Int(1),
		Threshold:          pulumi.Float64(5),
		TreatMissingData:   pulumi.String("notBreaching"),
		MetricQueries: cloudwatch.MetricAlarmMetricQueryArray{
			&cloudwatch.MetricAlarmMetricQueryArgs{
				Id:         pulumi.String("percent"),
				Expression: pulumi.String("100*errors"),
				ReturnData: pulumi.Bool(true),
			},
			&cloudwatch.MetricAlarmMetricQueryArgs{
				Id: pulumi.String("errors"),
				Metric: &cloudwatch.MetricAlarmMetricQueryMetricArgs{
					MetricName: pulumi.String("Errors"),
					Namespace:  pulumi.String("AWS/Lambda"),
					Period:     pulumi.Int(60),
					Stat:       pulumi.String("Sum"),
					Dimensions: pulumi.ToStringMap(map[string]string{"FunctionName": "f"}),
				},
			}},
	})
	if err != nil {
		return err
	}
	role, err := iam.NewRole(
		ctx,
		"deploy",
		&iam.RoleArgs{
			AssumeRolePolicy: pulumi.String(
				`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"codedeploy.amazonaws.com"}}]}`,
			),
		},
	)
	if err != nil {
		return err
	}
	app, err := codedeploy.NewApplication(
		ctx,
		"app",
		&codedeploy.ApplicationArgs{ComputePlatform: pulumi.String("Lambda")},
	)
	if err != nil {
		return err
	}
	_, err = codedeploy.NewDeploymentGroup(ctx, "group", &codedeploy.DeploymentGroupArgs{
		AppName:              app.Name,
		DeploymentGroupName:  pulumi.String("live"),
		ServiceRoleArn:       role.Arn,
		DeploymentConfigName: pulumi.String("CodeDeployDefault.LambdaCanary10Percent5Minutes"),
		DeploymentStyle: &codedeploy.DeploymentGroupDeploymentStyleArgs{
			DeploymentOption: pulumi.String("WITH_TRAFFIC_CONTROL"),
			DeploymentType:   pulumi.String("BLUE_GREEN"),
		},
		AlarmConfiguration: &codedeploy.DeploymentGroupAlarmConfigurationArgs{
			Enabled: pulumi.Bool(true),
			Alarms:  pulumi.StringArray{alarm.Name},
		},
		AutoRollbackConfiguration: &codedeploy.DeploymentGroupAutoRollbackConfigurationArgs{
			Enabled: pulumi.Bool(true),
			Events:  pulumi.ToStringArray([]string{"DEPLOYMENT_STOP_ON_ALARM"}),
		},
	})
	return err
}

// preflight returns the status of a preflight request with a Host header.
func preflight(t *testing.T, url, host, origin string) int {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Host = host
	q.Header.Set("Origin", origin)
	q.Header.Set("Access-Control-Request-Method", "GET")
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Body.Close(); err != nil {
		t.Error(err)
	}
	if r.StatusCode == http.StatusNoContent && r.Header.Get("Access-Control-Allow-Origin") != origin {
		return 0
	}
	return r.StatusCode
}

func answers(t *testing.T, url string) {
	t.Helper()
	for _, c := range []struct {
		host, path, origin string
		want               int
	}{
		{host, "/x", "https://first.example", 204},
		{host, "/x", "https://second.example", 0},
		{host, "/v2/orders/x", "https://second.example", 204},
		{host, "/v2/orders/x", "https://first.example", 0},
		{"", "/x", "https://first.example", 404}, // the default endpoint is disabled
	} {
		if got := preflight(t, url+c.path, c.host, c.origin); got != c.want {
			t.Errorf("%s%s from %s got %d, want %d", c.host, c.path, c.origin, got, c.want)
		}
	}
}

func TestDomainIsServedThroughARestartAndGoesWithItsStack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	port, err := engine.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	config := localcloud.Config{Dir: dir, Port: port}
	var url string
	t.Run("deployed", func(t *testing.T) {
		c := engine.Start(t, config)
		url = c.Up(t, "domain", domainProgram)["url"]
		answers(t, url)
	})
	if t.Failed() {
		return
	}
	c := engine.Start(t, config)
	answers(t, url)
	s, err := c.Stack(t.Context(), "domain", domainProgram)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Refresh(t.Context(), optrefresh.SuppressProgress()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Up(
		t.Context(),
		optup.SuppressProgress(),
		optup.SuppressOutputs(),
		optup.ExpectNoChanges(),
	); err != nil {
		t.Errorf("the same program again: %v", err)
	}
	if _, err := s.Destroy(context.WithoutCancel(t.Context()), optdestroy.SuppressProgress()); err != nil {
		t.Fatal(err)
	}
	if _, err := http.Get(url); err == nil {
		t.Error("the API that is gone is still served")
	}
}
