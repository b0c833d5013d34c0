package localcloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"items-api/internal/localcloud/runtime"
)

// The logs of the cloud itself.
const (
	requestsLog = "requests"
	databaseLog = "dynamodb"
)

const (
	// maxLog is how long the file of a log may become, in bytes, and oldLogs how
	// many files of that length are kept beside it: name.log.1 is the newest.
	maxLog  = 8 << 20
	oldLogs = 2
)

// logFiles appends lines to one file for each log. It is safe for concurrent use.
type logFiles struct {
	dir string
	max int64

	mu    sync.Mutex
	files map[string]*logFile // by name
}

type logFile struct {
	*os.File
	size int64
}

func newLogFiles(dir string) *logFiles {
	return &logFiles{
		dir:   dir,
		max:   maxLog,
		files: map[string]*logFile{},
	}
}

// groupFile returns the name of the file of a log group. It is never one of the
// cloud's own logs.
func groupFile(group string) string {
	name := strings.Trim(strings.ReplaceAll(group, "/", "-"), "-")
	if name == requestsLog || name == databaseLog {
		name += "-group"
	}
	return name
}

// write appends a line to the log of a name. A line that cannot be written is
// lost, as on AWS.
func (l *logFiles) write(name string, line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line = append(line, '\n')
	f, err := l.open(name)
	if err == nil && f.size > 0 && f.size+int64(len(line)) > l.max {
		f, err = l.rotate(name)
	}
	if err != nil {
		return
	}
	n, _ := f.Write(line)
	f.size += int64(n)
}

func (l *logFiles) path(name string) string { return filepath.Join(l.dir, name+".log") }

func (l *logFiles) open(name string) (*logFile, error) {
	if f := l.files[name]; f != nil {
		return f, nil
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(l.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	l.files[name] = &logFile{f, info.Size()}
	return l.files[name], nil
}

// rotate begins the file of a log anew. The oldest one goes.
func (l *logFiles) rotate(name string) (*logFile, error) {
	if err := l.forget(name); err != nil {
		return nil, err
	}
	path := l.path(name)
	for n := oldLogs; n > 0; n-- {
		from := old(path, n-1)
		if err := os.Rename(from, old(path, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return l.open(name)
}

// old returns the path of the n-th file of a log; 0 is the one that is written.
func old(path string, n int) string {
	if n == 0 {
		return path
	}
	return fmt.Sprint(path, ".", n)
}

// forget closes the file of a log, which the next line opens again.
func (l *logFiles) forget(name string) error {
	f := l.files[name]
	if f == nil {
		return nil
	}
	delete(l.files, name)
	return f.Close()
}

// remove removes all files of a log.
func (l *logFiles) remove(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	errs := []error{l.forget(name)}
	for n := range oldLogs + 1 {
		if err := os.Remove(old(l.path(name), n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("removing a log: %w", err))
		}
	}
	return errors.Join(errs...)
}

func (l *logFiles) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for name := range l.files {
		errs = append(errs, l.forget(name))
	}
	return errors.Join(errs...)
}

// logged writes a line of a function, unless its role does not let it, or
// function and group are gone.
func (c *Cloud) logged(line runtime.LogLine) {
	_, err := c.provider.Function(line.Function)
	gone := err != nil && !c.provider.HasLogGroup(line.LogGroup)
	if gone || !c.mayLog(line) {
		return // nobody sees it, as on AWS
	}
	c.logs.write(groupFile(line.LogGroup), []byte(line.Time.Format(time.RFC3339Nano)+" "+line.Text))
	if c.Log != nil {
		c.Log(line)
	}
}

// accessLogged writes a line of a stage, whose group may be gone before the
// last request is answered.
func (c *Cloud) accessLogged(group string, line []byte) {
	if c.provider.HasLogGroup(group) {
		c.logs.write(groupFile(group), line)
	}
}

// RemoveLogGroup removes the files of a log group, unless another one has them
// too: names that differ in slashes alone share a file.
func (c *Cloud) RemoveLogGroup(_ context.Context, name string) error {
	file := groupFile(name)
	shared := slices.ContainsFunc(c.provider.LogGroups(), func(g string) bool { return groupFile(g) == file })
	if shared {
		return nil
	}
	return c.logs.remove(file)
}
