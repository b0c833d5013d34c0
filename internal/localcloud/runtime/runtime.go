package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"items-api/internal/localcloud/process"
)

// Function is what the runtime must know of a function.
type Function struct {
	Name    string
	ARN     string // unqualified
	Version string // "$LATEST" or a number
	// Package is the path of the zip, which never changes in place; SHA256
	// tells one package from another.
	Package, SHA256 string
	Handler         string
	MemoryMB        int
	Timeout         time.Duration
	// Reserved is the reserved concurrency, which all versions share; nil means
	// none, 0 throttles all.
	Reserved    *int
	Environment map[string]string
	RoleARN     string
	LogGroup    string
	// LogFormat is "Text" or "JSON".
	LogFormat           string
	ApplicationLogLevel string
}

// Credentials are those of a function's role.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// LogLine is one line that a function or the platform wrote.
type LogLine struct {
	Time                                     time.Time
	Function, LogGroup, LogStream, RequestID string
	Platform                                 bool // START, END, REPORT and so on
	Text                                     string
}

// Config is what a Runtime needs.
type Config struct {
	// Dir holds unpacked packages, temporary directories and process files.
	Dir               string
	AccountID, Region string
	// Concurrency is shared by the functions without a reservation; 0 means 1000.
	Concurrency int
	// IdleTimeout ends an environment that was not used for so long; 0 means 5 minutes.
	IdleTimeout time.Duration
	// Credentials is called once for each environment, Release when it has ended.
	Credentials func(Function) (Credentials, error)
	Release     func(Credentials)
	// Frozen is called when an environment was stopped after an invocation,
	// before it gets the next one.
	Frozen func(Function, Credentials)
	// Extra returns environment variables that the cloud adds.
	Extra func(Function) map[string]string
	Log   func(LogLine)
	Now   func() time.Time
}

// Target says which function to invoke.
type Target struct {
	Name, Version string
	// Qualifier is the alias or version that was asked for, "" if none was. It
	// ends the ARN that the function is told.
	Qualifier string
}

// Result is what an invocation gives.
type Result struct {
	Payload       []byte
	FunctionError string // "" or "Unhandled"
	RequestID     string
	LogStream     string
	Cold          bool
	Duration      time.Duration
	InitDuration  time.Duration
}

// Errors of Invoke; the function did not run.
var (
	ErrNotFound        = errors.New("ResourceNotFoundException: Function not found")
	ErrThrottled       = errors.New("TooManyRequestsException: Rate Exceeded.")
	ErrPayloadTooLarge = errors.New("RequestEntityTooLargeException: the payload is larger than 6 MB")
	ErrInvalidPayload  = errors.New("InvalidRequestContentException: Could not parse request body into json")
)

// settleTime is how long a result is held back for its environment to be free.
const settleTime = 50 * time.Millisecond

// maxPayload is the size of a request or response in bytes: 6 MiB and 100.
const maxPayload = 6291556

// Runtime runs functions. It is safe for concurrent use.
type Runtime struct {
	Config
	supervisor *process.Supervisor
	settle     time.Duration
	afterFunc  func(time.Duration, func()) *time.Timer

	mu         sync.Mutex
	pools      map[string]*pool
	unreserved int // environments in use by functions without a reservation
	running    sync.WaitGroup
	closed     bool
}

// New returns a runtime, and ends processes that a killed one left.
func New(c Config) (*Runtime, error) {
	if c.Concurrency == 0 {
		c.Concurrency = 1000
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = 5 * time.Minute
	}
	if c.Log == nil {
		c.Log = func(LogLine) {}
	}
	if c.Release == nil {
		c.Release = func(Credentials) {}
	}
	if c.Frozen == nil {
		c.Frozen = func(Function, Credentials) {}
	}
	if c.Extra == nil {
		c.Extra = func(Function) map[string]string { return nil }
	}
	s, err := process.New(filepath.Join(c.Dir, "pids"))
	if err != nil {
		return nil, err
	}
	r := &Runtime{
		Config:     c,
		supervisor: s,
		settle:     settleTime,
		afterFunc:  time.AfterFunc,
		pools:      map[string]*pool{},
	}
	return r, tidy(c.Dir)
}

// tidy removes unpacked packages and temporary directories of an earlier run.
func tidy(dir string) error {
	for _, pattern := range []string{"task-*", "tmp-*", "unpack-*"} {
		found, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			return err
		}
		for _, name := range found {
			f := filepath.Join(dir, name)
			if err := os.RemoveAll(f); err != nil {
				return fmt.Errorf("removing %s: %w", f, err)
			}
		}
	}
	return nil
}

func key(name, version string) string { return name + ":" + version }

