package stack

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func TestKeysInNamespacesThatAreNobodysAreRefused(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"item-api:audit":      "did you mean items-api:audit?",
		"items:encryption":    "did you mean items-api:encryption?",
		"my-app:network":      "did you mean items-api:network?",
		"items-apii:netwrok":  "did you mean items-api:network?",
		"ITEMS-API:memoryMB":  "did you mean items-api:memoryMB?",
		"asw:region":          "did you mean aws:region?",
		"AWS:region":          "did you mean aws:region?",
		"kubernetes:context":  "nothing is read; the project's is items-api",
		":audit":              "did you mean items-api:audit?",
		"something:different": "nothing is read; the project's is items-api",
	} {
		_, err := Parse(map[string]string{key: "1"})
		if err == nil || strings.Count(err.Error(), key+" is in the namespace") != 1 ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s gave %v, which does not say %q", key, err, want)
		}
	}
	_, err := Parse(map[string]string{"item-api:audit": "1", "items-api:memoryMB": "1", "x:y": "1"})
	for _, want := range []string{"item-api:audit", "items-api:memoryMB", "x:y"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
}

func TestKeysOfTheEngineAndOfPackagesAreLeftToThem(t *testing.T) {
	t.Parallel()
	for _, key := range []string{
		"aws:region", "aws:defaultTags", "awsx:x", "pulumi:disable-default-providers", "docker:host",
		"docker-build:host",
	} {
		if _, err := Parse(map[string]string{key: "1"}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// A package that comes with a dependency has a namespace too.
func TestNamespacesAreThoseOfThePackagesThatTheProgramUses(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"pulumi"}
	for _, m := range regexp.MustCompile(`github\.com/pulumi/pulumi-([a-z-]+)/sdk`).FindAllStringSubmatch(string(data), -1) {
		want = append(want, m[1])
	}
	slices.Sort(want)
	if want = slices.Compact(want); !slices.Equal(foreign, want) {
		t.Errorf("the namespaces are %v, the packages of go.mod %v", foreign, want)
	}
}

// The pulumi command passes all keys to the program.
func TestKeysInNamespacesThatAreNobodysAreSeenUnderThePulumiCommand(t *testing.T) {
	t.Setenv(pulumi.EnvConfig, `{"item-api:audit":"{\"enabled\":true}","aws:region":"us-east-1"}`)
	made, err := deploy(nil)
	if err == nil || !strings.Contains(err.Error(), "did you mean items-api:audit?") || len(made) > 0 {
		t.Errorf("got %v after %v", err, made)
	}
}
