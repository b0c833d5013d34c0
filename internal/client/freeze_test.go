package client

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a wall clock that a test sets.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() int64 { return c.ns.Load() }

func (c *clock) pass(d time.Duration) { c.ns.Add(int64(d)) }

// both runs a test without and with TLS.
func both(t *testing.T, test func(t *testing.T, secure bool)) {
	t.Helper()
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprint("TLS ", secure), func(t *testing.T) {
			t.Parallel()
			test(t, secure)
		})
	}
}

// The server has forgotten the connections, and the client got no sign of it.
func TestNoConnectionIsUsedThatWasIdleDuringAFreeze(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, secure bool) {
		for label, gap := range map[string]time.Duration{
			"frozen":                 maxIdle + time.Second,
			"frozen for a day":       24 * time.Hour,
			"the clock was set back": -time.Hour,
		} {
			var c clock
			s, client := serve(t, secure, c.now)
			for range 10 {
				before := s.applied.Load()
				if err := put(t, client, s.URL, 10); err != nil {
					t.Fatal(err)
				}
				s.doom(s.idle(t, 1))
				c.pass(gap)
				if err := put(t, client, s.URL, 10); err != nil || s.applied.Load() != before+2 {
					t.Errorf("%s: %d requests were applied, %v", label, s.applied.Load()-before, err)
				}
			}
		}
	})
}

// Without a gap the connection is used, and a request that was written may
// have been applied.
func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, secure bool) {
		var c clock
		s, client := serve(t, secure, c.now)
		for range 10 {
			if err := put(t, client, s.URL, 10); err != nil {
				t.Fatal(err)
			}
			c.pass(maxIdle)
		}
		if n := s.opened.Load(); n != 1 {
			t.Errorf("there were %d connections", n)
		}
		s.doom(s.idle(t, 1))
		var notSent *NotSentError
		if err := put(
			t,
			client,
			s.URL,
			10,
		); err == nil || errors.As(err, &notSent) ||
			s.applied.Load() != 10 {
			t.Errorf("got %v", err)
		}
	})
}

// One connection that is in use does not keep the others alive.
func TestEachConnectionHasItsOwnIdleTime(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, secure bool) {
		var c clock
		const n = 5
		s, client := serve(t, secure, c.now)
		if err := errors.Join(together(t, s, client, n)...); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			s.idle(t, n)
			c.pass(maxIdle - time.Second)
			if err := put(t, client, s.URL, 10); err != nil {
				t.Fatal(err)
			}
		}
		for i, err := range together(t, s, client, n) {
			if err != nil {
				t.Errorf("request %d: %v", i, err)
			}
		}
		if opened := s.opened.Load(); opened != 2*n-1 {
			t.Errorf("there were %d connections, want one that stayed and %d twice", opened, n-1)
		}
	})
}

func TestConnectionAfterAFreezeResumesTheSession(t *testing.T) {
	t.Parallel()
	var c clock
	s, client := serve(t, true, c.now)
	for range 3 {
		if err := put(t, client, s.URL, 10); err != nil {
			t.Fatal(err)
		}
		c.pass(time.Minute)
	}
	if s.opened.Load() != 3 || s.resumed.Load() != 2 {
		t.Errorf("%d of %d connections resumed a session", s.resumed.Load(), s.opened.Load())
	}
}

// What the server did while the function was frozen is seen before anything is
// written, however short it was.
func TestClosedConnectionsAreNotUsed(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, secure bool) {
		for label, end := range map[string]func(net.Conn){
			"closed": func(c net.Conn) { _ = c.Close() },
			"reset":  resetConn,
		} {
			var c clock
			s, client := serve(t, secure, c.now)
			for i := range 50 {
				if err := put(t, client, s.URL, 10); err != nil {
					t.Fatalf("%s: request %d: %v", label, i, err)
				}
				end(s.idle(t, 1)[0])
			}
			if n := s.applied.Load(); n != 50 {
				t.Errorf("%s: %d requests were applied", label, n)
			}
		}
	})
}

// Nobody reads from these connections, as in a function that is frozen.
func TestWhatTheServerDidIsSeenUnread(t *testing.T) {
	t.Parallel()
	for label, do := range map[string]func(net.Conn) error{
		"closed": func(c net.Conn) error { return c.Close() },
		"reset": func(c net.Conn) error {
			resetConn(c)
			return nil
		},
		"sent something": func(c net.Conn) error {
			_, err := c.Write([]byte("x"))
			return err
		},
	} {
		mine, theirs := pair(t)
		c := newConnection(mine, mine, 0)
		if !c.usable(int64(maxIdle)) {
			t.Errorf("%s: it is not usable before", label)
		}
		if c.usable(int64(maxIdle)+1) || c.usable(-1) {
			t.Errorf("%s: it is usable for longer than %v", label, maxIdle)
		}
		if err := do(theirs); err != nil {
			t.Fatal(err)
		}
		for over := time.Now().Add(patience); c.usable(1); {
			if time.Now().After(over) {
				t.Fatalf("%s: it stays usable", label)
			}
		}
	}
}

// pair returns the two ends of a connection.
func pair(t *testing.T) (mine, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if mine, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if theirs, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = mine.Close()
		_ = theirs.Close()
	})
	return mine, theirs
}
