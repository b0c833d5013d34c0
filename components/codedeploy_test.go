package components

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

var ofCodeDeploy = []string{
	"aws:codedeploy/application:Application",
	"aws:codedeploy/deploymentGroup:DeploymentGroup",
}

func TestCodeDeployMovesTheAliasUnderTheAlarms(t *testing.T) {
	t.Parallel()
	for strategy, config := range map[Strategy]string{
		CodeDeployLinear: "CodeDeployDefault.LambdaLinear10PercentEvery1Minute",
		CodeDeployCanary: "CodeDeployDefault.LambdaCanary10Percent5Minutes",
	} {
		both(t, released(Release{Strategy: strategy}), func(t *testing.T, r *recorder) {
			group := r.one(t, ofCodeDeploy[1])
			r.is(t, r.one(t, ofCodeDeploy[0]), "Lambda", "computePlatform")
			r.is(t, group, "items-1", "appName")
			r.is(t, group, Alias, "deploymentGroupName")
			r.is(t, group, config, "deploymentConfigName")
			r.is(t, group, "BLUE_GREEN", "deploymentStyle", "deploymentType")
			r.is(t, group, "WITH_TRAFFIC_CONTROL", "deploymentStyle", "deploymentOption")
			r.is(t, group, "arn:aws:x:us-east-1:000000000000:items-codedeploy", "serviceRoleArn")
			if got := texts(
				at(group, "autoRollbackConfiguration", "events"),
			); !slices.Equal(got, []string{"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"}) ||
				!at(group, "autoRollbackConfiguration", "enabled").BoolValue() {
				t.Errorf("it rolls back on %v", got)
			}
			if !at(group, "alarmConfiguration", "enabled").BoolValue() {
				t.Error("no alarm stops it")
			}
			if r.unknown {
				return
			}
			want := []string{
				"items-answers-1",
				"items-errors-1",
				"items-version-errors-1",
				"items-latency-1",
			}
			if got := texts(at(group, "alarmConfiguration", "alarms")); !slices.Equal(got, want) {
				t.Errorf("%v stop it", got)
			}
		})
	}
}

func TestWithoutCodeDeployThereIsNothingOfIt(t *testing.T) {
	t.Parallel()
	both(t, released(Release{}), func(t *testing.T, r *recorder) {
		if n := len(
			r.all(ofCodeDeploy[0]),
		) + len(
			r.all(ofCodeDeploy[1]),
		); n > 0 ||
			len(r.all("aws:iam/role:Role")) != 1 {
			t.Errorf("%d resources of CodeDeploy, %d roles", n, len(r.all("aws:iam/role:Role")))
		}
	})
}

func TestCodeDeployMayMoveThisAliasAndReadAlarms(t *testing.T) {
	t.Parallel()
	r := compose(t, false, released(Release{Strategy: CodeDeployCanary}))
	found := 0
	for _, m := range r.made {
		if m.Name != "items-codedeploy" {
			continue
		}
		found++
		text := m.Inputs["assumeRolePolicy"]
		want := codeDeployTrust
		if m.TypeToken == "aws:iam/rolePolicy:RolePolicy" {
			text = m.Inputs["policy"]
			const arn = "arn:aws:x:us-east-1:000000000000:items"
			want = policyDocument{"2012-10-17", []statement{
				{
					Sid:      "Alias",
					Effect:   "Allow",
					Action:   []string{"lambda:GetAlias", "lambda:UpdateAlias"},
					Resource: []string{arn, arn + ":live"},
				},
				{
					Sid:      "Concurrency",
					Effect:   "Allow",
					Action:   []string{"lambda:GetProvisionedConcurrencyConfig"},
					Resource: []string{arn + ":*"},
				},
				{
					Sid:      "Alarms",
					Effect:   "Allow",
					Action:   []string{"cloudwatch:DescribeAlarms"},
					Resource: []string{"*"},
				},
			}}
		}
		var got policyDocument
		if err := json.Unmarshal([]byte(text.StringValue()), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", m.TypeToken, diff)
		}
	}
	if found != 2 {
		t.Errorf("%d resources of the role were registered", found)
	}
}

