package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// pulumi finds the CLI: the one that make tools built, or the one in PATH.
func (o *options) pulumi() (auto.PulumiCommand, error) {
	root, err := filepath.Abs(o.tools)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(root, "bin", "pulumi")
	if _, err := os.Stat(path); err != nil {
		if path, err = exec.LookPath("pulumi"); err != nil {
			return nil, errors.New("there is no Pulumi CLI in .tools or in PATH: run `make tools`")
		}
		root = ""
	}
	known, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: root})
	if err != nil {
		return nil, fmt.Errorf("using the Pulumi CLI: %w", err)
	}
	return &engineCLI{
		PulumiCommand: known,
		path:          path,
		children:      &o.children,
	}, nil
}

// engineCLI runs the Pulumi CLI as the Automation API does, but in a process group of
// its own. The CLI would get each Ctrl-C twice otherwise, from the terminal and
// from the Automation API, and at the second it gives up at once and leaves
// resources that nobody knows of.
type engineCLI struct {
	auto.PulumiCommand // its version
	path               string
	children           *children
}

// patience is how long the CLI may take to end after an interrupt; it is what
// the Automation API allows.
const patience = 10 * time.Second

// Run runs the CLI to its end. When ctx is done it is interrupted once.
func (c *engineCLI) Run(
	ctx context.Context,
	dir string,
	in io.Reader,
	out, errOut []io.Writer,
	env []string,
	args ...string,
) (stdout, stderr string, code int, err error) {
	cmd := exec.CommandContext(ctx, c.path, append([]string{"--non-interactive"}, args...)...)
	var o, e bytes.Buffer
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), env...), "PULUMI_AUTOMATION_API=true",
		"PATH="+filepath.Dir(c.path)+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd.Stdin = in
	cmd.Stdout = io.MultiWriter(append(out, &o)...)
	cmd.Stderr = io.MultiWriter(append(errOut, &e)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = patience
	if err := c.children.start(cmd); err != nil {
		return "", "", -2, err // what the Automation API has for an unknown code
	}
	err = cmd.Wait()
	c.children.ended(cmd)
	return o.String(), e.String(), cmd.ProcessState.ExitCode(), err
}

// children are commands that run, each in a process group of its own.
type children struct {
	mu     sync.Mutex
	live   map[*exec.Cmd]bool
	killed bool
}

func (c *children) start(cmd *exec.Cmd) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.killed {
		return context.Canceled
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if c.live == nil {
		c.live = map[*exec.Cmd]bool{}
	}
	c.live[cmd] = true
	return nil
}

func (c *children) ended(cmd *exec.Cmd) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.live, cmd)
}

// kill kills what runs, with its own children, and lets nothing start any more.
func (c *children) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.killed = true
	for cmd := range c.live {
		// One that has just ended is no error.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
}
