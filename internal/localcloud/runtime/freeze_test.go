package runtime

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

// size returns the length of a file that may not be there yet.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// watched is a runtime that tells how long a file is when a process is frozen,
// and with whose credentials.
func watched(t *testing.T, ticks string) (*Runtime, chan int64) {
	t.Helper()
	r, _ := start(t)
	frozen := make(chan int64, 100)
	r.Frozen = func(f Function, c Credentials) {
		if f.Name != "f" || c.AccessKeyID != "key-of-role" {
			t.Errorf("frozen is %s with the key %s", f.Name, c.AccessKeyID)
		}
		frozen <- size(ticks)
	}
	return r, frozen
}

// What a function leaves running stands still until the next invocation, and
// goes on in it.
func TestFunctionIsFrozenBetweenInvocations(t *testing.T) {
	t.Parallel()
	ticks := filepath.Join(t.TempDir(), "ticks")
	r, frozen := watched(t, ticks)
	put(t, r, Function{Package: good(t)})
	_, first := invoke(t, r, "tick", ticks)
	before := <-frozen
	for range 3 {
		// A tick takes a millisecond, and reading a package of megabytes more.
		if err := CheckRunnable(good(t)); err != nil {
			t.Fatal(err)
		}
		if now := size(ticks); now != before {
			t.Errorf("the frozen function wrote %d bytes", now-before)
		}
		gate := filepath.Join(t.TempDir(), "go")
		done := make(chan result, 1)
		go func() {
			_, out := invoke(t, r, "wait", gate)
			done <- out
		}()
		until(t, func() bool { return size(ticks) > before })
		if err := os.WriteFile(gate, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if out := <-done; out.Pid != first.Pid {
			t.Errorf("the process was %d and is %d", first.Pid, out.Pid)
		}
		before = <-frozen
	}
}

// An event is there when the process goes on, so that it meets the world as
// the freeze has left it.
func TestEventWaitsWhenTheProcessGoesOn(t *testing.T) {
	t.Parallel()
	for _, length := range []int{2, waiting, waiting + 1, maxPayload} {
		payload := bytes.Repeat([]byte(" "), length)
		got := make(chan int, 1)
		thawed := false
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			deliver(w, payload, func() {
				select {
				case n := <-got:
					thawed = n == min(length, waiting)
				case <-time.After(20 * time.Second):
				}
			})
		}))
		resp, err := http.Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		first := make([]byte, min(length, waiting))
		n, err := io.ReadFull(resp.Body, first)
		if err != nil {
			t.Fatal(err)
		}
		got <- n
		rest, err := io.ReadAll(resp.Body)
		if err != nil || n+len(rest) != length || resp.ContentLength != int64(length) {
			t.Errorf("of %d bytes %d came, %v", length, n+len(rest), err)
		}
		_ = resp.Body.Close()
		s.Close()
		if !thawed {
			t.Errorf("an event of %d bytes was not there when the process went on", length)
		}
	}
}

// ice counts.
type ice struct{ freezes, thaws atomic.Int64 }

func (i *ice) Freeze() { i.freezes.Add(1) }
func (i *ice) Thaw()   { i.thaws.Add(1) }

func TestOnlyWhoWaitsForWorkIsFrozen(t *testing.T) {
	t.Parallel()
	var f freezer
	p := &ice{}
	if f.freeze(p) || p.freezes.Load() != 0 {
		t.Error("a process that does not ask for work was frozen: it would never do so again")
	}
	f.poll()
	if !f.freeze(p) || f.freeze(p) || p.freezes.Load() != 1 {
		t.Error("a process that asks for work was not frozen once")
	}
	f.answered()
	if p.thaws.Load() != 1 {
		t.Error("it did not go on")
	}
	f.poll()
	f.answered()
	if p.thaws.Load() != 1 {
		t.Error("a process that was not frozen was thawed")
	}
}

// A runtime that gives up its request for work has to run to ask again.
func TestProcessThatGivesUpItsRequestGoesOn(t *testing.T) {
	t.Parallel()
	e := &environment{freezer: &freezer{}, next: make(chan *invocation), waiting: make(chan struct{}, 1)}
	s := httptest.NewServer(e.api())
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	q, err := http.NewRequestWithContext(
		ctx,
		http.MethodGet,
		s.URL+"/2018-06-01/runtime/invocation/next",
		nil,
	)
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() {
		_, err := http.DefaultClient.Do(q)
		gone <- err
	}()
	<-e.waiting
	p := &ice{}
	if !e.freezer.freeze(p) {
		t.Fatal("it is not frozen")
	}
	cancel()
	if err := <-gone; err == nil {
		t.Fatal("it got work")
	}
	until(t, func() bool { return p.thaws.Load() == 1 })
}

func TestFrozenFunctionTakesTheLargestEvent(t *testing.T) {
	t.Parallel()
	r, frozen := watched(t, "")
	put(t, r, Function{Package: good(t)})
	invoke(t, r, "", "")
	<-frozen
	payload, err := json.Marshal(map[string]string{"Path": string(bytes.Repeat([]byte("x"), maxPayload-100))})
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.Invoke(t.Context(), Target{Name: "f", Version: "$LATEST"}, payload)
	if err != nil || res.Cold || res.FunctionError != "" {
		t.Errorf("got %v, cold %v, %q", err, res.Cold, res.FunctionError)
	}
}

// An environment has one timer for its idle time, however often it is used.
func TestIdleTimeHasOneTimer(t *testing.T) {
	t.Parallel()
	r, _ := start(t)
	var timers []func()
	r.afterFunc = func(d time.Duration, f func()) *time.Timer {
		timers = append(timers, f)
		return time.AfterFunc(d, f)
	}
	begin := time.Now()
	var idle atomic.Int64
	r.Now = func() time.Time { return begin.Add(time.Duration(idle.Load())) }
	put(t, r, Function{Package: good(t)})
	for range 5 {
		invoke(t, r, "", "")
	}
	if len(timers) != 1 {
		t.Fatalf("five invocations made %d timers", len(timers))
	}
	timers[0]() // as if it had fired while an invocation came
	if n := len(r.Stats()[0].Pids); n != 1 {
		t.Errorf("%d processes are left before the time", n)
	}
	idle.Store(int64(r.IdleTimeout))
	timers[0]()
	if n := len(r.Stats()[0].Pids); n != 0 {
		t.Errorf("%d processes are left after the time", n)
	}
	if res, _ := invoke(t, r, "", ""); !res.Cold {
		t.Error("the process was kept")
	}
}
