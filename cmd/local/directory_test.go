package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// write makes files with their own paths as content.
func write(t *testing.T, dir string, files ...string) {
	t.Helper()
	for _, f := range files {
		path := filepath.Join(dir, f)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(f), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// files returns the paths of all files below dir.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		out = append(out, rel)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func TestStackNamesAreThoseOfTheEngine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 100)
	for _, name := range []string{
		"local", "dynamodb", "state", "stacks", "a.b", "...", "-x", "_", "Z9", long,
	} {
		if err := checkStackName(name); err != nil {
			t.Errorf("%q is refused: %v", name, err)
		}
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b", `a\b`, "a b", "a*", "ä", "a\n", long + "a"} {
		err := checkStackName(name)
		if err == nil || !strings.Contains(err.Error(), "valid stack name") ||
			!strings.Contains(err.Error(), "--stack") {
			t.Errorf("%q gave %v", name, err)
		}
	}
}

// leaves returns the paths of all commands that users run.
func leaves(c *cobra.Command) [][]string {
	if c.Hidden {
		return nil
	}
	if !c.HasSubCommands() {
		return [][]string{strings.Fields(c.CommandPath())[1:]}
	}
	var out [][]string
	for _, sub := range c.Commands() {
		out = append(out, leaves(sub)...)
	}
	return out
}

func TestEveryCommandRefusesABadStackName(t *testing.T) {
	t.Parallel()
	all := leaves(command(&options{}))
	if len(all) < 10 {
		t.Fatalf("there are %d commands only: %v", len(all), all)
	}
	for _, args := range all {
		c, _, err := command(&options{}).Find(args)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		root := command(&options{})
		// Arguments for what wants some; too many are a mistake as well.
		for n := range 3 {
			given := slices.Repeat([]string{"[]"}, n)
			if c.Args == nil || c.Args(c, given) == nil {
				args = append(slices.Clone(args), given...)
				break
			}
		}
		root.SetArgs(append(slices.Clone(args), "--stack", "..", "--dir", filepath.Join(dir, "a")))
		err = root.ExecuteContext(t.Context())
		if err == nil || !strings.Contains(err.Error(), `".." is not a valid stack name`) {
			t.Errorf("%v: got %v", args, err)
		}
		if left := files(t, dir); len(left) > 0 {
			t.Errorf("%v left %v", args, left)
		}
	}
}

// Earlier versions had .local/<stack> beside the directories of the cloud.
func TestDirectoriesOfStacksOfEarlierVersionsAreMoved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, after []string }{
		"nothing": {nil, nil},
		"one": {
			[]string{"local/outputs.json", "local/work/Pulumi.local.yaml", "local/work/Pulumi.yaml", "lock"},
			[]string{
				"lock", "stacks/local/outputs.json", "stacks/local/work/Pulumi.local.yaml", "stacks/local/work/Pulumi.yaml",
			},
		},
		"not deployed yet": {
			[]string{"dev/work/Pulumi.dev.yaml"},
			[]string{"stacks/dev/work/Pulumi.dev.yaml"},
		},
		"named like a directory of the cloud": {
			[]string{"dynamodb/outputs.json", "dynamodb/work/Pulumi.dynamodb.yaml", "dynamodb/data.db"},
			[]string{"dynamodb/data.db", "stacks/dynamodb/outputs.json", "stacks/dynamodb/work/Pulumi.dynamodb.yaml"},
		},
		"named stacks": {
			[]string{"stacks/outputs.json", "stacks/work/Pulumi.stacks.yaml", "work/outputs.json", "work/work/Pulumi.work.yaml"},
			[]string{
				"stacks/stacks/outputs.json", "stacks/stacks/work/Pulumi.stacks.yaml",
				"stacks/work/outputs.json", "stacks/work/work/Pulumi.work.yaml",
			},
		},
		"killed on the way": {
			[]string{"local/work/Pulumi.local.yaml", "stacks/local/outputs.json"},
			[]string{"stacks/local/outputs.json", "stacks/local/work/Pulumi.local.yaml"},
		},
		"deployed by an earlier version again": {
			[]string{
				"local/outputs.json", "local/work/Pulumi.local.yaml", "stacks/local/outputs.json",
				"stacks/local/work/Pulumi.local.yaml", "stacks/local/work/old",
			},
			[]string{"stacks/local/outputs.json", "stacks/local/work/Pulumi.local.yaml"},
		},
		"somebody else's": {
			[]string{"pulumi/work/Pulumi.local.yaml", "x/outputs.json"},
			[]string{"pulumi/work/Pulumi.local.yaml", "x/outputs.json"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &options{dir: filepath.Join(t.TempDir(), "a [*]?b"), stack: "local"}
			if err := os.Mkdir(o.dir, 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, o.dir, c.before...)
			for range 2 {
				if err := o.enter(); err != nil {
					t.Fatal(err)
				}
				if got := files(t, o.dir); !slices.Equal(got, c.after) {
					t.Errorf("got %v, want %v", got, c.after)
				}
			}
		})
	}
}

func TestForgetRemovesTheFilesOfOneStackOnly(t *testing.T) {
	t.Parallel()
	o := &options{dir: t.TempDir(), stack: "b"}
	const engine, logs = "pulumi/.pulumi/", "pulumi-home/logs/organization+items-api+"
	kept := []string{
		"dynamodb/data.db",
		"pulumi/.pulumi/history/items-api/bb/x",
		"pulumi/.pulumi/locks/organization/items-api/bb/x.json",
		engine + "stacks/items-api/b.json.json",
		engine + "stacks/items-api/bb.json.bak",
		logs + "b-20261126T044311-20261126T044311.log",
		logs + "bb-20261126T044311.log",
		"stacks/bb/outputs.json",
	}
	write(t, o.dir, kept...)
	write(
		t,
		o.dir,
		"stacks/b/outputs.json",
		"stacks/b/work/Pulumi.b.yaml",
		engine+"stacks/items-api/b.json.bak",
		engine+"history/items-api/b/x",
		engine+"locks/organization/items-api/b/x.json",
		engine+"backups/items-api/b/x",
		logs+"b-20261126T044311.log",
	)
	if err := o.forget(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(kept)
	if got := files(t, o.dir); !slices.Equal(got, kept) {
		t.Errorf("got %v, want %v", got, kept)
	}
}
