package runtime

import (
	"net/http"
	"strconv"
	"sync"
)

// freezer stops a process while it waits for work, and lets it go on for the
// next invocation, as Lambda does. Source: Lambda developer guide, "Lambda
// execution environment lifecycle": the environment is frozen when the runtime
// has asked for work and there is none.
type freezer struct {
	mu     sync.Mutex
	polls  int // requests for work that are not answered yet
	frozen frozen
}

// frozen is a process that can be stopped.
type frozen interface {
	Freeze()
	Thaw()
}

// poll notes that the process asks for work.
func (f *freezer) poll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.polls++
}

// freeze stops the process and reports whether it did: one that does not ask
// for work would never go on.
func (f *freezer) freeze(p frozen) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.polls == 0 || f.frozen != nil {
		return false
	}
	p.Freeze()
	f.frozen = p
	return true
}

// answered notes that a request for work was answered or given up. Who gave it
// up, while it was stopped or before, has to ask again.
func (f *freezer) answered() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.polls--
	if f.frozen != nil {
		f.frozen.Thaw()
		f.frozen = nil
	}
}

// freeze stops the process of an environment that has nothing to do.
func (e *environment) freeze() {
	e.mu.Lock()
	p, f, c := e.process, e.freezer, e.credentials
	e.mu.Unlock()
	if p != nil && f.freeze(p) {
		e.runtime.Frozen(e.function, c)
	}
}

// waiting is how much of an event is there when a process goes on, in bytes.
// It fits into the buffers of a socket, so that writing it waits for nobody.
const waiting = 16 << 10

// deliver sends an event to a process that may be stopped: it goes on when the
// beginning is there, as on Lambda, where the event wakes it. A runtime that is
// gone is noticed by its exit.
func deliver(w http.ResponseWriter, payload []byte, thaw func()) {
	w.Header().Set("Content-Length", strconv.Itoa(len(payload)))
	first := payload[:min(len(payload), waiting)]
	_, _ = w.Write(first)
	_ = http.NewResponseController(w).Flush()
	thaw()
	_, _ = w.Write(payload[len(first):])
}
