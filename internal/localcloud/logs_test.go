package localcloud

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// contents returns the files of a directory with their contents.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(data)
	}
	return out
}

// A log has a bound, keeps its newest lines in order, and loses none when the
// cloud starts again.
func TestLogsRotate(t *testing.T) {
	t.Parallel()
	const lines, most = 1000, 1000
	dir := t.TempDir()
	l := newLogFiles(dir)
	l.max = most
	for i := range lines {
		l.write("requests", fmt.Appendf(nil, "line %d", i))
		if i%100 != 0 {
			continue
		}
		if err := l.close(); err != nil {
			t.Fatal(err)
		}
		l = newLogFiles(dir)
		l.max = most
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	files := contents(t, dir)
	if len(files) != 1+oldLogs {
		t.Fatalf("there are %d files", len(files))
	}
	text := ""
	for n := oldLogs; n >= 0; n-- {
		file := files[filepath.Base(old("requests.log", n))]
		if len(file) > most || n > 0 && len(file) < most*9/10 {
			t.Errorf("file %d has %d bytes", n, len(file))
		}
		text += file
	}
	kept := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	first := lines - len(kept)
	for i, line := range kept {
		if line != fmt.Sprint("line ", first+i) {
			t.Fatalf("line %d is %q", first+i, line)
		}
	}
}

func TestLineLongerThanALogIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := newLogFiles(dir)
	l.max = 10
	long := bytes.Repeat([]byte("x"), 100)
	l.write("g", long)
	l.write("g", []byte("short"))
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	files := contents(t, dir)
	if files["g.log"] != "short\n" || files["g.log.1"] != string(long)+"\n" || len(files) != 2 {
		t.Errorf("got %v", files)
	}
}

// A log group's files go with it, however many there are, and a group whose
// name is that of a log of the cloud has files of its own.
func TestLogsOfAGroupAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := newLogFiles(dir)
	l.max = 10
	for range 5 {
		l.write(groupFile("/aws/lambda/f"), []byte("of the group"))
		l.write(groupFile("/requests"), []byte("of another group"))
		l.write(groupFile("dynamodb"), []byte("of a third group"))
		l.write(requestsLog, []byte("a request"))
	}
	for _, group := range []string{"/aws/lambda/f", "/requests", "dynamodb", "never/written"} {
		if err := l.remove(groupFile(group)); err != nil {
			t.Error(err)
		}
	}
	l.write(groupFile("/aws/lambda/f"), []byte("made anew"))
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	files := contents(t, dir)
	want := map[string]string{
		"aws-lambda-f.log": "made anew\n",
		"requests.log":     "a request\n",
		"requests.log.1":   "a request\n",
		"requests.log.2":   "a request\n",
	}
	for name, text := range files {
		if want[name] != text {
			t.Errorf("%s has %q", name, text)
		}
	}
	if len(files) != len(want) {
		t.Errorf("there are %d files", len(files))
	}
}

// The files that a version without rotation left go on.
func TestLogOfAnEarlierVersionGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	long := []byte(strings.Repeat("old\n", 100))
	if err := os.WriteFile(filepath.Join(dir, "requests.log"), long, 0o600); err != nil {
		t.Fatal(err)
	}
	l := newLogFiles(dir)
	l.max = 100
	l.write(requestsLog, []byte("new"))
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	files := contents(t, dir)
	if files["requests.log"] != "new\n" || !slices.Contains(strings.Fields(files["requests.log.1"]), "old") {
		t.Errorf("got %v", files)
	}
}
