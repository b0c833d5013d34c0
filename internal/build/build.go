// Package build compiles a Lambda function and packs it into a zip that is the
// same for the same source, so that a second deployment changes nothing. It
// must not import anything of Pulumi.
package build

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Architecture is what a function is built for.
type Architecture string

// The architectures. Host is the system and processor of this machine, for
// the local cloud.
const (
	ARM64 Architecture = "arm64"
	X8664 Architecture = "x86_64"
	Host  Architecture = "host"
)

// Target returns GOOS and GOARCH.
func (a Architecture) Target() (goos, goarch string, err error) {
	switch a {
	case ARM64:
		return "linux", "arm64", nil
	case X8664:
		return "linux", "amd64", nil
	case Host:
		return runtime.GOOS, runtime.GOARCH, nil
	}
	return "", "", fmt.Errorf("the architecture %q is none of arm64, x86_64 and host", a)
}

// Native reports whether this machine runs what is built for the architecture.
func (a Architecture) Native() bool {
	goos, goarch, err := a.Target()
	return err == nil && goos == runtime.GOOS && goarch == runtime.GOARCH
}

// Lambda returns the name by which AWS knows the architecture.
func (a Architecture) Lambda() string {
	if a == ARM64 || a == Host && runtime.GOARCH == "arm64" {
		return string(ARM64)
	}
	return string(X8664)
}

// Root finds the module that contains dir: the directory with go.mod.
func Root(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for d := dir; ; d = filepath.Dir(d) {
		data, err := os.ReadFile(filepath.Join(d, "go.mod"))
		if err == nil && bytes.HasPrefix(data, []byte("module items-api\n")) {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf(
				"there is no go.mod of items-api in %s or above it: run this in a clone of the project",
				dir,
			)
		}
	}
}

// Function compiles the package of a function, such as "./handler", of the
// module at root and returns the path of its zip under .build. An error of the
// compiler carries its output.
func Function(ctx context.Context, root, pkg string, arch Architecture) (string, error) {
	goos, goarch, err := arch.Target()
	if err != nil {
		return "", err
	}
	out := filepath.Join(root, ".build")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return "", fmt.Errorf("creating the build directory: %w", err)
	}
	tmp, err := os.MkdirTemp(out, "tmp-")
	if err != nil {
		return "", fmt.Errorf("creating the build directory: %w", err)
	}
	defer os.RemoveAll(tmp)
	binary := filepath.Join(tmp, "bootstrap")
	if err := compile(ctx, root, pkg, binary, goos, goarch); err != nil {
		return "", err
	}
	data, err := pack(binary)
	if err != nil {
		return "", fmt.Errorf("packing %s: %w", pkg, err)
	}
	name := strings.ReplaceAll(strings.TrimPrefix(pkg, "./"), "/", "-") + "-" + goos + "-" + goarch + ".zip"
	path := filepath.Join(out, name)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return path, nil
	}
	// Renamed into place, so that a reader sees the old zip or the new one.
	file := filepath.Join(tmp, name)
	if err := os.WriteFile(file, data, 0o644); err != nil {
		return "", fmt.Errorf("writing the package of %s: %w", pkg, err)
	}
	return path, os.Rename(file, path)
}

func compile(ctx context.Context, root, pkg, binary, goos, goarch string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc",
		"-ldflags", "-s -w -buildid=", "-o", binary, pkg)
	cmd.Dir = root
	cmd.Env = append(
		os.Environ(),
		"GOOS="+goos,
		"GOARCH="+goarch,
		"CGO_ENABLED=0",
		"GOFLAGS=-mod=readonly",
		"GOAMD64=v1",
		"GOARM64=v8.0",
	)
	output, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf(
			"there is no go command in PATH, and the function %s must be compiled: install Go",
			pkg,
		)
	}
	if err != nil {
		return fmt.Errorf(
			"the function %s does not compile for %s/%s: correct this and deploy again\n%s",
			pkg,
			goos,
			goarch,
			strings.TrimSpace(string(output)),
		)
	}
	return nil
}

// epoch is the time stamp of every entry: the first that a zip can hold.
var epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func pack(binary string) ([]byte, error) {
	in, err := os.Open(binary)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	header := &zip.FileHeader{
		Name:     "bootstrap",
		Method:   zip.Deflate,
		Modified: epoch,
	}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, in); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
