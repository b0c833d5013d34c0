package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

const (
	// maxIdle is how long a connection may be idle and still be used, by the
	// wall clock. Lambda freezes a function between invocations, and its idle
	// connections die meanwhile without a sign. Source: Lambda developer
	// guide, best practices: "Lambda purges idle connections over time".
	maxIdle = 3 * time.Second
	// maxDial bounds the making of a connection, its TLS handshake included.
	maxDial = 5 * time.Second
	// maxConnections is how many idle connections are kept. A batch uses four.
	maxConnections = 8
)

// wallClock returns the time in nanoseconds since 1970. It is not a time.Time,
// of which Go compares the monotonic reading: that may stand still while the
// function is frozen.
func wallClock() int64 { return time.Now().UnixNano() }

// transport sends requests to DynamoDB. It is safe for concurrent use.
type transport struct {
	now func() int64
	// limit is how long a try of an operation may take.
	limit  func(ctx context.Context, operation string) time.Duration
	dialer *net.Dialer
	tls    *tls.Config
	http   *http.Transport
}

func newTransport(now func() int64) *transport {
	t := &transport{
		now:    now,
		limit:  limit,
		dialer: &net.Dialer{Timeout: maxDial},
		// A connection after a freeze resumes the session of the one before.
		tls: &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(maxConnections)},
	}
	t.http = &http.Transport{
		DialContext:         t.dial,
		DialTLSContext:      t.dialTLS,
		MaxIdleConnsPerHost: maxConnections,
		IdleConnTimeout:     maxIdle,
		// With HTTP/1.1 a connection carries one request at a time, so that
		// what was written to it tells what was sent of the request.
		Protocols: new(http.Protocols),
	}
	t.http.Protocols.SetHTTP1(true)
	return t
}

func (t *transport) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := t.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return newConnection(c, c, t.now()), nil
}

// dialTLS makes the handshake here and not in net/http, so that the connection
// that is watched is the one to which the request is written in plain text.
func (t *transport) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	d := &tls.Dialer{NetDialer: t.dialer, Config: t.tls}
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return newConnection(c, c.(*tls.Conn).NetConn(), t.now()), nil
}

// NotSentError is a request of which DynamoDB cannot have got all, so that it
// was not applied: no connection could be made, or the request could not be
// written to its end.
type NotSentError struct{ Err error }

func (e *NotSentError) Error() string { return "the request was not sent: " + e.Err.Error() }

func (e *NotSentError) Unwrap() error { return e.Err }

// NotSent reports true. Who may not import this package asks for the method.
func (e *NotSentError) NotSent() bool { return true }

// Do sends a request and reads the whole answer. A request that was not sent
// because an idle connection was dead is sent again at once, on a new one. The
// error is a *NotSentError if DynamoDB cannot have applied the request; it may
// have applied it with any other. Both wrap one whose Timeout method reports
// true if the try took too long.
func (t *transport) Do(r *http.Request) (*http.Response, error) {
	operation := operationOf(r)
	after := t.limit(r.Context(), operation)
	ctx, cancel := context.WithTimeoutCause(r.Context(), after, &timeoutError{operation, after})
	defer cancel()
	resp, err := t.try(r.WithContext(ctx))
	if err == nil {
		resp.Request = r
	}
	return resp, err
}

// try sends a request, in the time that its context has.
func (t *transport) try(r *http.Request) (*http.Response, error) {
	body, err := contents(r.Body, r.ContentLength)
	if err != nil {
		return nil, &NotSentError{err}
	}
	for first := true; ; first = false {
		s := &sending{now: t.now}
		resp, err := t.send(r, body, s)
		switch {
		case err == nil:
			return resp, nil
		case s.complete():
			return nil, err
		case first && s.onUsed() && r.Context().Err() == nil:
			t.http.CloseIdleConnections()
		default:
			return nil, &NotSentError{err}
		}
	}
}

// contents reads a body of a known length, or of any if that is negative.
func contents(body io.ReadCloser, length int64) ([]byte, error) {
	if body == nil || body == http.NoBody {
		return nil, nil
	}
	var out bytes.Buffer
	if length > 0 {
		out.Grow(int(length) + bytes.MinRead)
	}
	_, err := out.ReadFrom(body)
	return out.Bytes(), err
}

// send makes one try. net/http gets a body of its own: smithy-go closes the
// one of the request when Do returns, and net/http then drops the connection
// if the server answered before it had read the end. By GetBody net/http too
// can repeat what it did not begin to write.
func (t *transport) send(r *http.Request, body []byte, s *sending) (*http.Response, error) {
	r = r.Clone(httptrace.WithClientTrace(r.Context(), s.trace()))
	if body != nil {
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Body, _ = r.GetBody() // which returns no error
	}
	resp, err := t.http.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	s.begun()
	answer, err := contents(resp.Body, resp.ContentLength)
	if err != nil && r.Context().Err() != nil {
		err = context.Cause(r.Context())
	}
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	s.used()
	return resp, nil
}

// sending follows one try to the connection that it is sent on.
type sending struct {
	now func() int64

	mu      sync.Mutex
	on      *connection // nil: none was got
	reused  bool
	written bool // to the buffer of the connection, which is flushed then
	// answered: an answer has begun. The server can have got all before
	// net/http has noticed that all was written.
	answered bool
}

func (s *sending) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.on, s.reused, s.written = got.Conn.(*connection), got.Reused, false
			if now := s.now(); s.reused && !s.on.usable(now) {
				s.on.retire()
			} else {
				s.on.lastUsed.Store(now)
			}
		},
		WroteRequest: func(wrote httptrace.WroteRequestInfo) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.written = wrote.Err == nil
		},
	}
}

// complete reports whether all of the request was, or may have been, passed to
// the operating system. net/http has ended its writing when it returns an error,
// but not yet when it returns an answer.
func (s *sending) complete() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answered || s.on != nil && s.written && !s.on.failed.Load()
}

// begun notes that an answer has begun.
func (s *sending) begun() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered = true
}

// onUsed reports whether the connection had carried a request before.
func (s *sending) onUsed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reused
}

// used notes that the connection has carried an answer just now.
func (s *sending) used() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on.lastUsed.Store(s.now())
}
