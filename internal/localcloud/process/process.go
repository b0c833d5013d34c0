// Package process starts child processes that do not outlive their parent.
// Each child leads a process group of its own, is noted in a file until it has
// ended, and is killed by the next supervisor of the same directory if the
// parent was killed before it could do so. It imports nothing of the local cloud.
package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

// Supervisor starts processes and keeps account of them in a directory.
type Supervisor struct {
	dir    string
	starts chan func()
	mu     sync.Mutex
	live   map[*Process]bool
	closed bool
}

// New creates the directory if need be, and kills what an earlier supervisor
// of it left running.
func New(dir string) (*Supervisor, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating the directory of process files: %w", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the directory of process files: %w", err)
	}
	for _, f := range files {
		if err := killStray(filepath.Join(dir, f.Name())); err != nil {
			return nil, err
		}
	}
	s := &Supervisor{dir: dir, starts: make(chan func()), live: map[*Process]bool{}}
	// The kernel's death signal is sent when the parent's thread ends, so one
	// thread that lives as long as the supervisor starts all children.
	go func() {
		runtime.LockOSThread()
		for start := range s.starts {
			start()
		}
	}()
	return s, nil
}

// killStray kills the process that a file names, unless its id has been given
// to another process since.
func killStray(file string) error {
	pid, err := strconv.Atoi(filepath.Base(file))
	if err != nil {
		return os.Remove(file)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the process file %s: %w", file, err)
	}
	if got, err := identity(pid); err == nil && got == string(want) {
		if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("ending the process %d of an earlier run: %w", pid, err)
		}
	}
	return os.Remove(file)
}

// Process is a running child.
type Process struct {
	cmd  *exec.Cmd
	file string
	done chan struct{}
}

// Start starts cmd in a group of its own.
func (s *Supervisor) Start(cmd *exec.Cmd) (*Process, error) {
	cmd.SysProcAttr = attributes()
	result := make(chan error)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("the supervisor is closed")
	}
	s.starts <- func() { result <- cmd.Start() }
	if err := <-result; err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, file: filepath.Join(s.dir, strconv.Itoa(cmd.Process.Pid)), done: make(chan struct{})}
	if id, err := identity(cmd.Process.Pid); err == nil {
		// Without this file only the death signal protects from strays.
		_ = os.WriteFile(p.file, []byte(id), 0o600)
	}
	s.live[p] = true
	go func() {
		// The error says how the process ended; ProcessState says it too.
		_ = cmd.Wait()
		_ = os.Remove(p.file)
		s.mu.Lock()
		delete(s.live, p)
		s.mu.Unlock()
		close(p.done)
	}()
	return p, nil
}

// Close kills all processes and waits for their end.
func (s *Supervisor) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	close(s.starts)
	var all []*Process
	for p := range s.live {
		all = append(all, p)
	}
	s.mu.Unlock()
	for _, p := range all {
		p.Kill()
	}
	for _, p := range all {
		<-p.done
	}
}

// Pid returns the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// State returns how the process ended. It may be called after Done only.
func (p *Process) State() *os.ProcessState { return p.cmd.ProcessState }

// Kill sends SIGKILL to the process and its children.
func (p *Process) Kill() { p.Signal(syscall.SIGKILL) }

// Signal sends a signal to the process and its children. A process that has
// ended already is left alone.
func (p *Process) Signal(sig syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(-p.Pid(), sig)
	}
}
