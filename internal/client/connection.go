package client

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
)

// connection is one of net/http's, above TLS. It remembers when it was used
// and whether all that was written to it could be.
type connection struct {
	net.Conn
	socket   syscall.RawConn // nil if the operating system has none
	lastUsed atomic.Int64    // wall clock, in nanoseconds since 1970
	failed   atomic.Bool     // something could not be written, or not all
	retired  atomic.Bool
}

// newConnection watches c, whose bytes go through the connection below.
func newConnection(c, below net.Conn, now int64) *connection {
	out := &connection{Conn: c}
	out.lastUsed.Store(now)
	if s, ok := below.(syscall.Conn); ok {
		if socket, err := s.SyscallConn(); err == nil {
			out.socket = socket
		}
	}
	return out
}

var errRetired = errors.New("the connection was idle for too long, or the server has closed it")

// retire makes the connection refuse what is written to it.
func (c *connection) retire() { c.retired.Store(true) }

// Write returns an error without having written anything if the connection is
// retired: net/http then closes it and takes another one.
func (c *connection) Write(p []byte) (int, error) {
	if c.retired.Load() {
		c.failed.Store(true)
		return 0, errRetired
	}
	n, err := c.Conn.Write(p)
	if err != nil {
		c.failed.Store(true)
	}
	return n, err
}

// usable reports whether an idle connection may carry another request. A time
// before the last use is of a clock that was set, and tells nothing.
func (c *connection) usable(now int64) bool {
	idle := now - c.lastUsed.Load()
	return idle >= 0 && idle <= int64(maxIdle) && c.quiet()
}

// quiet reports whether the server has neither closed the connection nor sent
// anything without being asked, such as the end of TLS. It looks at what the
// operating system has received: of that a function that was frozen a moment
// ago has read nothing yet.
func (c *connection) quiet() bool {
	if c.socket == nil {
		return true
	}
	var received error
	// Not by Read, which would wait for the one of net/http.
	err := c.socket.Control(func(fd uintptr) {
		_, _, received = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK)
	})
	return err == nil && errors.Is(received, syscall.EAGAIN)
}
