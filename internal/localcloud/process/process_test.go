package process

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// helper makes this test binary start a child, tell its id and wait.
const helper = "PROCESS_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helper); dir != "" {
		s, err := New(dir)
		if err != nil {
			panic(err)
		}
		p, err := s.Start(exec.Command("sleep", "1000"))
		if err != nil {
			panic(err)
		}
		fmt.Println(p.Pid())
		select {}
	}
	os.Exit(m.Run())
}

func gone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for alive(pid) {
		select {
		case <-deadline:
			t.Fatalf("the process %d lives on", pid)
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

func TestChildIsGoneAfterTheParentWasKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), helper+"="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := parent.Wait(); err == nil {
		t.Fatal("the parent ended by itself")
	}
	// Where the kernel does not see to it, the next supervisor does.
	s, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	gone(t, pid)
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("left are %v, %v", files, err)
	}
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
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(cmd.Process.Pid)), []byte(id), 0o600); err != nil {
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
