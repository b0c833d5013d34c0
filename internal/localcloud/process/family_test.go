package process

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What a child does once it has a grandchild.
const (
	waits  = "waits"
	leaves = "leaves"
)

// family is a child with a grandchild in a session of its own.
func family(does string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), child+"="+does)
	return cmd
}

// haveGrandchild tells the ids of the child, of a grandchild in the group of
// the child and of one in a session of its own. By a third process, which has
// ended, a last one has left the family tree.
func haveGrandchild(leave bool) {
	near := exec.Command("sleep", "1000")
	far := exec.Command("sleep", "1000")
	far.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := errors.Join(near.Start(), far.Start()); err != nil {
		panic(err)
	}
	left := exec.Command("sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!")
	left.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	lost, err := left.Output()
	if err != nil {
		panic(err)
	}
	fmt.Println(os.Getpid(), near.Process.Pid, far.Process.Pid, strings.TrimSpace(string(lost)))
	for !leave {
		time.Sleep(time.Hour) // Go ends a program that waits for nothing
	}
}

// haveChild supervises a family and passes on what it tells.
func haveChild(dir string) {
	s, err := New(dir)
	if err != nil {
		panic(err)
	}
	cmd := family(waits)
	out, in, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	cmd.Stdout = in
	p, err := s.Start(cmd)
	if err != nil {
		panic(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		panic(err)
	}
	p.Freeze()
	fmt.Print(line)
	select {}
}

// ids reads the line that a family tells.
func ids(t *testing.T, out io.Reader) []int {
	t.Helper()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, f := range strings.Fields(line) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if len(pids) != 4 {
		t.Fatalf("the family tells %q", line)
	}
	return pids
}

// supervised starts a family and returns the ids of its members.
func supervised(t *testing.T, s *Supervisor, does string) (*Process, []int) {
	t.Helper()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	cmd := family(does)
	cmd.Stdout = in
	p, err := s.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	pids := ids(t, out)
	t.Cleanup(func() {
		for _, pid := range pids[1:] {
			_ = syscall.Kill(pid, syscall.SIGKILL) // there after a failure only
		}
	})
	return p, pids
}

func supervisor(t *testing.T) *Supervisor {
	t.Helper()
	s, err := New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestDescendantsEndWithTheProcess(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		does string
		end  func(*Supervisor, *Process)
	}{
		"killed":            {waits, func(_ *Supervisor, p *Process) { p.Kill() }},
		"ended by itself":   {leaves, func(*Supervisor, *Process) {}},
		"supervisor closed": {waits, func(s *Supervisor, _ *Process) { s.Close() }},
		"killed while frozen": {waits, func(_ *Supervisor, p *Process) {
			p.Freeze()
			p.Kill()
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := supervisor(t)
			p, pids := supervised(t, s, c.does)
			c.end(s, p)
			select {
			case <-p.Done():
			case <-time.After(20 * time.Second):
				t.Fatal("the process has not ended")
			}
			for i, pid := range pids {
				if alive(pid) {
					t.Errorf("member %d of the family lives on", i)
				}
			}
		})
	}
}

// The child is frozen when the parent is killed. Where the kernel does not see
// to the end of all, the next supervisor does.
func TestFamilyIsGoneAfterTheParentWasKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), parent+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pids := ids(t, out)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the parent ended by itself")
	}
	s, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, pid := range pids {
		gone(t, pid)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("left are %v, %v", files, err)
	}
}

func TestCarriersAreFoundInAListing(t *testing.T) {
	t.Parallel()
	const listing = "  1 init\n" +
		" 20 /bin/function A=1 " + Variable + "=one B=2\n" +
		" 21 /bin/other " + Variable + "=two\n" +
		" 22 /bin/longer " + Variable + "=one-more\n" +
		" 23 grep X" + Variable + "=one\n" +
		" 24 sleep " + Variable + "=three\n" +
		"\n"
	got := carriers(listing, []string{Variable + "=one", Variable + "=three"})
	if !slices.Equal(got, []int{20, 24}) {
		t.Errorf("found %v", got)
	}
}
