package dynamodb

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// held is a connection of the holder of a key.
type held struct {
	net.Conn
	in *bufio.Reader
}

func hold(t *testing.T, s *httptest.Server) held {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return held{conn, bufio.NewReader(conn)}
}

func (h held) ask(t *testing.T, key string) {
	t.Helper()
	if _, err := io.WriteString(h, "GET / HTTP/1.1\r\nHost: localhost\r\nKey: "+key+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
}

func (h held) answered(t *testing.T) {
	t.Helper()
	resp, err := http.ReadResponse(h.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
}

// A function that is frozen loses the connections that carry nothing, and
// nobody else loses any.
func TestIdleConnectionsOfOneHolderAreClosed(t *testing.T) {
	t.Parallel()
	d := &Database{}
	release := make(chan struct{})
	arrived := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		d.connections.used(r.Context(), r.Header.Get("Key"))
		if r.Header.Get("Key") == "busy" {
			arrived <- struct{}{}
			<-release
		}
	}))
	d.connections.watch(s.Config)
	s.Start()
	defer s.Close()
	first, second, other, busy := hold(t, s), hold(t, s), hold(t, s), hold(t, s)
	first.ask(t, "frozen")
	first.answered(t)
	second.ask(t, "frozen")
	second.answered(t)
	other.ask(t, "other")
	other.answered(t)
	busy.ask(t, "busy")
	<-arrived
	closed := 0
	for over := time.Now().Add(20 * time.Second); closed < 2; {
		if time.Now().After(over) {
			t.Fatalf("%d connections were closed", closed)
		}
		closed += d.CloseIdle("frozen")
	}
	if n := d.CloseIdle("busy") + d.CloseIdle("nobody") + d.CloseIdle(""); n != 0 {
		t.Errorf("%d other connections were closed", n)
	}
	for _, h := range []held{first, second} {
		if _, err := h.in.ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("the connection ended with %v", err)
		}
	}
	other.ask(t, "other")
	other.answered(t)
	close(release)
	busy.answered(t)
}
