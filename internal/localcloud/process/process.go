// Package process starts child processes that do not outlive their parent, and
// freezes them. Each child leads a process group of its own, is noted in a file
// until it has ended, and is killed by the next supervisor of the same
// directory if the parent was killed before it could do so. What a child
// starts itself carries a mark in its environment, by which it is found in
// whatever group or session it is. It imports nothing of the local cloud.
package process

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Variable is the environment variable that marks a child and all that it
// starts. A process that takes it away and leaves its session is not found.
const Variable = "SUPERVISED_PROCESS"

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
	if err := killStrays(dir); err != nil {
		return nil, err
	}
	s := &Supervisor{
		dir:    dir,
		starts: make(chan func()),
		live:   map[*Process]bool{},
	}
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

// killStrays kills the processes that the files of a directory name, and what
// they started.
func killStrays(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading the directory of process files: %w", err)
	}
	var marks []string
	for _, f := range files {
		mark, err := killStray(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		if mark != "" {
			marks = append(marks, mark)
		}
	}
	sweep(marks)
	for _, f := range files {
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
			return fmt.Errorf("removing a process file: %w", err)
		}
	}
	return nil
}

// killStray kills the process that a file names, unless its id has been given
// to another process since, and returns the mark of what it started: "" in a
// file of a version that had none.
func killStray(file string) (mark string, err error) {
	pid, err := strconv.Atoi(filepath.Base(file))
	if err != nil {
		return "", nil // not a file of a supervisor
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading the process file %s: %w", file, err)
	}
	want, mark, _ := strings.Cut(string(data), "\n")
	if got, err := identity(pid); err == nil && got == want {
		if err := syscall.Kill(-pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return "", fmt.Errorf("ending the process %d of an earlier run: %w", pid, err)
		}
	}
	return mark, nil
}

// Process is a running child.
type Process struct {
	cmd         *exec.Cmd
	file        string
	mark        string
	ended, done chan struct{}

	mu     sync.Mutex
	apart  []member // stopped outside of the process group
	frozen bool
}

// member is a process, told by its start time from a later one of its id.
type member struct {
	pid     int
	started string
}

// Start starts cmd in a group of its own, with Variable in its environment.
func (s *Supervisor) Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{
		cmd:   cmd,
		mark:  Variable + "=" + rand.Text(),
		ended: make(chan struct{}),
		done:  make(chan struct{}),
	}
	cmd.SysProcAttr = attributes()
	cmd.Env = append(cmd.Environ(), p.mark)
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
	p.file = filepath.Join(s.dir, strconv.Itoa(cmd.Process.Pid))
	if id, err := identity(cmd.Process.Pid); err == nil {
		// Without this file only the death signal protects from strays.
		_ = os.WriteFile(p.file, []byte(id+"\n"+p.mark), 0o600)
	}
	s.live[p] = true
	go s.wait(p)
	return p, nil
}

// wait waits for the end of a process, and ends what it started.
func (s *Supervisor) wait(p *Process) {
	p.awaitEnd()
	close(p.ended)
	sweep([]string{p.mark})
	// The error says how the process ended; ProcessState says it too.
	_ = p.cmd.Wait()
	_ = os.Remove(p.file)
	s.mu.Lock()
	delete(s.live, p)
	s.mu.Unlock()
	close(p.done)
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

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Done is closed when the process and what it started have ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// State returns how the process ended. It may be called after Done only.
func (p *Process) State() *os.ProcessState { return p.cmd.ProcessState }

// Kill sends SIGKILL to the process group, frozen or not; what is not of the
// group ends before Done is closed.
func (p *Process) Kill() { p.Signal(syscall.SIGKILL) }

// Signal sends a signal to the process group. A process that has ended already
// is left alone.
func (p *Process) Signal(sig syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(-p.Pid(), sig)
	}
}

// Freeze stops the process and what it started, and returns when the process
// is stopped or has ended. Its clocks go on, and so does what others do with
// its connections.
func (p *Process) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen {
		return
	}
	p.frozen = true
	p.Signal(syscall.SIGSTOP)
	p.awaitStop()
	p.apart = p.stopDescendants()
}

// Thaw lets the process and what it started go on.
func (p *Process) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.frozen {
		return
	}
	p.frozen = false
	for _, m := range p.apart {
		m.signal(syscall.SIGCONT)
	}
	p.apart = nil
	p.Signal(syscall.SIGCONT)
}
