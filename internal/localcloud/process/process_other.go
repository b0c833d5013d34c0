//go:build !linux

package process

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// There is no death signal here; the next supervisor kills what is left.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// identity returns the start time of a process, which tells it from a later
// one with the same id.
func identity(pid int) (string, error) {
	out, err := exec.Command("ps", "-o", "lstart=", "-p", strconv.Itoa(pid)).Output()
	return strings.TrimSpace(string(out)), err
}

// awaitEnd returns when the process has ended, and ends what is left of its
// group.
func (p *Process) awaitEnd() {
	_ = p.cmd.Wait() // a second one says that there was a first
	_ = syscall.Kill(-p.Pid(), syscall.SIGKILL)
}

// awaitStop does not wait: the system says that a process is stopped to who
// waits for its end only.
func (p *Process) awaitStop() {}

// stopDescendants leaves what is outside of the process group running.
func (p *Process) stopDescendants() []member { return nil }

func (m member) signal(sig syscall.Signal) { _ = syscall.Kill(m.pid, sig) }

// sweep kills all processes with one of the marks. ps shows the environment of
// the user's own processes, but for those that the system protects.
func sweep(marks []string) {
	if len(marks) == 0 {
		return
	}
	out, err := exec.Command("ps", "-A", "-E", "-ww", "-o", "pid=,command=").Output()
	if err != nil {
		return
	}
	for _, pid := range carriers(string(out), marks) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
