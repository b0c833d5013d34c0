package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
)

// slow is a connection whose writer goes on some time after all was written, as
// one that the operating system does not let run.
type slow struct {
	net.Conn
	goOn <-chan struct{}
}

func (s slow) Write(p []byte) (int, error) {
	n, err := s.Conn.Write(p)
	if len(p) > 8<<10 {
		<-s.goOn
	}
	return n, err
}

// The server can have got all before net/http says that all was written.
func TestRequestWhoseAnswerBreaksOffWasSent(t *testing.T) {
	t.Parallel()
	s, client := serve(t, false, wallClock)
	goOn := make(chan struct{})
	defer close(goOn)
	client.http.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := client.dial(ctx, network, address)
		if err == nil {
			c.(*connection).Conn = slow{c.(*connection).Conn, goOn}
		}
		return c, err
	}
	if err := put(t, client, s.URL, 10); err != nil {
		t.Fatal(err)
	}
	s.applied.Store(0)
	s.set(func(w http.ResponseWriter, r *http.Request) bool {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			s.applied.Add(1)
		}
		cut(w)
		return true
	})
	var notSent *NotSentError
	err := put(t, client, s.URL, 16<<10)
	if n := s.applied.Load(); err == nil || errors.As(err, &notSent) || n != 1 {
		t.Errorf("applied %d times, and it got %v", n, err)
	}
}

// One dead connection tells that the others are dead too.
func TestRequestIsSentAgainOnANewConnection(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, secure bool) {
		s, client := serve(t, secure, wallClock)
		const n = 4
		if err := errors.Join(together(t, s, client, n)...); err != nil {
			t.Fatal(err)
		}
		s.doom(s.idle(t, n))
		if err := put(t, client, s.URL, large); err != nil || s.applied.Load() != n+1 {
			t.Errorf("%d requests were applied, %v", s.applied.Load(), err)
		}
	})
}
