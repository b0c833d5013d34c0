package runtime

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"items-api/internal/localcloud/peer"
	"items-api/internal/localcloud/process"
	"items-api/internal/localcloud/server"
)

// initLimit is how long the initialization may take before it is repeated
// under the function's time-out. Source: Lambda developer guide, "Lambda
// execution environment lifecycle".
const initLimit = 10 * time.Second

// environment is one process and its Runtime API.
type environment struct {
	runtime    *Runtime
	pool       *pool
	function   Function
	task       string
	generation int
	counted    bool        // uses the account's unreserved concurrency
	used       time.Time   // guarded by the runtime's mutex
	timer      *time.Timer // of its idle time, guarded likewise; nil before it was idle

	mu          sync.Mutex
	process     *process.Process
	server      *http.Server
	freezer     *freezer         // of the process
	next        chan *invocation // hands work to a waiting runtime
	waiting     chan struct{}    // receives when the runtime asks for work
	current     *invocation
	initError   *answer
	reason      string // why the process could not be started
	stopped     bool
	tmp         string
	stream      string
	credentials Credentials
}

type invocation struct {
	id      string
	payload []byte
	arn     string
	answer  chan answer
	settled bool // an answer was given
	cause   any  // see WithCause
}

func (e *environment) pid() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.process == nil {
		return 0
	}
	return e.process.Pid()
}

// invoke runs one invocation in this environment; a cold one starts first.
func (e *environment) invoke(inv *invocation, cold bool) Result {
	res := Result{RequestID: inv.id, Cold: cold}
	begin := e.runtime.Now()
	var a answer
	var failed *answer
	if !e.usable() {
		res.Cold = true
		failed = e.initialize(inv.id)
		res.InitDuration = e.runtime.Now().Sub(begin)
	}
	res.LogStream = e.stream
	e.log(inv.id, true, "START RequestId: %s Version: %s", inv.id, e.function.Version)
	start := e.runtime.Now()
	if failed != nil {
		a = *failed
		e.explain(inv.id, a)
	} else {
		a = e.serve(inv)
	}
	res.Duration = e.runtime.Now().Sub(start)
	res.Payload = a.payload
	if a.failed {
		res.FunctionError = "Unhandled"
	}
	e.log(inv.id, true, "END RequestId: %s", inv.id)
	e.report(inv.id, res)
	return res
}

func (e *environment) report(id string, res Result) {
	ms := float64(res.Duration.Microseconds()) / 1000
	text := fmt.Sprintf(
		"REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax "+
			"Memory Used: 0 MB",
		id,
		ms,
		int(ms)+1,
		e.function.MemoryMB,
	)
	if res.Cold {
		text += fmt.Sprintf("\tInit Duration: %.2f ms", float64(res.InitDuration.Microseconds())/1000)
	}
	e.log(id, true, "%s", text)
}

// initialize starts the process and waits until it asks for work. A first
// failure is repeated once, under the function's time-out.
func (e *environment) initialize(id string) *answer {
	begin := e.runtime.Now()
	failed := e.attempt(id, initLimit)
	if failed == nil {
		return nil
	}
	ms := func() float64 { return float64(e.runtime.Now().Sub(begin).Microseconds()) / 1000 }
	kind := errorType(*failed)
	e.log(
		id,
		true,
		"INIT_REPORT Init Duration: %.2f ms\tPhase: init\tStatus: error\tError Type: %s",
		ms(),
		kind,
	)
	failed = e.attempt(id, e.function.Timeout)
	if failed != nil {
		e.log(
			id,
			true,
			"INIT_REPORT Init Duration: %.2f ms\tPhase: invoke\tStatus: error\tError Type: %s",
			ms(),
			errorType(*failed),
		)
	}
	return failed
}

