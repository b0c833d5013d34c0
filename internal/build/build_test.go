package build

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module writes a module like this one with a tiny function.
func module(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":          "module items-api\n\ngo 1.26\n",
		"handler/main.go": source,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const tiny = "package main\n\nfunc main() { println(\"hello\") }\n"

func build(t *testing.T, dir string, arch Architecture) (string, []byte) {
	t.Helper()
	path, err := Function(t.Context(), dir, "./handler", arch)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, data
}

func TestSameSourceGivesSameBytesAnywhere(t *testing.T) {
	t.Parallel()
	path, first := build(t, module(t, tiny), ARM64)
	_, second := build(t, module(t, tiny), ARM64)
	if !bytes.Equal(first, second) {
		t.Error("two builds of the same source differ")
	}
	if _, other := build(
		t,
		module(t, strings.Replace(tiny, "hello", "hullo", 1)),
		ARM64,
	); bytes.Equal(
		first,
		other,
	) {
		t.Error("another source gives the same zip")
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	build(t, filepath.Dir(filepath.Dir(path)), ARM64)
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) {
		t.Error("an unchanged zip was written again")
	}
}

func TestBootstrapIsExecutableAndForTheArchitecture(t *testing.T) {
	t.Parallel()
	dir := module(t, tiny)
	for arch, machine := range map[Architecture]elf.Machine{ARM64: elf.EM_AARCH64, X8664: elf.EM_X86_64} {
		_, data := build(t, dir, arch)
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode() != 0o755 {
			t.Fatalf("%s: the zip holds %v", arch, z.File)
		}
		f, err := z.File[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		e, err := elf.NewFile(bytes.NewReader(content))
		if err != nil || e.Machine != machine {
			t.Errorf("%s: got %v, %v", arch, e, err)
		}
	}
}

func TestCompileErrorCarriesTheCompilersOutput(t *testing.T) {
	t.Parallel()
	_, err := Function(
		t.Context(),
		module(t, "package main\n\nfunc main() { undefined() }\n"),
		"./handler",
		X8664,
	)
	if err == nil || !strings.Contains(err.Error(), "main.go:3") ||
		!strings.Contains(err.Error(), "undefined") ||
		!strings.Contains(err.Error(), "./handler") {
		t.Errorf("got %v", err)
	}
}

func TestRootOutsideOfTheProject(t *testing.T) {
	t.Parallel()
	if _, err := Root(t.TempDir()); err == nil || !strings.Contains(err.Error(), "clone") {
		t.Errorf("got %v", err)
	}
}

// The arrows of the design: nothing of Pulumi in the function, nothing of the
// application in the local cloud.
func TestImportsPointInOneDirection(t *testing.T) {
	t.Parallel()
	root, err := Root(".")
	if err != nil {
		t.Fatal(err)
	}
	application := []string{
		"items-api/internal/api", "items-api/internal/store", "items-api/components", "items-api/stack",
		"items-api/handler", "items-api/internal/apikey", "items-api/internal/client",
		"items-api/internal/logging",
	}
	for pattern, forbidden := range map[string][]string{
		"./handler": {"github.com/pulumi/", "items-api/internal/localcloud", "items-api/components", "items-api/internal/api/openapi"},
		"./handler/authorizer": {
			"github.com/pulumi/", "items-api/internal/localcloud", "items-api/components",
			"items-api/internal/api/openapi", "github.com/spf13/",
		},
		"./internal/store":               {"github.com/pulumi/", "items-api/internal/localcloud", "github.com/aws/aws-lambda-go"},
		"./internal/api":                 {"github.com/pulumi/", "github.com/aws/", "items-api/internal/store"},
		"./internal/localcloud/...":      application,
		"./internal/localcloud/gateway":  {"github.com/pulumi/"},
		"./internal/localcloud/runtime":  {"github.com/pulumi/"},
		"./internal/localcloud/dynamodb": {"github.com/pulumi/"},
		"./components":                   {"items-api/internal/localcloud", "items-api/handler", "items-api/stack"},
		"./stack":                        {"items-api/internal/localcloud", "items-api/handler", "items-api/cmd"},
	} {
		cmd := exec.Command("go", "list", "-deps", pattern)
		cmd.Dir = root
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("listing what %s imports: %v", pattern, err)
		}
		for pkg := range strings.Lines(string(out)) {
			for _, f := range forbidden {
				if strings.HasPrefix(pkg, f) {
					t.Errorf("%s imports %s", pattern, strings.TrimSpace(pkg))
				}
			}
		}
	}
}
