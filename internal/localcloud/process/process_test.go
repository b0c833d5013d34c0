package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These make this test binary be the parent of a family, or the child in it.
const (
	parent = "PROCESS_TEST_PARENT" // the directory of its supervisor
	child  = "PROCESS_TEST_CHILD"  // waits, or leaves
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(child) != "":
		haveGrandchild(os.Getenv(child) == leaves)
	case os.Getenv(parent) != "":
		haveChild(os.Getenv(parent))
	default:
		os.Exit(m.Run())
	}
}

func gone(t *testing.T, pid int) {
	t.Helper()
	until(t, func() bool { return !alive(pid) })
}

func until(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatal("the condition did not come true")
		case <-tick.C:
		}
	}
}

// alive reports whether a process runs; one that has ended and is waited for
// by nobody does not.
func alive(pid int) bool {
	out, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(out)), "Z")
}

func TestStrayOfAnEarlierRunIsKilledButNotItsSuccessor(t *testing.T) {
	t.Parallel()
	for _, same := range []bool{true, false} {
		dir := t.TempDir()
		cmd := exec.Command("sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		id, err := identity(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if !same {
			id = "another start time"
		}
		if err := os.WriteFile(
			filepath.Join(dir, strconv.Itoa(cmd.Process.Pid)),
			[]byte(id),
			0o600,
		); err != nil {
			t.Fatal(err)
		}
		s, err := New(dir)
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		if !same && !alive(cmd.Process.Pid) {
			t.Error("a process that only has the id of an earlier one was killed")
		}
		if same {
			gone(t, cmd.Process.Pid)
		} else if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Error("it ended by itself")
		}
	}
}

func TestCloseKillsWhatRuns(t *testing.T) {
	t.Parallel()
	s, err := New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Start(exec.Command("sleep", "1000"))
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	gone(t, p.Pid())
	if _, err := s.Start(exec.Command("true")); err == nil {
		t.Error("a closed supervisor started a process")
	}
}