// Put creates or replaces a version of a function. Environments of the old
// configuration finish their invocation and end; requests from now on get the
// new one. A change of the reserved concurrency alone ends none.
func (r *Runtime) Put(f Function) error {
	if r.reserve(f) {
		return nil
	}
	task, err := r.unpack(f)
	if err != nil {
		return fmt.Errorf("unpacking the package of the function %s: %w", f.Name, err)
	}
	r.mu.Lock()
	k := key(f.Name, f.Version)
	p := r.pools[k]
	if p == nil {
		p = &pool{runtime: r}
		r.pools[k] = p
	}
	p.leaving = false
	idle := p.replace(f, task)
	r.mu.Unlock()
	for _, e := range idle {
		e.stop()
	}
	return nil
}

// reserve sets the reserved concurrency of a version that is otherwise known as
// it is, and reports whether it is.
func (r *Runtime) reserve(f Function) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pools[key(f.Name, f.Version)]
	if p == nil || p.leaving {
		return false
	}
	known := p.function
	known.Reserved = f.Reserved
	if !reflect.DeepEqual(known, f) {
		return false
	}
	p.function = f
	return true
}

// Versions returns the versions of a function that were put, sorted.
func (r *Runtime) Versions(name string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, p := range r.pools {
		if p.function.Name == name && !p.leaving {
			out = append(out, p.function.Version)
		}
	}
	slices.Sort(out)
	return out
}

// Remove ends a version's idle environments; those in use finish first, and
// count until then.
func (r *Runtime) Remove(name, version string) error {
	r.mu.Lock()
	p := r.pools[key(name, version)]
	var idle []*environment
	if p != nil {
		p.leaving = true
		idle = p.replace(p.function, p.task)
		r.leave(p)
	}
	r.mu.Unlock()
	for _, e := range idle {
		e.stop()
	}
	return nil
}

// Invoke runs a function and waits for its result. If ctx ends first, Invoke
// returns its error and the function goes on, as on AWS. Errors: those above,
// and those of starting a process.
func (r *Runtime) Invoke(ctx context.Context, t Target, payload []byte) (Result, error) {
	if len(payload) > maxPayload {
		return Result{}, ErrPayloadTooLarge
	}
	if !json.Valid(payload) {
		return Result{}, ErrInvalidPayload
	}
	e, cold, err := r.acquire(t.Name, t.Version)
	if err != nil {
		return Result{}, err
	}
	arn := e.function.ARN
	if t.Qualifier != "" {
		arn += ":" + t.Qualifier
	}
	inv := &invocation{
		id:      uuid.NewString(),
		payload: payload,
		arn:     arn,
		answer:  make(chan answer, 1),
		cause:   ctx.Value(causeKey{}),
	}
	done := make(chan Result, 1)
	go func() {
		res := e.invoke(inv, cold)
		free := make(chan struct{})
		go func() {
			defer r.running.Done()
			e.settle()
			e.freeze()
			r.release(e)
			close(free)
		}()
		// A client that sends one request after the other meets the same
		// environment again, as it does over a real network.
		select {
		case <-free:
		case <-time.After(r.settle):
		}
		done <- res
	}()
	select {
	case res := <-done:
		return res, nil
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

type causeKey struct{}

// WithCause returns a context for Invoke that says what an invocation is for;
// Working returns it.
func WithCause(ctx context.Context, cause any) context.Context {
	return context.WithValue(ctx, causeKey{}, cause)
}

// Working returns the request id and the cause of the invocation that the
// holder of an access key works on, or worked on last.
func (r *Runtime) Working(accessKeyID string) (requestID string, cause any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.pools {
		for e := range p.all {
			e.mu.Lock()
			inv, holds := e.current, e.credentials.AccessKeyID == accessKeyID
			e.mu.Unlock()
			if holds && inv != nil {
				return inv.id, inv.cause
			}
		}
	}
	return "", nil
}

// Stat counts the environments of one function.
type Stat struct {
	Function, Version                   string
	Environments, Busy, Invoked, Starts int
	Pids                                []int
}

// Stats returns the counts of all functions.
func (r *Runtime) Stats() []Stat {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Stat
	for _, p := range r.pools {
		s := Stat{
			Function:     p.function.Name,
			Version:      p.function.Version,
			Environments: len(p.all),
			Busy:         p.busy,
			Invoked:      p.invoked,
			Starts:       p.starts,
		}
		for e := range p.all {
			if pid := e.pid(); pid > 0 {
				s.Pids = append(s.Pids, pid)
			}
		}
		out = append(out, s)
	}
	return out
}

// Close kills all processes and waits for them.
func (r *Runtime) Close() error {
	r.mu.Lock()
	r.closed = true
	var all []*environment
	for _, p := range r.pools {
		for e := range p.all {
			all = append(all, e)
		}
	}
	r.mu.Unlock()
	for _, e := range all {
		e.stop()
	}
	r.running.Wait()
	r.supervisor.Close()
	return nil
}
