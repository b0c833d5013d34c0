// Package refusals previews programs that the local cloud does not take, with
// the real engine.
package refusals

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/e2e/engine"
	"items-api/internal/localcloud"
)

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",` +
	`"Principal":{"Service":"lambda.amazonaws.com"}}]}`

// wrong registers resources that are refused and depend on each other, and one
// that is taken. The file is not a zip.
func wrong(file string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error { return register(ctx, file) }
}

func register(ctx *pulumi.Context, file string) error {
	var bucket pulumi.CustomResourceState
	if err := ctx.RegisterResource("aws:s3/bucket:Bucket", "files", nil, &bucket); err != nil {
		return err
	}
	role, err := iam.NewRole(ctx, "role", &iam.RoleArgs{
		AssumeRolePolicy:   pulumi.String(trust),
		MaxSessionDuration: pulumi.Int(60),
		Description:        pulumi.Sprintf("of %s", bucket.ID()),
	})
	if err != nil {
		return err
	}
	_, err = iam.NewRolePolicyAttachment(ctx, "attachment", &iam.RolePolicyAttachmentArgs{
		Role:      role.Name,
		PolicyArn: pulumi.String("arn:aws:iam::aws:policy/AdministratorAccess"),
	})
	if err != nil {
		return err
	}
	function, err := lambda.NewFunction(ctx, "function", &lambda.FunctionArgs{
		Role:       role.Arn,
		Runtime:    pulumi.String("provided.al2023"),
		Handler:    pulumi.String("bootstrap"),
		Code:       pulumi.NewFileArchive(file),
		MemorySize: pulumi.Int(64),
		Timeout:    pulumi.Int(1000),
	})
	if err != nil {
		return err
	}
	_, aliasErr := lambda.NewAlias(ctx, "alias", &lambda.AliasArgs{
		Name:            pulumi.String("77"),
		FunctionName:    function.Name,
		FunctionVersion: function.Version,
	})
	_, groupErr := cloudwatch.NewLogGroup(
		ctx,
		"group",
		&cloudwatch.LogGroupArgs{Name: pulumi.String("/taken")},
	)
	return errors.Join(aliasErr, groupErr)
}

func TestPreviewShowsAllThatIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	c := engine.Start(t, localcloud.Config{})
	file := filepath.Join(t.TempDir(), "function.zip")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := c.Stack(t.Context(), "dev", wrong(file))
	if err != nil {
		t.Fatal(err)
	}
	refusals, err := preview(t, s.Preview)
	if err == nil {
		t.Error("the preview passes")
	}
	for _, want := range []string{
		"files: the local cloud does not support the resource type aws:s3/bucket:Bucket",
		"role: maxSessionDuration is invalid",
		"attachment: policyArn is invalid: the local cloud does not know the AWS managed policy Admin",
		"function: memorySize is invalid",
		"function: timeout is invalid",
		"function: code: ",
		"alias: name is invalid",
	} {
		if !slices.ContainsFunc(refusals, func(r string) bool { return strings.HasPrefix(r, want) }) {
			t.Errorf("the preview does not say %q", want)
		}
	}
	if len(refusals) != 7 {
		t.Errorf("the preview refuses %q", refusals)
	}

	// Nothing was created: what was taken can be created, by the next preview's
	// program too.
	taken := func(ctx *pulumi.Context) error {
		_, err := cloudwatch.NewLogGroup(
			ctx,
			"group",
			&cloudwatch.LogGroupArgs{Name: pulumi.String("/taken")},
		)
		return err
	}
	c.Up(t, "dev", taken)
	if refusals, err := preview(t, s.Preview); err != nil || len(refusals) > 0 {
		t.Errorf("a program that is taken: %q, %v", refusals, err)
	}
}

func TestUpdateEndsWithTheFirstRefusal(t *testing.T) {
	t.Parallel()
	c := engine.Start(t, localcloud.Config{})
	s, err := c.Stack(t.Context(), "dev", func(ctx *pulumi.Context) error {
		_, err := iam.NewRole(ctx, "role", &iam.RoleArgs{
			AssumeRolePolicy:   pulumi.String(trust),
			MaxSessionDuration: pulumi.Int(60),
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Up(t.Context(), optup.SuppressProgress()); err == nil ||
		!strings.Contains(err.Error(), "maxSessionDuration is invalid") {
		t.Errorf("an update without a preview gives %v", err)
	}
}