func (e *environment) attempt(id string, limit time.Duration) *answer {
	e.end()
	if err := e.start(); err != nil {
		e.reason = entrypointReason(e.task, err)
		a := startFailure(id, err)
		return &a
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	e.mu.Lock()
	p, waiting := e.process, e.waiting
	e.mu.Unlock()
	if p == nil {
		a := failure("Runtime.ExitError", "RequestId: "+id+" Error: the environment was stopped")
		return &a
	}
	select {
	case <-waiting:
		return nil
	case <-p.Done():
		e.mu.Lock()
		reported := e.initError
		e.mu.Unlock()
		if reported != nil {
			return reported
		}
		a := exitFailure(id, p.State())
		return &a
	case <-timer.C:
		e.end()
		a := timeout(id, limit)
		return &a
	}
}

// start starts the bootstrap with a Runtime API of its own.
func (e *environment) start() error {
	bootstrap := filepath.Join(e.task, "bootstrap")
	if _, err := os.Stat(bootstrap); errors.Is(err, fs.ErrNotExist) {
		e.stream = e.streamName()
		return errNoBootstrap
	}
	if e.tmp == "" {
		dir, err := os.MkdirTemp(filepath.Join(e.runtime.Dir), "tmp-")
		if err != nil {
			return fmt.Errorf("creating a temporary directory: %w", err)
		}
		e.tmp = dir
	}
	credentials, err := e.runtime.Credentials(e.function)
	if err != nil {
		return fmt.Errorf("getting credentials of the role %s: %w", e.function.RoleARN, err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for the Runtime API: %w", err)
	}
	e.mu.Lock()
	e.credentials, e.stream = credentials, e.streamName()
	e.next, e.waiting, e.freezer = make(chan *invocation), make(chan struct{}, 1), &freezer{}
	e.initError, e.current = nil, nil
	api := server.New(peer.Handler(e.api()))
	e.server = api
	e.mu.Unlock()
	go func() {
		// It ends with the environment.
		_ = api.Serve(peer.Listen(listener))
	}()
	p, err := e.runtime.startProcess(func() *exec.Cmd {
		cmd := exec.Command(bootstrap)
		cmd.Dir = e.task
		cmd.Env = e.variables(listener.Addr().String())
		cmd.Stdout, cmd.Stderr = e.output(), e.output()
		cmd.WaitDelay = time.Second
		return cmd
	})
	if err != nil {
		_ = api.Close()
		e.runtime.Release(credentials)
		return err
	}
	e.mu.Lock()
	e.process = p
	e.mu.Unlock()
	return nil
}

func (e *environment) streamName() string {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		panic(err) // documented never to happen
	}
	return e.runtime.Now().UTC().Format(
		"2006/01/02/",
	) + "[" + e.function.Version + "]" + hex.EncodeToString(
		b,
	)
}

// serve hands the invocation to the process and waits for its answer.
func (e *environment) serve(inv *invocation) answer {
	timer := time.NewTimer(e.function.Timeout)
	defer timer.Stop()
	e.mu.Lock()
	e.current = inv
	p, next := e.process, e.next
	e.mu.Unlock()
	if p == nil {
		return failure("Runtime.ExitError", "RequestId: "+inv.id+" Error: the environment was stopped")
	}
	for {
		select {
		case next <- inv:
			next = nil
		case a := <-inv.answer:
			return a
		case <-p.Done():
			select {
			case a := <-inv.answer:
				return a
			default:
			}
			a := exitFailure(inv.id, p.State())
			e.log(inv.id, true, "%s", strings.ReplaceAll(string(a.payload), "\n", " "))
			return a
		case <-timer.C:
			e.end()
			a := timeout(inv.id, e.function.Timeout)
			e.log(
				inv.id,
				true,
				"%s %s Task timed out after %.2f seconds",
				e.runtime.Now().UTC().Format(time.RFC3339Nano),
				inv.id,
				e.function.Timeout.Seconds(),
			)
			return a
		}
	}
}

// settle waits until the runtime asks for the next invocation: only then the
// environment is free again.
func (e *environment) settle() {
	e.mu.Lock()
	p, waiting := e.process, e.waiting
	e.mu.Unlock()
	if p == nil {
		return
	}
	timer := time.NewTimer(e.function.Timeout)
	defer timer.Stop()
	select {
	case <-waiting:
	case <-p.Done():
	case <-timer.C:
		e.end()
	}
}

// usable reports whether the process lives and waits for work.
func (e *environment) usable() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.process == nil || e.stopped {
		return false
	}
	select {
	case <-e.process.Ended():
		return false
	default:
		return true
	}
}

// end kills the process and closes its Runtime API; the temporary directory
// stays for the next start.
func (e *environment) end() {
	e.mu.Lock()
	p, s, c := e.process, e.server, e.credentials
	e.process, e.server, e.credentials = nil, nil, Credentials{}
	e.mu.Unlock()
	if p != nil {
		p.Kill()
		<-p.Done()
	}
	if s != nil {
		_ = s.Close()
	}
	if c.AccessKeyID != "" {
		e.runtime.Release(c)
	}
}

// stop ends the environment for good.
func (e *environment) stop() {
	e.mu.Lock()
	e.stopped = true
	e.mu.Unlock()
	e.end()
	if e.tmp != "" {
		_ = os.RemoveAll(e.tmp)
	}
}

// alive reports whether the environment can take another invocation. One
// whose process was killed at the time-out can: it starts again, and its
// temporary directory is still there.
func (e *environment) alive() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.stopped
}
