package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// large is a body that fits into no buffer on the way.
const large = 16 << 20

func TestRequestThatWasNotWrittenToItsEndIsNotSent(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, secure bool) {
		s, client := serve(t, secure, wallClock)
		for _, warm := range []bool{false, true} {
			s.set(nil)
			client.http.CloseIdleConnections()
			if warm {
				if err := put(t, client, s.URL, 10); err != nil {
					t.Fatal(err)
				}
			}
			var tries atomic.Int64
			s.set(func(w http.ResponseWriter, r *http.Request) bool {
				tries.Add(1)
				_, _ = io.CopyN(io.Discard, r.Body, 1000)
				reset(w)
				return true
			})
			var notSent *NotSentError
			err := put(t, client, s.URL, large)
			if want := map[bool]int64{
				false: 1,
				true:  2,
			}[warm]; !errors.As(err, &notSent) || tries.Load() != want {
				t.Errorf("after %d tries, warm %v, it got %v", tries.Load(), warm, err)
			}
		}
	})
}

// Whatever ends the connection then, the request may have been applied, and is
// not sent again.
func TestRequestThatWasWrittenIsNotSentAgain(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, secure bool) {
		for label, end := range map[string]func(http.ResponseWriter){
			"reset":                reset,
			"closed":               func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
			"cut while it answers": cut,
		} {
			s, client := serve(t, secure, wallClock)
			for i := range 20 {
				if i%2 == 0 {
					s.set(nil)
					client.http.CloseIdleConnections()
					if err := put(t, client, s.URL, 10); err != nil {
						t.Fatal(err)
					}
				}
				before := s.applied.Load()
				s.set(func(w http.ResponseWriter, r *http.Request) bool {
					if _, err := io.Copy(io.Discard, r.Body); err == nil {
						s.applied.Add(1)
					}
					end(w)
					return true
				})
				var notSent *NotSentError
				err := put(t, client, s.URL, 10)
				if n := s.applied.Load() - before; err == nil || errors.As(err, &notSent) || n != 1 {
					t.Errorf("%s: applied %d times, and it got %v", label, n, err)
				}
			}
		}
	})
}

// cut sends less of an answer than it says.
func cut(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, "{")
	_ = http.NewResponseController(w).Flush() // or else none of it is sent
	panic(http.ErrAbortHandler)
}

func TestRequestWithoutConnectionIsNotSent(t *testing.T) {
	t.Parallel()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = nobody.Close()
	rude, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer rude.Close()
	go func() {
		for {
			c, err := rude.Accept()
			if err != nil {
				return
			}
			resetConn(c)
		}
	}()
	untrusted, _ := serve(t, true, wallClock)
	for label, url := range map[string]string{
		"refused":              "http://" + nobody.Addr().String(),
		"refused with TLS":     "https://" + nobody.Addr().String(),
		"reset during TLS":     "https://" + rude.Addr().String(),
		"no trust":             untrusted.URL,
		"no such host":         "http://no-such-host.invalid",
		"not a scheme of HTTP": "gopher://localhost",
	} {
		client := newTransport(wallClock)
		var notSent *NotSentError
		if err := put(t, client, url, 10); !errors.As(err, &notSent) || !notSent.NotSent() {
			t.Errorf("%s: got %v", label, err)
		}
	}
	if untrusted.applied.Load() > 0 {
		t.Error("a request reached a server that is not trusted")
	}
}

// An answer that comes before the server has read the request leaves the
// connection usable.
func TestEarlyAnswersLeaveTheConnectionOpen(t *testing.T) {
	t.Parallel()
	s, client := serve(t, false, wallClock)
	s.set(func(w http.ResponseWriter, _ *http.Request) bool {
		_, err := io.WriteString(w, "{}")
		return err == nil
	})
	for range 20 {
		if err := put(t, client, s.URL, 10_000); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.opened.Load(); n != 1 {
		t.Errorf("there were %d connections", n)
	}
}

// broken is a connection that can be read only.
type broken struct{ net.Conn }

func (broken) Write([]byte) (int, error) { return 0, syscall.EPIPE }

// A small request is written at once, when net/http takes it for written.
func TestSmallRequestThatCannotBeWrittenIsNotSent(t *testing.T) {
	t.Parallel()
	s, client := serve(t, false, wallClock)
	dials := 0
	client.http.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := client.dial(ctx, network, address)
		if err == nil {
			dials++
			c.(*connection).Conn = broken{c.(*connection).Conn}
		}
		return c, err
	}
	var notSent *NotSentError
	err := put(t, client, s.URL, 10)
	if !errors.As(err, &notSent) || !errors.Is(err, syscall.EPIPE) || dials != 1 {
		t.Errorf("with %d connections it got %v", dials, err)
	}
}

// net/http itself goes from one connection that is not usable to the next.
func TestRequestThatWasNotBegunIsReplayed(t *testing.T) {
	t.Parallel()
	var c clock
	s, client := serve(t, false, c.now)
	const n = 4
	if err := errors.Join(together(t, s, client, n)...); err != nil {
		t.Fatal(err)
	}
	s.idle(t, n)
	c.pass(time.Minute)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 3
	if _, err := client.send(r, []byte("abc"), &sending{now: c.now}); err != nil || s.applied.Load() != n+1 {
		t.Errorf("%d requests were applied, %v", s.applied.Load(), err)
	}
}
