package process

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// Fields of /proc/pid/stat after the name. Source: proc(5), where the first
// has the number 3.
const (
	fieldState      = 0
	fieldChildFault = 8  // minor faults of children that were waited for
	fieldStarted    = 19 // in clock ticks since the system was started
	fieldCount      = 20
)

func status(pid int) ([]string, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	text := string(data)
	fields := strings.Fields(text[strings.LastIndex(text, ")")+1:])
	if len(fields) < fieldCount {
		return nil, fmt.Errorf("unexpected /proc/%d/stat", pid)
	}
	return fields, nil
}

// identity returns the start time of a process, which tells it from a later
// one with the same id.
func identity(pid int) (string, error) {
	fields, err := status(pid)
	if err != nil {
		return "", err
	}
	return fields[fieldStarted], nil
}

// awaitEnd returns when the process has ended, of which its id stays until it
// is waited for, and ends what is left of its group.
func (p *Process) awaitEnd() {
	for {
		err := unix.Waitid(unix.P_PID, p.Pid(), nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			break
		}
	}
	_ = syscall.Kill(-p.Pid(), syscall.SIGKILL)
}

// stopAgain is when a process that has not stopped is told so once more: whoever
// continued it meanwhile must not keep it running.
const stopAgain = time.Second

// awaitStop returns when all threads of the process are stopped, or it has
// ended.
func (p *Process) awaitStop() {
	told := make(chan struct{})
	again := time.AfterFunc(stopAgain, func() {
		p.Signal(syscall.SIGSTOP)
		close(told)
	})
	defer func() {
		if !again.Stop() {
			<-told // not after it goes on
		}
	}()
	for {
		err := unix.Waitid(unix.P_PID, p.Pid(), nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return
		}
	}
}
