package dynamodb

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"items-api/internal/localcloud/peer"
)

// connections knows the connections to the gate, and whose they are.
type connections struct {
	mu  sync.Mutex
	all map[net.Conn]*connection
}

type connection struct {
	accessKeyID string // of the last request
	idle        bool
}

type connectionKey struct{}

// watch makes a server tell of its connections.
func (c *connections) watch(s *http.Server) {
	c.all = map[net.Conn]*connection{}
	s.ConnState = c.changed
	s.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, conn)
	}
}

func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == http.StateClosed || state == http.StateHijacked {
		delete(c.all, conn)
		return
	}
	if c.all[conn] == nil {
		c.all[conn] = &connection{}
	}
	c.all[conn].idle = state == http.StateIdle
}

// used notes whose request came on a connection.
func (c *connections) used(ctx context.Context, accessKeyID string) {
	conn, _ := ctx.Value(connectionKey{}).(net.Conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.all[conn]; known != nil {
		known.accessKeyID = accessKeyID
	}
}

// close closes the idle connections of an access key and returns them.
func (c *connections) close(accessKeyID string) []net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []net.Conn
	for conn, known := range c.all {
		if known.idle && known.accessKeyID == accessKeyID && conn.Close() == nil {
			out = append(out, conn)
		}
	}
	return out
}

// closeLimit is how long the end of a connection may take to arrive.
const closeLimit = time.Second

// CloseIdle closes the connections that the holder of an access key keeps open
// without a request, as happens on AWS to a function that is frozen, and
// returns how many there were. The end of each has arrived at the holder's side
// then, who need not have read it.
func (d *Database) CloseIdle(accessKeyID string) int {
	closed := d.connections.close(accessKeyID)
	begin := time.Now()
	for _, conn := range closed {
		for peer.Established(conn) && time.Since(begin) < closeLimit {
			time.Sleep(50 * time.Microsecond)
		}
	}
	return len(closed)
}
