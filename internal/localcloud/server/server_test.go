package server

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// serve runs a server that gives its clients a tenth of a second.
func serve(t *testing.T, h http.Handler) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := limited(h, 100*time.Millisecond)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestBodyThatDoesNotComeIsEnded(t *testing.T) {
	t.Parallel()
	read := make(chan error, 1)
	conn := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		read <- err
	}))
	if _, err := io.WriteString(
		conn,
		"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf",
	); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-read:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("reading the body ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the body is waited for without end")
	}
}

// A long poll is answered after longer than a request may take to arrive, and
// the connection is then used again.
func TestAnswerMayTakeLonger(t *testing.T) {
	t.Parallel()
	conn := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(500 * time.Millisecond):
			_, _ = io.WriteString(w, "late")
		}
	}))
	in := bufio.NewReader(conn)
	for range 2 {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil || string(body) != "late" {
			t.Errorf("got %q, %v", body, err)
		}
	}
}

// A server that is not made here has no bounds.
func TestEveryServerIsMadeHere(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if path == filepath.Join("..", "server", "server.go") {
			return nil
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), "&http.Server{") {
			t.Errorf("%s makes a server of its own", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
