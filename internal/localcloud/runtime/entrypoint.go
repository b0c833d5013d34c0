package runtime

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"syscall"
	"time"

	"items-api/internal/localcloud/process"
)

const invalidEntrypoint = "Runtime.InvalidEntrypoint"

var errNoBootstrap = errors.New("no bootstrap")

// startFailure maps an error of starting the bootstrap to what Lambda says.
// Source: recorded answers, aws-lambda-go issue 554, aws-lambda-dart-runtime
// issue 20, aws-lambda-dotnet issue 1671.
func startFailure(id string, err error) answer {
	text := err.Error()
	switch {
	case errors.Is(err, errNoBootstrap):
		text = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
	case errors.Is(err, fs.ErrPermission):
		text = "fork/exec /var/task/bootstrap: permission denied"
	case errors.Is(err, syscall.ENOEXEC):
		text = "fork/exec /var/task/bootstrap: exec format error"
	case errors.Is(err, fs.ErrNotExist):
		text = "fork/exec /var/task/bootstrap: no such file or directory"
	}
	return failure(invalidEntrypoint, fmt.Sprintf("RequestId: %s Error: %s", id, text))
}

// entrypointReason says why the bootstrap of an unpacked package cannot be
// started and what to do, which Lambda leaves to its users; "" if Lambda's own
// words say it.
func entrypointReason(task string, err error) string {
	path := filepath.Join(task, "bootstrap")
	info, statErr := os.Stat(path)
	switch {
	case errors.Is(err, errNoBootstrap):
		return "the package has no file bootstrap at its root, where it has " + listing(task) +
			": pack the executable there under this name"
	case errors.Is(err, fs.ErrPermission) && statErr == nil && info.IsDir():
		return "bootstrap is a directory in the package: pack the executable under this name"
	case errors.Is(err, fs.ErrPermission) && statErr == nil:
		const text = "bootstrap has the mode %v in the package: pack it with the mode 0755"
		return fmt.Sprintf(text, info.Mode().Perm())
	case errors.Is(err, syscall.ENOEXEC), errors.Is(err, fs.ErrNotExist):
		data, readErr := os.ReadFile(path)
		if readErr != nil {
			return ""
		}
		return formatReason(data)
	}
	return ""
}

// formatReason says what is wrong with the content of a bootstrap.
func formatReason(data []byte) string {
	host := goruntime.GOOS + "/" + goruntime.GOARCH
	if built := target(data); built != "" && built != host {
		const text = "bootstrap is built for %s, and this machine is %s: build it for this machine"
		return fmt.Sprintf(text, built, host)
	}
	first, _, _ := bytes.Cut(data, []byte("\n"))
	if bytes.HasPrefix(first, []byte("#!")) {
		if bytes.HasSuffix(first, []byte("\r")) {
			return "the first line of bootstrap ends with a carriage return: " +
				"save the script with the line ends of Unix"
		}
		words := strings.Fields(string(first[2:]))
		if len(words) == 0 {
			return "the first line of bootstrap names no interpreter after #!"
		}
		const text = "the interpreter %s of bootstrap does not exist on this machine: install it, or " +
			"name another one"
		return fmt.Sprintf(text, words[0])
	}
	if linker := dynamicLinker(data); linker != "" {
		const text = "bootstrap needs the dynamic linker %s, which does not exist on this machine: link " +
			"it statically"
		return fmt.Sprintf(text, linker)
	}
	return "bootstrap is neither an executable for " + host + " nor a script whose first line begins with #!"
}

// dynamicLinker returns the program that loads an executable, "" if it needs
// none.
func dynamicLinker(data []byte) string {
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return ""
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		name := make([]byte, p.Filesz)
		if _, err := p.ReadAt(name, 0); err == nil {
			return string(bytes.TrimRight(name, "\x00"))
		}
	}
	return ""
}

// listing names what a directory holds, at most ten entries of it.
func listing(dir string) string {
	const most = 10
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return "nothing"
	}
	var names []string
	for _, e := range entries[:min(len(entries), most)] {
		names = append(names, e.Name())
	}
	text := strings.Join(names, ", ")
	if more := len(entries) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// busyLimit is how long the start of a file is tried that is being written.
const busyLimit = 5 * time.Second

// startProcess starts a command that make returns. Another process that was
// forked while the package was unpacked holds the bootstrap open for writing
// until it begins to run its own program; until then Linux refuses to run it.
func (r *Runtime) startProcess(make func() *exec.Cmd) (*process.Process, error) {
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		p, err := r.supervisor.Start(make())
		if !errors.Is(err, syscall.ETXTBSY) || time.Since(begin) > busyLimit {
			return p, err
		}
	}
}