func TestRollbackAsksForAVersionAndIsNotHeldUpByAlarms(t *testing.T) {
	t.Parallel()
	seen := make(chan []any, 1)
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		r, err := NewRestAPI(ctx, "items", released(Release{Strategy: CodeDeployLinear}))
		if err != nil {
			return err
		}
		pulumi.All(r.ReleaseCommand, r.RollbackCommand).ApplyT(func(v []any) error {
			seen <- v
			return nil
		})
		return nil
	}, pulumi.WithMocks("items-api", "test", &recorder{lookup: lookups("")}))
	if err != nil || len(seen) != 1 {
		t.Fatalf("the commands were never known: %v", err)
	}
	v := <-seen
	if release := v[0].(string); !strings.HasPrefix(
		release,
		"aws deploy create-deployment --region us-east-1 --application-name items-1 ",
	) ||
		!strings.HasSuffix(release, ` "3")"`) ||
		strings.Contains(release, "override") {
		t.Errorf("got %s", release)
	}
	rollback := v[1].(string)
	for _, want := range []string{
		`: "${VERSION:?`, ` && aws deploy create-deployment `,
		"--deployment-config-name CodeDeployDefault.LambdaAllAtOnce",
		"--override-alarm-configuration enabled=false", ` "$VERSION")"`,
	} {
		if !strings.Contains(rollback, want) {
			t.Errorf("%s is not in %s", want, rollback)
		}
	}
	c := exec.Command("sh", "-c", rollback)
	c.Env = []string{"PATH="}
	if out, err := c.CombinedOutput(); err == nil ||
		!strings.Contains(string(out), "the version to go back to") {
		t.Errorf("without VERSION it says %s, %v", out, err)
	}
}

// The commands are run as a user does, with a stand-in for the AWS CLI that
// notes how it is called.
func TestCommandsOfCodeDeployNameTheVersions(t *testing.T) {
	t.Parallel()
	release, err := moveCommand(
		"arn:aws:lambda:eu-west-1:111122223333:function:items-1",
		"items-1",
		"app",
		"7",
		"",
	)
	if err != nil {
		t.Fatal(err)
	}
	rollback, err := moveCommand(
		"arn:aws:lambda:eu-west-1:111122223333:function:items-1",
		"items-1",
		"app",
		"$VERSION",
		" --x y",
	)
	if err != nil {
		t.Fatal(err)
	}
	for command, target := range map[string]string{release: "7", rollback: "5"} {
		dir := t.TempDir()
		const aws = "#!/bin/sh\nif [ \"$1\" = lambda ]; then echo \"$@\" >\"$NOTES/alias\"; echo 6; exit; " +
			"fi\nfor a; do printf '%s\\n' \"$a\"; done\n"
		if err := os.WriteFile(filepath.Join(dir, "aws"), []byte(aws), 0o700); err != nil {
			t.Fatal(err)
		}
		c := exec.Command("sh", "-c", command)
		c.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "NOTES="+dir, "VERSION=5")
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		said := strings.Split(strings.TrimSpace(string(out)), "\n")
		want := []string{
			"deploy", "create-deployment", "--region", "eu-west-1", "--application-name", "app",
			"--deployment-group-name", "live",
		}
		if target == "5" {
			want = append(want, "--x", "y")
		}
		if diff := cmp.Diff(append(want, "--revision"), said[:len(said)-1]); diff != "" {
			t.Errorf("%s:\n%s", command, diff)
		}
		var revision struct {
			RevisionType   string
			AppSpecContent struct{ Content string }
		}
		if err := json.Unmarshal(
			[]byte(said[len(said)-1]),
			&revision,
		); err != nil ||
			revision.RevisionType != "AppSpecContent" {
			t.Fatalf("%v in %s", err, said)
		}
		const appSpec = `{"Resources":[{"items-1":{"Properties":{"Alias":"live","CurrentVersion":"6","Name":"items-1","TargetVersion":"TARGET"},"Type":"AWS::Lambda::Function"}}],"version":0.0}`
		if diff := cmp.Diff(
			strings.Replace(appSpec, "TARGET", target, 1),
			revision.AppSpecContent.Content,
		); diff != "" {
			t.Error(diff)
		}
		alias, err := os.ReadFile(filepath.Join(dir, "alias"))
		if err != nil ||
			strings.TrimSpace(
				string(alias),
			) != "lambda get-alias --region eu-west-1 --function-name items-1 --name live --query "+
				"FunctionVersion --output text" {
			t.Errorf("the alias was asked for by %s, %v", alias, err)
		}
	}
}
