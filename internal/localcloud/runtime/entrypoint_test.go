package runtime

import (
	"os"
	goruntime "runtime"
	"strings"
	"testing"
)

// elfHeader is the beginning of an executable for a processor that no Lambda
// function runs on.
var elfHeader = []byte("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) +
	"\x02\x00\xf3\x00\x01\x00\x00\x00" +
	strings.Repeat("\x00", 28) +
	"\x40\x00\x38\x00\x00\x00\x40\x00\x00\x00\x00\x00")

// Lambda's words are in the answer and in the log; what they leave open is in
// the log too.
func TestInvalidEntrypointSaysWhy(t *testing.T) {
	t.Parallel()
	machine := goruntime.GOOS + "/" + goruntime.GOARCH
	cases := []struct {
		name, file string
		content    []byte
		mode       os.FileMode
		words, why string
	}{
		{
			"no bootstrap", "main", []byte("x"), 0o755,
			"Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
			"the package has no file bootstrap at its root, where it has main",
		},
		{
			"not executable", "bootstrap", []byte("#!/bin/sh\n"), 0o644,
			"fork/exec /var/task/bootstrap: permission denied",
			"bootstrap has the mode -rw-r--r-- in the package: pack it with the mode 0755",
		},
		{
			"a directory", "bootstrap/main", []byte("x"), 0o755,
			"fork/exec /var/task/bootstrap: permission denied",
			"bootstrap is a directory",
		},
		{
			"another processor", "bootstrap", elfHeader, 0o755,
			"fork/exec /var/task/bootstrap: exec format error",
			"is built for linux/EM_RISCV, and this machine is " + machine,
		},
		{
			"no executable", "bootstrap", []byte("text"), 0o755,
			"fork/exec /var/task/bootstrap: exec format error",
			"neither an executable for " + machine + " nor a script",
		},
		{
			"no interpreter", "bootstrap", []byte("#!/no/such/shell -e\ntrue\n"), 0o755,
			"fork/exec /var/task/bootstrap: no such file or directory",
			"the interpreter /no/such/shell of bootstrap does not exist",
		},
		{
			"line ends of Windows", "bootstrap", []byte("#!/bin/sh\r\ntrue\r\n"), 0o755,
			"fork/exec /var/task/bootstrap: no such file or directory",
			"ends with a carriage return",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, l := start(t)
			put(t, r, Function{Package: pack(t, c.file, c.content, c.mode)})
			res, out := invoke(t, r, "", "")
			message := "RequestId: " + res.RequestID + " Error: " + c.words
			if out.ErrorType != invalidEntrypoint || out.ErrorMessage != message {
				t.Errorf("the answer is %s", res.Payload)
			}
			for _, want := range []string{out.ErrorMessage, "The Error above, on this machine: "} {
				line, ok := l.find(want)
				if !ok || line.RequestID != res.RequestID {
					t.Errorf("%q is not in the log", want)
				}
			}
			if line, _ := l.find("The Error above"); !strings.Contains(line.Text, c.why) {
				t.Errorf("the log says %q", line.Text)
			}
		})
	}
}
