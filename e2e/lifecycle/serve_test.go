package lifecycle

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/servicequotas"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// other is a program that has nothing to do with this project.
func other(hash string, unsupported bool) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		who, err := aws.GetCallerIdentity(ctx, nil)
		if err != nil {
			return err
		}
		quota, err := servicequotas.LookupServiceQuota(ctx, &servicequotas.LookupServiceQuotaArgs{
			ServiceCode: "lambda",
			QuotaCode:   pulumi.StringRef("L-B99A9384"),
		})
		if err != nil {
			return err
		}
		table, err := dynamodb.NewTable(ctx, "things", &dynamodb.TableArgs{
			HashKey:     pulumi.String(hash),
			BillingMode: pulumi.String("PAY_PER_REQUEST"),
			Attributes: dynamodb.TableAttributeArray{dynamodb.TableAttributeArgs{
				Name: pulumi.String(hash),
				Type: pulumi.String("S"),
			}},
		})
		if err != nil {
			return err
		}
		ctx.Export("arn", table.Arn)
		ctx.Export("account", pulumi.String(who.AccountId))
		ctx.Export("concurrency", pulumi.Float64(quota.Value))
		if !unsupported {
			return nil
		}
		var bucket pulumi.CustomResourceState
		return errors.Join(ctx.RegisterResource("aws:s3/bucket:Bucket", "files", nil, &bucket))
	}
}

func TestServeTakesAnyProgramAndSeveralStacksAtOnce(t *testing.T) {
	t.Parallel()
	p := clone(t)
	u := serving(t, p)
	arns := make([]string, 2)
	stacks := make([]auto.Stack, 2)
	for i, name := range []string{"one", "two"} {
		stacks[i] = newUser(t, u).stack(t, "another", name, other("id", false))
	}
	var wait sync.WaitGroup
	for i := range stacks {
		wait.Go(func() {
			res, err := stacks[i].Up(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			arns[i], _ = res.Outputs["arn"].Value.(string)
			if res.Outputs["account"].Value != "000000000000" || res.Outputs["concurrency"].Value != 1000.0 {
				t.Errorf("got %v", res.Outputs)
			}
		})
	}
	wait.Wait()
	if arns[0] == arns[1] ||
		!strings.HasPrefix(arns[0], "arn:aws:dynamodb:us-east-1:000000000000:table/things-") {
		t.Errorf("got the tables %v", arns)
	}

	stacks[0].Workspace().SetProgram(other("key", false))
	res, err := stacks[0].Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if res.Outputs["arn"].Value == arns[0] || (*res.Summary.ResourceChanges)["replace"] != 1 {
		t.Errorf("a changed key did not replace the table: %v", res.Summary.ResourceChanges)
	}

	stacks[1].Workspace().SetProgram(other("id", true))
	if _, err := stacks[1].Preview(
		t.Context(),
	); err == nil ||
		!strings.Contains(err.Error(), "does not support the resource type aws:s3/bucket:Bucket") {
		t.Errorf("the unsupported type gave %v", err)
	}
	for _, s := range stacks {
		s.Workspace().SetProgram(other("id", false))
		if _, err := s.Destroy(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if records, err := p.Records(); err != nil || len(records) > 0 {
		t.Errorf("destroying left %v, %v", records, err)
	}
}
