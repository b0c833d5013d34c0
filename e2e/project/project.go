// Package project runs the local command on a copy of the project, as a user
// does in a clone, for tests.
package project

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"items-api/e2e/engine"
	"items-api/internal/build"
)

// deadline is how long a command may take until it is ready.
const deadline = 4 * time.Minute

// Binary compiles cmd/local into a directory.
func Binary(dir string) (string, error) {
	root, err := build.Root(".")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "local")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/local")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building cmd/local: %w\n%s", err, out)
	}
	return path, nil
}

// Serve runs a copy with configuration keys of the stack local for a test.
func Serve(t testing.TB, binary string, config map[string]any) *Project {
	t.Helper()
	p, err := Copy(binary, t.TempDir())
	if err == nil {
		err = p.Configure(config)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.Serve(t)
	return p
}

// Serve runs `local up` until the end of a test; args come after it.
func (p *Project) Serve(t testing.TB, args ...string) *Up {
	t.Helper()
	u, err := p.Up(args...)
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

// Main compiles cmd/local, runs the tests of a package with its path in binary,
// and exits.
func Main(m *testing.M, binary *string) {
	dir, err := os.MkdirTemp("", "items-api-binary-")
	if err == nil {
		*binary, err = Binary(dir)
	}
	code := 1
	if err == nil {
		code = m.Run()
	}
	if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// Project is a copy of the project's sources with a local cloud of its own.
type Project struct {
	Dir    string
	Port   int
	binary string
	tools  string
}

// Copy copies the sources to dir.
func Copy(binary, dir string) (*Project, error) {
	root, err := build.Root(".")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{
		"go.mod", "go.sum", "main.go", "Pulumi.yaml", "Pulumi.local.yaml", "Pulumi.dev.yaml",
		"Pulumi.prod.yaml",
	} {
		if err := copyFile(filepath.Join(root, name), filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	for _, sub := range []string{"handler", "components", "stack", "internal"} {
		if err := os.CopyFS(filepath.Join(dir, sub), os.DirFS(filepath.Join(root, sub))); err != nil {
			return nil, err
		}
	}
	port, err := engine.FreePort()
	return &Project{
		Dir:    dir,
		Port:   port,
		binary: binary,
		tools:  filepath.Join(root, ".tools"),
	}, err
}

// Tools returns the directory of the tools that commands are given.
func (p *Project) Tools() string { return p.tools }

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

func (p *Project) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.binary, append(args, "--tools", p.tools)...)
	cmd.Dir = p.Dir
	return cmd
}

// Run runs a command to its end and returns all that it printed.
func (p *Project) Run(args ...string) (string, error) { return p.RunWith(nil, args...) }

// RunWith runs a command with additional environment variables.
func (p *Project) RunWith(env []string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.binary, append(args, "--tools", p.tools)...)
	cmd.Dir, cmd.Env = p.Dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Up is a running `local up` or `local serve`.
type Up struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
	out  *output
}

type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// Start runs a command that serves, and waits until it prints ready.
func (p *Project) Start(ready string, args ...string) (*Up, error) {
	u := &Up{
		cmd:  p.command(args...),
		done: make(chan struct{}),
		out:  &output{},
	}
	u.cmd.Stdout, u.cmd.Stderr = u.out, u.out
	if err := u.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		u.err = u.cmd.Wait()
		close(u.done)
	}()
	return u, u.Wait(func() bool { return strings.Contains(u.Output(), ready) })
}

// Up starts `local up` on the project's port; args come after it.
func (p *Project) Up(args ...string) (*Up, error) {
	return p.Start("Streaming requests", append([]string{"up", "--port", strconv.Itoa(p.Port)}, args...)...)
}

// Wait waits for a condition, for at most a deadline or the process's end.
func (u *Up) Wait(condition func() bool) error {
	timer := time.NewTimer(deadline)
	defer timer.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-u.done:
			if condition() {
				return nil
			}
			return fmt.Errorf("the command ended (%v):\n%s", u.err, u.Output())
		case <-timer.C:
			return errors.Join(fmt.Errorf("still waiting after %s:\n%s", deadline, u.Output()), u.Kill())
		case <-tick.C:
		}
	}
	return nil
}

// Output returns what was printed so far.
func (u *Up) Output() string { return u.out.String() }

// Stop interrupts the command, as Ctrl-C does, and waits for its end.
func (u *Up) Stop() error { return u.end(syscall.SIGINT) }

// Kill kills the command with SIGKILL and waits for its end.
func (u *Up) Kill() error { return u.end(syscall.SIGKILL) }

func (u *Up) end(sig syscall.Signal) error {
	select {
	case <-u.done:
		return nil
	default:
	}
	if err := u.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-u.done:
		return nil
	case <-time.After(time.Minute):
		return errors.Join(errors.New("the command did not end"), u.cmd.Process.Kill())
	}
}

// Outputs returns the outputs of the stack local.
func (p *Project) Outputs() (map[string]any, error) { return p.OutputsOf("local") }

// OutputsOf returns the outputs of a stack.
func (p *Project) OutputsOf(stack string) (map[string]any, error) {
	data, err := os.ReadFile(filepath.Join(p.Dir, ".local", "stacks", stack, "outputs.json"))
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	return out, json.Unmarshal(data, &out)
}

// Records returns the names of the files of the cloud's state.
func (p *Project) Records() ([]string, error) {
	var out []string
	err := filepath.WalkDir(
		filepath.Join(p.Dir, ".local", "state"),
		func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				out = append(out, path)
			}
			return err
		},
	)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return out, err
}

// Configure sets configuration keys of the stack local, without their
// namespace; nil takes a key away.
func (p *Project) Configure(keys map[string]any) error { return p.ConfigureStack("local", keys) }

// ConfigureStack does so for a stack.
func (p *Project) ConfigureStack(stack string, keys map[string]any) error {
	file := filepath.Join(p.Dir, "Pulumi."+stack+".yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var doc struct {
		Config map[string]any `yaml:"config"`
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return err
	}
	for k, v := range keys {
		if v == nil {
			delete(doc.Config, "items-api:"+k)
			continue
		}
		doc.Config["items-api:"+k] = v
	}
	if data, err = yaml.Marshal(doc); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}
