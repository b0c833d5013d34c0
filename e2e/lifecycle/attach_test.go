package lifecycle

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/e2e/project"
	"items-api/internal/build"
	"items-api/internal/localcloud"
)

// user is somebody who deploys programs with the plain pulumi command.
type user struct {
	work string // where the program is
	env  map[string]string
	root string // of the repository, with the tools
}

// newUser returns a user whose shell has the lines that `serve` printed.
func newUser(t *testing.T, u *project.Up) user {
	t.Helper()
	root, err := build.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	return user{work: t.TempDir(), env: plain(t, exports(u)), root: root}
}

// plain adds a backend of the user's own to variables.
func plain(t *testing.T, env map[string]string) map[string]string {
	t.Helper()
	out := map[string]string{
		"PULUMI_BACKEND_URL":       "file://" + t.TempDir(),
		"PULUMI_CONFIG_PASSPHRASE": "",
		"PULUMI_SKIP_UPDATE_CHECK": "true",
	}
	maps.Copy(out, env)
	return out
}

// exports reads the lines that `serve` printed, as a shell does.
func exports(u *project.Up) map[string]string {
	env := map[string]string{}
	for line := range strings.Lines(u.Output()) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "export "); ok {
			k, v, _ := strings.Cut(rest, "=")
			env[k] = strings.Trim(strings.ReplaceAll(v, "$PATH", os.Getenv("PATH")), "'")
		}
	}
	return env
}

// attached returns the variables of one who attaches by PULUMI_DEBUG_PROVIDERS.
func attached(t *testing.T, p *project.Project) map[string]string {
	t.Helper()
	dir := filepath.Join(p.Dir, ".local")
	instance, ok := localcloud.Running(dir)
	if !ok {
		t.Fatal("the local cloud is not running")
	}
	return instance.Environment(dir)
}

// stack opens a stack of a program.
func (u user) stack(t *testing.T, projectName, name string, program pulumi.RunFunc) auto.Stack {
	t.Helper()
	options := []auto.LocalWorkspaceOption{
		auto.EnvVars(u.env),
		auto.PulumiHome(t.TempDir()),
		auto.WorkDir(u.work),
	}
	tools := &auto.PulumiCommandOptions{Root: filepath.Join(u.root, ".tools")}
	if cli, err := auto.NewPulumiCommand(tools); err == nil {
		options = append(options, auto.Pulumi(cli))
	}
	s, err := auto.UpsertStackInlineSource(t.Context(), name, projectName, program, options...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// serving runs `local serve` until the end of the test.
func serving(t *testing.T, p *project.Project) *project.Up {
	t.Helper()
	u, err := p.Start("# Paste", "serve")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := u.Stop(); err != nil {
			t.Error(err)
		}
	})
	return u
}

// up deploys and returns the outputs as texts.
func up(t *testing.T, s auto.Stack) auto.UpResult {
	t.Helper()
	r, err := s.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// destroyed removes a stack at the end of a test.
func destroyed(t *testing.T, s auto.Stack) {
	t.Helper()
	if _, err := s.Destroy(context.WithoutCancel(t.Context()), optdestroy.RunProgram(true)); err != nil {
		t.Error(err)
	}
}
