package stack

import (
	"strings"
	"testing"

	"items-api/components"
)

func TestReleaseIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Release{
		`{}`: {Strategy: components.AllAtOnce},
		`{"version":7}`: {
			Strategy: components.AllAtOnce,
			Version:  "7",
		}, // as `pulumi config set --path` writes it
		`{"version":"7"}`:                  {Strategy: components.AllAtOnce, Version: "7"},
		`{"version":""}`:                   {Strategy: components.AllAtOnce},
		`{"strategy":"codedeploy-linear"}`: {Strategy: components.CodeDeployLinear},
	} {
		s, err := Parse(map[string]string{"items-api:release": text})
		if err != nil || s.Release != want {
			t.Errorf("%s is read as %+v, %v", text, s.Release, err)
		}
	}
	if s, err := Parse(
		map[string]string{"items-api:canary": `{"weight":12.5}`},
	); err != nil ||
		s.Canary.Weight != 12.5 {
		t.Errorf("the canary is read as %+v, %v", s.Canary, err)
	}
}

func TestReleaseOrChangeThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ key, value, want string }{
		{"release", `{"strategy":"blue-green"}`, "all-at-once, codedeploy-linear, codedeploy-canary"},
		{"release", `{"version":"live"}`, "the number of a published version"},
		{"release", `{"version":0}`, "the number of a published version"},
		{"release", `{"version":-1}`, "the number of a published version"},
		{"release", `{"version":true}`, "another type"},
		{"release", `{"version":"7","strategy":"codedeploy-canary"}`, "the output rollback"},
		{"release", `{"wersion":"7"}`, `the field "wersion"`},
		{"canary", `{"weight":100}`, "from 0 to below 100"},
		{"canary", `{"weight":-1}`, "from 0 to below 100"},
		{"canary", `{"weight":"10"}`, "another type"},
		{"canary", `10`, "must be a map of weight"},
		{"schema", `{"allow":"everything"}`, "as a preview spells it"},
		{"schema", `{"allow":"replace "}`, "as a preview spells it"},
		{"schema", `{"allow":true}`, "another type"},
	} {
		made, err := deploy(map[string]string{"items-api:" + c.key: c.value})
		if err == nil || !strings.Contains(err.Error(), "items-api:"+c.key) ||
			!strings.Contains(err.Error(), c.want) ||
			len(made) > 0 {
			t.Errorf("%s: got %v, %v", c.value, made, err)
		}
	}
	made, err := deploy(map[string]string{
		"items-api:canary":  `{"weight":10}`,
		"items-api:release": `{"strategy":"codedeploy-linear"}`,
	})
	if err == nil || !strings.Contains(err.Error(), "items-api:canary") ||
		!strings.Contains(err.Error(), "items-api:release") ||
		len(made) > 0 {
		t.Errorf("a canary with CodeDeploy: got %v, %v", made, err)
	}
}
