package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

func TestLimitLeavesHalfOfTheTime(t *testing.T) {
	t.Parallel()
	for left, want := range map[time.Duration]map[string]time.Duration{
		time.Hour: {
			"GetItem":            time.Second,
			"PutItem":            time.Second,
			"UpdateItem":         time.Second,
			"DeleteItem":         time.Second,
			"TransactWriteItems": 2 * time.Second,
			"Query":              3 * time.Second,
			"BatchGetItem":       3 * time.Second,
			"BatchWriteItem":     3 * time.Second,
		},
		-time.Hour: {"GetItem": -30 * time.Minute},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), left)
		defer cancel()
		for operation, most := range want {
			if got := limit(ctx, operation); got > most || most > 0 && got != most {
				t.Errorf("%s with %v left may take %v", operation, left, got)
			}
		}
	}
	// Of a time that passes meanwhile it is half at most.
	for _, left := range []time.Duration{700 * time.Millisecond, 1500 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), left)
		defer cancel()
		for _, operation := range []string{"GetItem", "BatchWriteItem"} {
			if got := limit(ctx, operation); got > left/2 {
				t.Errorf("%s with %v left may take %v", operation, left, got)
			}
		}
	}
	if got := limit(t.Context(), "GetItem"); got != unhurriedTime {
		t.Errorf("without an end it may take %v", got)
	}
}

// hurried gives each try a second, whatever the time that its caller has.
func hurried(client *transport) {
	client.limit = func(context.Context, string) time.Duration { return time.Second }
}

func isTimeout(err error) bool {
	var own *timeoutError
	return errors.As(err, &own) && own.Timeout()
}

// One request is never answered, or not to the end; the connection is given up
// with it.
func TestHungCallsAreGivenUp(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, secure bool) {
		for label, begin := range map[string]func(http.ResponseWriter){
			"no answer": func(http.ResponseWriter) {},
			"half an answer": func(w http.ResponseWriter) {
				w.Header().Set("Content-Length", "2")
				_, _ = io.WriteString(w, "{")
				w.(http.Flusher).Flush()
			},
		} {
			s, client := serve(t, secure, wallClock)
			if err := put(t, client, s.URL, 10); err != nil {
				t.Fatal(err)
			}
			hurried(client)
			var tries atomic.Int64
			s.set(func(w http.ResponseWriter, r *http.Request) bool {
				if tries.Add(1) > 1 {
					return false
				}
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					t.Error(err)
				}
				begin(w)
				<-r.Context().Done()
				return true
			})
			var notSent *NotSentError
			err := put(t, client, s.URL, 10)
			if !isTimeout(err) || errors.As(err, &notSent) || tries.Load() != 1 {
				t.Errorf("%s: got %v after %d tries", label, err, tries.Load())
			}
			client.limit = limit
			if err := put(t, client, s.URL, 10); err != nil || s.opened.Load() != 2 {
				t.Errorf("%s: then it got %v, on the connection %d", label, err, s.opened.Load())
			}
		}
	})
}

// Nothing was written: the server accepts the connection and says nothing, so
// that there is no TLS, or reads nothing of a large request.
func TestRequestThatHangsBeforeItIsSentIsNotSent(t *testing.T) {
	t.Parallel()
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	for url, size := range map[string]int{
		"https://" + mute.Addr().String(): 10,
		"http://" + mute.Addr().String():  large,
	} {
		client := newTransport(wallClock)
		hurried(client)
		var notSent *NotSentError
		if err := put(t, client, url, size); !errors.As(err, &notSent) || !isTimeout(err) {
			t.Errorf("%s: got %v", url, err)
		}
	}
}

// The caller's own end is not a try that took too long.
func TestEndOfTheCallersTimeIsTold(t *testing.T) {
	t.Parallel()
	s, client := serve(t, false, wallClock)
	ctx, cancel := context.WithCancel(t.Context())
	s.set(func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		<-r.Context().Done()
		return true
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(r); !errors.Is(err, context.Canceled) || isTimeout(err) {
		t.Errorf("got %v", err)
	}
}
