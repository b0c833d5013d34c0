package lifecycle

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/creack/pty"

	"items-api/internal/build"
)

// console is a pseudo-terminal that answers no query, with a program on it.
type console struct {
	tty  *os.File
	cmd  *exec.Cmd
	done chan struct{} // closed when the program has ended

	mu  sync.Mutex
	out strings.Builder
}

// open runs a program on a terminal of its own. No variable tells it that
// nobody sees what it prints.
func open(t *testing.T, dir, program string, args ...string) *console {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = append(
		slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CI=") }),
		"TERM=xterm-256color",
	)
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	c := &console{tty: tty, cmd: cmd, done: make(chan struct{})}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := tty.Read(buf)
			c.mu.Lock()
			c.out.Write(buf[:n])
			c.mu.Unlock()
			if err != nil {
				break // on Linux EIO, when nobody has the terminal any more
			}
		}
		// How it ended is in ProcessState.
		_ = cmd.Wait()
		close(c.done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-c.done
		if err := tty.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func (c *console) output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.String()
}

// press sends a key to the terminal.
func (c *console) press(t *testing.T, key string) {
	t.Helper()
	if _, err := io.WriteString(c.tty, key); err != nil {
		t.Error(err)
	}
}

// query is what asks a terminal for something: a colour (OSC 10 and others with
// "?"), its attributes or version, its status or cursor. Source: XTerm Control
// Sequences.
var query = regexp.MustCompile(`\x1b(\][0-9;]*\?|\[[0-9;?>=]*[cnq]|P)`)

func TestNoProgramAsksItsTerminal(t *testing.T) {
	t.Parallel()
	root, err := build.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	keys, program := filepath.Join(dir, "keys"), filepath.Join(dir, "program")
	for path, source := range map[string]string{keys: "./cmd/keys", program: "."} {
		cmd := exec.Command("go", "build", "-o", path, source)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	for _, args := range [][]string{
		{binary, "--help"},
		{binary, "outputs"},
		{binary, "faults", "show"},
		{keys, "--help"},
		{keys, "list"},
		{program}, // without an engine it ends
	} {
		c := open(t, dir, args[0], args[1:]...)
		<-c.done
		if asked := query.FindAllString(
			c.output(),
			-1,
		); len(asked) > 0 ||
			args[0] != program && c.output() == "" {
			t.Errorf("%v asked %q in %q", args, asked, c.output())
		}
	}
}
