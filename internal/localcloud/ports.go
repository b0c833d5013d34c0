package localcloud

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"items-api/internal/localcloud/provider"
	"items-api/internal/localcloud/server"
)

const (
	// defaultPort is where the first API is served unless a port is given.
	defaultPort = 8080
	// portsTried is how many ports after the first are tried for a new API.
	portsTried = 100
	// handover is how long an API that moves or goes may take to answer the
	// requests that it has.
	handover = 5 * time.Second
)

// listener serves one API at its port.
type listener struct {
	server *http.Server
	urn    string
	port   int
}

func (l *listener) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, handover)
	defer cancel()
	if err := l.server.Shutdown(ctx); err != nil {
		return l.server.Close()
	}
	return nil
}

// OpenAPI listens for a new API: at the port that its stack was given, at the
// next free one if another API of the stack has it, and from 8080 on if it was
// given none.
func (c *Cloud) OpenAPI(_ context.Context, id, urn string) (int, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.apis[id]; l != nil {
		return l.port, "http://" + address(l.port), nil
	}
	l, err := c.listenAPI(urn)
	if err != nil {
		return 0, "", err
	}
	c.serve(id, urn, l)
	n := c.apis[id].port
	return n, "http://" + address(n), nil
}

// CheckPort tests that OpenAPI would find a port.
func (c *Cloud) CheckPort(urn string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	l, err := c.listenAPI(urn)
	if err != nil {
		return err
	}
	return l.Close()
}

// listenAPI listens where a new API is to be served. The caller holds the mutex.
func (c *Cloud) listenAPI(urn string) (net.Listener, error) {
	first, given := defaultPort, c.Port != 0 && strings.HasPrefix(urn, c.PortFor)
	if given {
		first = c.Port
	}
	for n := first; n <= first+portsTried; n++ {
		if holder := c.holder(n); holder != nil {
			if given && n == first && !strings.HasPrefix(holder.urn, c.PortFor) {
				return nil, taken(n, holder.urn)
			}
			continue
		}
		l, err := net.Listen("tcp", address(n))
		if err == nil {
			return l, nil
		}
		if given && n == first {
			return nil, busy(n, urn)
		}
	}
	return nil, fmt.Errorf("none of the ports %d to %d is free for the API: choose another one with --port",
		first, first+portsTried)
}

// holder returns the API that is served at a port; nil if none is.
func (c *Cloud) holder(port int) *listener {
	for _, l := range c.apis {
		if l.port == port {
			return l
		}
	}
	return nil
}

// serve begins to serve an API. The caller holds the mutex.
func (c *Cloud) serve(id, urn string, l net.Listener) {
	s := server.New(c.gateway.Handler(id))
	c.apis[id] = &listener{
		server: s,
		urn:    urn,
		port:   l.Addr().(*net.TCPAddr).Port,
	}
	go func() {
		// It ends with RemoveAPI, a move or Close.
		_ = s.Serve(l)
	}()
}

// RemoveAPI stops serving an API. Requests in flight are answered.
func (c *Cloud) RemoveAPI(ctx context.Context, id string) error {
	c.gateway.Remove(id)
	c.mu.Lock()
	l := c.apis[id]
	delete(c.apis, id)
	c.mu.Unlock()
	if l == nil {
		return nil
	}
	return l.close(ctx)
}

// restoreAPIs serves the APIs of an earlier run, each at its own port, but for
// one that is to move.
func (c *Cloud) restoreAPIs(ctx context.Context) error {
	apis, err := c.provider.APIs()
	if err != nil {
		return err
	}
	moving := ""
	if c.Port != 0 && c.PortFor != "" {
		if moving, err = toMove(apis, c.PortFor, c.Port); err != nil {
			return err
		}
	}
	var homeless []provider.Address
	for _, a := range apis {
		// The gateway knows the API before anybody can ask: a request in between
		// would be told that there is no such route.
		if err := c.ApplyAPI(ctx, a.ID); err != nil {
			return fmt.Errorf("serving the API %s again: %w", a.ID, err)
		}
		port := a.Port
		if a.ID == moving {
			port = c.Port
		}
		l, err := net.Listen("tcp", address(port))
		if err != nil && c.Port != 0 && c.PortFor == "" {
			homeless = append(homeless, a)
			continue
		}
		if err != nil {
			return busy(port, a.URN)
		}
		c.mu.Lock()
		c.serve(a.ID, a.URN, l)
		c.mu.Unlock()
		if err := c.note(a, port); err != nil {
			return err
		}
	}
	for _, a := range homeless {
		port, _, err := c.OpenAPI(ctx, a.ID, a.URN)
		if err == nil {
			err = c.note(a, port)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// note keeps the port of an API that has moved.
func (c *Cloud) note(a provider.Address, port int) error {
	if a.Port == port {
		return nil
	}
	return c.provider.Move(a.ID, port, "http://"+address(port))
}

// toMove returns the API that a port is given to: of the APIs whose URNs have a
// prefix the one with the lowest port, "" if there is none or one of them has
// the port. A port that another API has is refused.
func toMove(apis []provider.Address, prefix string, port int) (id string, err error) {
	for _, a := range apis {
		switch own := strings.HasPrefix(a.URN, prefix); {
		case own && a.Port == port:
			return "", nil
		case a.Port == port:
			return "", taken(port, a.URN)
		case own && id == "":
			id = a.ID
		}
	}
	return id, nil
}

// Place gives the API of a stack a port while the cloud runs: one that there is
// moves, and one that is made later is served there. A port that another API
// or another program has is refused.
func (c *Cloud) Place(ctx context.Context, prefix string, port int) error {
	apis, err := c.provider.APIs()
	if err != nil {
		return err
	}
	id, err := toMove(apis, prefix, port)
	if err != nil {
		return err
	}
	c.mu.Lock()
	before := c.apis[id]
	if before != nil {
		l, err := net.Listen("tcp", address(port))
		if err != nil {
			c.mu.Unlock()
			return busy(port, before.urn)
		}
		c.serve(id, before.urn, l)
	}
	c.Port, c.PortFor = port, prefix
	c.mu.Unlock()
	if before == nil {
		return nil
	}
	if err := c.provider.Move(id, port, "http://"+address(port)); err != nil {
		return err
	}
	return before.close(ctx)
}

// stackOf returns the stack of a URN. Source: "Resource names", Pulumi
// documentation: urn:pulumi:STACK::PROJECT::TYPE::NAME.
func stackOf(urn string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(urn, "urn:pulumi:"), "::")
	return name
}

func busy(port int, urn string) error {
	return fmt.Errorf(
		"the port %d, where the API of the stack %s is to be served, is in use by another program: "+
			"stop that program, or choose another port with --stack %s --port",
		port,
		stackOf(urn),
		stackOf(urn),
	)
}

func taken(port int, urn string) error {
	return fmt.Errorf(
		"the port %d is that of the API of the stack %s: choose another port with --port, or move "+
			"that API first",
		port,
		stackOf(urn),
	)
}
