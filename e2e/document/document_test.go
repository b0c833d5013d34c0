//go:build document

// Package document holds the API's document against what the API does, with the
// tools of those who use such documents: Redocly's linter, a client that
// openapi-typescript makes, and Prism as a proxy. They are in package.json, and
// `make document` installs them.
package document

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"items-api/e2e/project"
	"items-api/e2e/rest"
	"items-api/internal/build"
)

var binary string

func TestMain(m *testing.M) { project.Main(m, &binary) }

// patience is how long a tool may take.
const patience = 3 * time.Minute

// tools is where `make document` installs the packages.
func tools(t *testing.T) string {
	t.Helper()
	root, err := build.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, ".tools", "document")
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		t.Fatalf("the tools are not installed: run make document (%v)", err)
	}
	return dir
}

// tool returns a command of the packages. None of them may report home.
func tool(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "node_modules", ".bin", name), args...)
	cmd.Dir = dir
	cmd.Env = append(
		os.Environ(),
		"REDOCLY_TELEMETRY=off",
		"REDOCLY_SUPPRESS_UPDATE_NOTICE=true",
		"NO_COLOR=1",
	)
	return cmd
}

func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Args, err, out)
	}
	return string(out)
}

func document(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../internal/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheLinterFindsNoError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	t.Log(run(t, tool(ctx, tools(t), "redocly", "lint", document(t))))
}

// casts are what would make types say what the document does not.
var casts = regexp.MustCompile(`\bas\b|\bany\b|@ts-|!\.|!;|!\)|<[A-Z]\w*>\(`)

func TestAClientMadeFromTheDocumentCompilesAndWorks(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("client.ts")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(source), "\n") {
		if found := casts.FindString(line); found != "" && !strings.HasPrefix(line, "//") {
			t.Errorf("client.ts:%d has %q: a type that the document does not give", i+1, found)
		}
	}
	url := serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dir := workspace(t)
	served := filepath.Join(dir, "openapi.json")
	write(t, served, rest.Send(t, "GET", url+"/openapi.json", nil).Want(t, 200).Body)
	write(t, filepath.Join(dir, "client.ts"), source)
	config, err := os.ReadFile("tsconfig.json")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "tsconfig.json"), config)
	run(t, tool(ctx, dir, "openapi-typescript", served, "-o", filepath.Join(dir, "schema.d.ts")))
	run(t, tool(ctx, dir, "tsc", "-p", dir))
	client := exec.CommandContext(ctx, "node", filepath.Join("out", "client.js"))
	client.Dir, client.Env = dir, append(os.Environ(), "API_URL="+url)
	if out := run(t, client); strings.TrimSpace(out) != "not_found" {
		t.Errorf("the client ended with %s", out)
	}
}

func serve(t *testing.T) string {
	t.Helper()
	p := project.Serve(t, binary, nil)
	outputs, err := p.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(outputs["url"])
}

// workspace is a directory where the packages are found.
func workspace(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"node_modules", "package.json"} {
		if err := os.Symlink(filepath.Join(tools(t), name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
