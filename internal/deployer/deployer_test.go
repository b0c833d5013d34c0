package deployer

import (
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/permissions.md")

const file = "../../docs/permissions.md"

func TestPageIsMadeFromTheCode(t *testing.T) {
	want, err := Page()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/permissions.md is out of date: run go test ./internal/deployer -update")
	}
}

// An IAM policy that is managed by a customer may have 6,144 characters, white
// space not counted. Source: IAM user guide, "IAM and AWS STS quotas".
func TestPoliciesFitIntoIAM(t *testing.T) {
	t.Parallel()
	for _, p := range Parts() {
		data, err := json.Marshal(p.Policy())
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > 6144 {
			t.Errorf("the policy %q has %d characters", p.Name, len(data))
		}
	}
}

func TestEveryTypeHasActionsWithNamesOfIAM(t *testing.T) {
	t.Parallel()
	action := regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z0-9]+\*?$`)
	seen := map[string]bool{}
	for _, p := range Parts() {
		for _, x := range p.Types {
			if seen[x.Token] {
				t.Errorf("%s appears twice", x.Token)
			}
			seen[x.Token] = true
			if len(x.Actions)+len(x.Anywhere) == 0 || (len(x.Actions) > 0) != (len(x.Resources) > 0) {
				t.Errorf(
					"%s has %d actions, %d anywhere and %d resources",
					x.Token,
					len(x.Actions),
					len(x.Anywhere),
					len(x.Resources),
				)
			}
			for _, a := range append(x.Actions, x.Anywhere...) {
				if !action.MatchString(a) {
					t.Errorf("%s has the action %q", x.Token, a)
				}
			}
			for _, r := range x.Resources {
				if !strings.HasPrefix(r, "arn:aws:") {
					t.Errorf("%s has the resource %q", x.Token, r)
				}
			}
		}
	}
	if got := Missing(
		[]string{"aws:sqs/queue:Queue", "aws:kms/key:Key", "awsx:ec2:Vpc"},
	); len(got) != 1 ||
		got[0] != "aws:sqs/queue:Queue" {
		t.Errorf("missing are %v", got)
	}
}

// CloudWatch judges it on all alarms: a policy that names some denies it.
func TestAlarmsAreDescribedOnAllAlarms(t *testing.T) {
	t.Parallel()
	for _, s := range Parts()[0].Policy().Statement {
		if slices.Contains(s.Action, "cloudwatch:DescribeAlarms") != slices.Equal(s.Resource, []string{"*"}) {
			t.Errorf("%v is allowed on %v", s.Action, s.Resource)
		}
	}
}
