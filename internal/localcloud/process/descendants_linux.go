package process

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// signal sends a signal to the process unless its id is another's by now.
func (m member) signal(sig syscall.Signal) {
	// It holds on to the process and not to its id, where Linux can do that.
	found, err := os.FindProcess(m.pid)
	if err != nil {
		return
	}
	defer func() { _ = found.Release() }()
	if started, err := identity(m.pid); err == nil && started == m.started {
		_ = found.Signal(sig)
	}
}

// sweepLimit is how long the end of descendants is waited for: one that waits
// for a disk does not end before that answers.
const sweepLimit = 5 * time.Second

// sweep kills all processes with one of the marks, and those that they start
// meanwhile, and returns when they have ended.
func sweep(marks []string) {
	pause := 100 * time.Microsecond
	for begin := time.Now(); time.Since(begin) < sweepLimit; pause = min(2*pause, 10*time.Millisecond) {
		found := marked(marks)
		if len(found) == 0 {
			return
		}
		for _, m := range found {
			m.signal(syscall.SIGKILL)
		}
		time.Sleep(pause)
	}
}

// marked returns the processes of the machine that carry one of the marks. One
// that has ended, and is waited for by nobody, has no environment any more.
func marked(marks []string) []member {
	if len(marks) == 0 {
		return nil
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var out []member
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		environment, err := os.ReadFile("/proc/" + e.Name() + "/environ")
		if err != nil || !carries(environment, marks) {
			continue
		}
		if started, err := identity(pid); err == nil {
			out = append(out, member{pid, started})
		}
	}
	return out
}

func carries(environment []byte, marks []string) bool {
	for v := range bytes.SplitSeq(environment, []byte{0}) {
		if bytes.HasPrefix(v, []byte(Variable)) && slices.Contains(marks, string(v)) {
			return true
		}
	}
	return false
}

// stopDescendants stops what the process started outside of its group, and
// returns it. It costs little for a process that started nothing.
func (p *Process) stopDescendants() []member {
	if !started(p.Pid()) {
		return nil
	}
	var out []member
	// What is not stopped yet can start more.
	for {
		found := slices.DeleteFunc(marked([]string{p.mark}), func(m member) bool {
			return m.pid == p.Pid() || slices.Contains(out, m)
		})
		if len(found) == 0 {
			return out
		}
		for _, m := range found {
			m.signal(syscall.SIGSTOP)
		}
		out = append(out, found...)
	}
}

// started reports whether a process has children or has waited for any: one
// that has left the tree had a parent in it.
func started(pid int) bool {
	fields, err := status(pid)
	if err != nil || fields[fieldState] == "Z" {
		return false // it has ended
	}
	if fields[fieldChildFault] != "0" {
		return true
	}
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return false
	}
	for _, t := range threads {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		if err != nil {
			return true // Linux can be built without this file
		}
		if strings.TrimSpace(string(children)) != "" {
			return true
		}
	}
	return false
}
