package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A census that misses a state would take all that the stack has for left over.
func TestStatesAreFoundInADirectoryThatLooksLikeAPattern(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"[work]", "a*b", "what?", `back\slash`} {
		dir := filepath.Join(t.TempDir(), name, ".local")
		own := filepath.Join(dir, "pulumi", ".pulumi", "stacks", project)
		const checkpoint = `{"version":3,"checkpoint":{"stack":"organization/items-api/local","latest":{"resources":[
			{"urn":"urn:pulumi:local::items-api::aws:iam/role:Role::x","id":"x-1"}]}}}`
		err := errors.Join(
			os.MkdirAll(own, 0o700),
			os.WriteFile(filepath.Join(own, "local.json"), []byte(checkpoint), 0o600),
		)
		if err != nil {
			t.Fatal(err)
		}
		c, err := (&options{dir: dir}).census(strings.NewReader(""), cleaning{})
		if err != nil || len(c.States) != 1 || len(c.States[0].Resources) != 1 {
			t.Errorf("in %s: got %+v, %v", dir, c.States, err)
		}
	}
}

func TestStatesThatCannotBeReadEndTheCensus(t *testing.T) {
	t.Parallel()
	for _, name := range []string{project + "/local.json.gz", "local.json", "local.json.gz"} {
		dir := t.TempDir()
		file := filepath.Join(dir, "pulumi", ".pulumi", "stacks", filepath.FromSlash(name))
		err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte("x"), 0o600))
		if err != nil {
			t.Fatal(err)
		}
		_, err = (&options{dir: dir}).census(strings.NewReader(""), cleaning{})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s gave %v", name, err)
		}
	}
}

// Without its plug-ins in PATH an engine would go to AWS.
func TestDirectoryThatPathCannotHoldIsRefused(t *testing.T) {
	t.Parallel()
	if err := inPath("/home/a b/it's/.local/plugins"); err != nil {
		t.Error(err)
	}
	if err := inPath("/home/a:b/.local/plugins"); err == nil || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("got %v", err)
	}
}
