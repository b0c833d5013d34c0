package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// patience bounds how long a test waits for what happens in no time.
const patience = 20 * time.Second

// server answers requests over real TCP, and treats connections as the test
// says.
type server struct {
	*httptest.Server
	applied atomic.Int64 // requests that were read to their end
	opened  atomic.Int64 // connections
	resumed atomic.Int64 // requests on connections that resumed a TLS session

	mu     sync.Mutex
	answer answer // nil: none
	states map[net.Conn]http.ConnState
	doomed map[net.Conn]bool
	change chan struct{} // closed when a state changes
}

// answer answers a request instead of the server if it returns true.
type answer func(w http.ResponseWriter, r *http.Request) bool

func (s *server) set(a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = a
}

type connKey struct{}

// serve starts a server and returns it with a transport that trusts it.
func serve(t *testing.T, secure bool, now func() int64) (*server, *transport) {
	t.Helper()
	s := &server{
		states: map[net.Conn]http.ConnState{},
		doomed: map[net.Conn]bool{},
		change: make(chan struct{}),
	}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ConnState = s.note
	s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	client := newTransport(now)
	if secure {
		s.StartTLS()
		client.tls.RootCAs = x509.NewCertPool()
		client.tls.RootCAs.AddCert(s.Certificate())
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	t.Cleanup(client.http.CloseIdleConnections)
	return s, client
}

func (s *server) note(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == http.StateNew {
		s.opened.Add(1)
	}
	if state == http.StateClosed || state == http.StateHijacked {
		delete(s.states, c)
	} else {
		s.states[c] = state
	}
	close(s.change)
	s.change = make(chan struct{})
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	doomed, answer := s.doomed[connOf(r)], s.answer
	s.mu.Unlock()
	if doomed {
		reset(w)
		return
	}
	if r.TLS != nil && r.TLS.DidResume {
		s.resumed.Add(1)
	}
	if answer != nil && answer(w, r) {
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	s.applied.Add(1)
	_, _ = io.WriteString(w, "{}")
}

func connOf(r *http.Request) net.Conn {
	c, _ := r.Context().Value(connKey{}).(net.Conn)
	return c
}

// reset drops the connection of a request as a host does that knows nothing of
// it.
func reset(w http.ResponseWriter) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	resetConn(c)
}

func resetConn(c net.Conn) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// idle waits until n connections are open and all of them are idle, and
// returns them.
func (s *server) idle(t *testing.T, n int) []net.Conn {
	t.Helper()
	over := time.After(patience)
	for {
		s.mu.Lock()
		var out []net.Conn
		for c, state := range s.states {
			if state == http.StateIdle {
				out = append(out, c)
			}
		}
		open, change := len(s.states), s.change
		s.mu.Unlock()
		if len(out) == n && open == n {
			return out
		}
		select {
		case <-change:
		case <-over:
			t.Fatalf("%d of %d connections are idle, want %d", len(out), open, n)
		}
	}
}

// doom makes the server reset the connections when something comes on them, as
// when it has closed them and the client did not hear of it.
func (s *server) doom(all []net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range all {
		s.doomed[c] = true
	}
}

// put sends a request with a body of so many bytes.
func put(t *testing.T, client *transport, url string, size int) error {
	t.Helper()
	sent := strings.NewReader(strings.Repeat("x", size))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, sent)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	if err == nil && string(body) != "{}" {
		t.Errorf("the answer is %q", body)
	}
	return err
}

// together sends n requests, none of which is answered before all have come.
func together(t *testing.T, s *server, client *transport, n int) []error {
	t.Helper()
	var come, done sync.WaitGroup
	come.Add(n)
	s.set(func(http.ResponseWriter, *http.Request) bool {
		come.Done()
		come.Wait()
		return false
	})
	errs := make([]error, n)
	for i := range errs {
		done.Go(func() { errs[i] = put(t, client, s.URL, 10) })
	}
	done.Wait()
	s.set(nil)
	return errs
}
