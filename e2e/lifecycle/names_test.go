package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"items-api/e2e/rest"
)

// A stack may have the name of a directory of the cloud. The end of it is also
// a start of the stack local on the directories of an earlier version.
func TestStackNamedLikeADirectoryOfTheCloudHarmsNoOther(t *testing.T) {
	t.Parallel()
	p := clone(t)
	const name = "dynamodb"
	settings, err := os.ReadFile(filepath.Join(p.Dir, "Pulumi.local.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.Dir, "Pulumi."+name+".yaml"), settings, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.ConfigureStack(name, map[string]any{"auth": map[string]any{"mode": "cognito"}}); err != nil {
		t.Fatal(err)
	}
	u := p.Serve(t)
	first := url(t, p)
	location := rest.Send(t, "POST", first+"/items", `{"name":"kept"}`).Header.Get("Location")
	kept := func(when string) {
		t.Helper()
		if a := rest.Send(t, "GET", first+location, nil); a.Status != 200 {
			t.Errorf("%s the item gives %d", when, a.Status)
		}
	}
	kept("before")
	run := func(want string, args ...string) string {
		t.Helper()
		out, err := p.Run(append(args, "--stack", name)...)
		if err != nil || !strings.Contains(out, want) {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(out)
	}
	run("token --stack "+name, "deploy")
	run(`"authMode": "cognito"`, "outputs")
	run("[]", "faults", "show")
	run("items", "roles")
	token := run(".", "token", "--sub", "alice")
	out, err := p.OutputsOf(name)
	if err != nil {
		t.Fatal(err)
	}
	second, _ := out["url"].(string)
	if a := rest.Send(t, "GET", second+"/items", nil, "Authorization", "Bearer "+token); a.Status != 200 {
		t.Errorf("with a token of the stack its API answers %d", a.Status)
	}
	if out, err := p.Run(
		"keys",
		"list",
		"--stack",
		name,
	); err == nil ||
		!strings.Contains(out, "set auth.mode to lambda") {
		t.Errorf("keys: %v\n%s", err, out)
	}
	allow := map[string]any{"schema": map[string]any{"allow": fmt.Sprint("delete ", out["tableName"])}}
	if err := p.ConfigureStack(name, allow); err != nil {
		t.Fatal(err)
	}
	run("is gone", "destroy")
	if _, err := os.Stat(filepath.Join(p.Dir, ".local", "stacks", name)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("files of the stack are left: %v", err)
	}
	kept("after the other stack's destruction")
	if err := u.Stop(); err != nil {
		t.Fatal(err)
	}
	earlier := filepath.Join(p.Dir, ".local", "local")
	if err := os.Rename(filepath.Join(p.Dir, ".local", "stacks", "local"), earlier); err != nil {
		t.Fatal(err)
	}
	again := p.Serve(t)
	if !strings.Contains(again.Output(), "0 changes") || url(t, p) != first {
		t.Errorf("from %s to %s:\n%s", first, url(t, p), again.Output())
	}
	kept("with the directories of an earlier version")
	if _, err := os.Stat(earlier); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the earlier directory is left: %v", err)
	}
}
