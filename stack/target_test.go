package stack

import (
	"runtime"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/build"
)

// account answers as the cloud of an account.
type account string

func (a account) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	return args.Name, args.Inputs, nil
}

func (a account) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return resource.PropertyMap{"accountId": resource.NewStringProperty(string(a))}, nil
}

// The local cloud runs the functions on this machine, and AWS on what the stack
// declares.
func TestFunctionsAreCompiledForWhereTheyRun(t *testing.T) {
	t.Parallel()
	const onAWS = "111122223333"
	cases := []struct {
		account  account
		declared build.Architecture
		want     build.Architecture
		refused  bool
	}{
		{LocalAccount, build.ARM64, build.Host, false},
		{LocalAccount, build.X8664, build.Host, false},
		{LocalAccount, build.Host, build.Host, false},
		{onAWS, build.ARM64, build.ARM64, false},
		{onAWS, build.X8664, build.X8664, false},
		{onAWS, build.Host, "", true},
	}
	for _, c := range cases {
		s := Defaults()
		s.Architecture = c.declared
		var got build.Architecture
		err := pulumi.RunErr(func(ctx *pulumi.Context) (err error) {
			got, err = compiledFor(ctx, s)
			return err
		}, pulumi.WithMocks("items-api", "dev", c.account))
		if c.refused {
			if err == nil || !strings.Contains(err.Error(), "items-api:architecture is host") {
				t.Errorf("%s on %s: %v", c.declared, c.account, err)
			}
			continue
		}
		if err != nil || system(t, got) != system(t, c.want) {
			t.Errorf("%s on %s is compiled for %s, %v", c.declared, c.account, got, err)
		}
	}
}

// system returns what an architecture is for the compiler.
func system(t *testing.T, a build.Architecture) string {
	t.Helper()
	goos, goarch, err := a.Target()
	if err != nil {
		t.Fatal(err)
	}
	if a.Native() != (goos == runtime.GOOS && goarch == runtime.GOARCH) {
		t.Errorf("%s is native: %v", a, a.Native())
	}
	return goos + "/" + goarch
}
