package lifecycle

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"items-api/e2e/project"
)

const (
	controlC = "\x03"
	patience = 2 * time.Minute // a command that takes longer hangs
)

// until waits for a condition; false means that the program ended before.
func (c *console) until(t *testing.T, what string, condition func() bool) bool {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-c.done:
			return condition()
		case <-deadline:
			t.Fatalf("still waiting for %s:\n%s", what, c.output())
		case <-tick.C:
		}
	}
	return true
}

// count returns how many files there are below the project's .local.
func count(t *testing.T, p *project.Project, pattern ...string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(append([]string{p.Dir, ".local"}, pattern...)...))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

func TestInterruptAtAnyMomentEndsTheCommandAndItsChildren(t *testing.T) {
	t.Parallel()
	p := clone(t)
	processes := func() int {
		return count(t, p, "dynamodb", "pids", "*") + count(t, p, "lambda", "pids", "*")
	}
	// Each command of the engine has a log, which it makes when it starts.
	engines := func() int { return count(t, p, "pulumi-home", "logs", "*") }
	type moment struct {
		name string
		when func(c *console, before int) bool
	}
	moments := []moment{
		{"at once", func(*console, int) bool { return true }},
		{"a process", func(*console, int) bool { return processes() > 0 }},
		{"the cloud", func(*console, int) bool { return count(t, p, "instance.json") > 0 }},
	}
	for n := 1; n <= 4; n++ {
		moments = append(moments, moment{
			fmt.Sprint("engine ", n),
			func(_ *console, before int) bool { return engines() >= before+n },
		})
	}
	moments = append(
		moments,
		moment{
			"a resource",
			func(*console, int) bool { r, err := p.Records(); return err == nil && len(r) >= 3 },
		},
		moment{
			"its service",
			func(c *console, _ int) bool { return strings.Contains(c.output(), "Streaming") },
		},
	)
	for _, m := range moments {
		before := engines()
		c := open(t, p.Dir, binary, "up", "--port", strconv.Itoa(p.Port), "--tools", p.Tools())
		if !c.until(t, m.name, func() bool { return m.when(c, before) }) {
			t.Fatalf("%s: the command ended by itself:\n%s", m.name, c.output())
		}
		c.press(t, controlC)
		c.until(t, "the end after "+m.name, func() bool { return false })
		if left := processes(); left > 0 {
			t.Errorf("%s: %d processes are left", m.name, left)
		}
		if asked := query.FindAllString(c.output(), -1); len(asked) > 0 {
			t.Errorf("%s: the terminal was asked %q", m.name, asked)
		}
	}
	p.Serve(t)
	if status, body := get(t, url(t, p)+"/health"); status != http.StatusOK {
		t.Errorf("after all the API answers %d %s", status, body)
	}
	if out, err := p.Run("preview"); err != nil || !strings.Contains(out, "0 changes") {
		t.Errorf("after all it is not complete: %v\n%s", err, out)
	}
}

// stubborn is a Pulumi CLI that notes interrupts and goes on, with a child.
const stubborn = `#!/bin/sh
for a; do if [ "$a" = version ]; then echo v3.259.0; exit; fi; done
trap 'echo >> interrupts' INT
sleep 1000 &
echo $$ $! > processes
while :; do wait; done
`

func TestSecondInterruptEndsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	p := clone(t)
	tools := filepath.Join(p.Dir, "tools")
	if err := os.MkdirAll(filepath.Join(tools, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tools, "bin", "pulumi"), []byte(stubborn), 0o700); err != nil {
		t.Fatal(err)
	}
	jar := filepath.Join(p.Tools(), "dynamodb-local")
	if err := os.Symlink(jar, filepath.Join(tools, "dynamodb-local")); err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(p.Dir, ".local", "stacks", "local", "work")
	read := func(path string) string {
		data, err := os.ReadFile(path)
		if err != nil {
			return ""
		}
		return string(data)
	}
	c := open(t, p.Dir, binary, "up", "--port", strconv.Itoa(p.Port), "--tools", tools)
	c.until(
		t,
		"the engine",
		func() bool { return strings.HasSuffix(read(filepath.Join(work, "processes")), "\n") },
	)
	running := strings.Fields(read(filepath.Join(work, "processes")))
	databases, err := os.ReadDir(filepath.Join(p.Dir, ".local", "dynamodb", "pids"))
	if err != nil || len(databases) != 1 {
		t.Fatalf("there are %v, %v", databases, err)
	}
	running = append(running, databases[0].Name())
	c.press(t, controlC)
	c.until(t, "the first interrupt", func() bool { return read(filepath.Join(work, "interrupts")) != "" })
	c.press(t, controlC)
	c.until(t, "the end", func() bool { return false })
	if code := c.cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("it ended with %d:\n%s", code, c.output())
	}
	if got := read(filepath.Join(work, "interrupts")); got != "\n" {
		t.Errorf("the engine was interrupted %d times, which makes it give up", len(got))
	}
	deadline := time.Now().Add(patience)
	for _, pid := range running {
		for runs(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("the process %s runs still", pid)
			}
		}
	}
}

// runs reports whether a process has not ended.
func runs(pid string) bool {
	out, err := exec.Command("ps", "-o", "stat=", "-p", pid).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(out)), "Z")
}
