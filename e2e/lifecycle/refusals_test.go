package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// mistaken registers three resources that are refused, each of which needs the
// one before it.
func mistaken(ctx *pulumi.Context) error {
	var bucket pulumi.CustomResourceState
	if err := ctx.RegisterResource("aws:s3/bucket:Bucket", "files", nil, &bucket); err != nil {
		return err
	}
	role, err := iam.NewRole(ctx, "role", &iam.RoleArgs{
		AssumeRolePolicy: pulumi.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
			`"Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}`),
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
	return err
}

// TestPreviewOfAnotherProgramShowsAllThatIsRefused runs an engine that has the
// lines of serve, and one that attaches without the policy pack, which shows the
// first refusal only.
func TestPreviewOfAnotherProgramShowsAllThatIsRefused(t *testing.T) {
	t.Parallel()
	p := clone(t)
	u := newUser(t, serving(t, p))
	refusals := []string{
		"the local cloud does not support the resource type aws:s3/bucket:Bucket",
		"maxSessionDuration is invalid: it must be from 3600 to 43200; got 60",
		"does not know the AWS managed policy AdministratorAccess",
	}
	whole := u.stack(t, "another", "plain", mistaken)
	_, err := whole.Preview(t.Context())
	if got := said(err, refusals); len(got) != 3 {
		t.Errorf("the preview says %q of three refusals: %v", got, err)
	}
	u.env = plain(t, attached(t, p))
	first := u.stack(t, "another", "attached", mistaken)
	_, err = first.Preview(t.Context())
	if got := said(err, refusals); len(got) != 1 {
		t.Errorf("without the policy pack the preview says %q: %v", got, err)
	}
}

// said returns which of some texts an error has.
func said(err error, texts []string) []string {
	text := fmt.Sprint(err)
	return slices.DeleteFunc(slices.Clone(texts), func(t string) bool { return !strings.Contains(text, t) })
}
