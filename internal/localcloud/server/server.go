// Package server makes the HTTP servers of the local cloud, all with the same
// bounds on how long a client may keep them waiting. It imports nothing of the
// local cloud.
package server

import (
	"net/http"
	"time"
)

// requestLimit is how long a request may take to arrive, its body included. The
// largest has 32 MiB and comes from this machine.
const requestLimit = 30 * time.Second

// New returns a server for a handler. A request that has not arrived as a whole
// within 30 seconds is ended: reading its body fails. Answering may take any
// time, and so may the next request on a connection, which costs nothing but
// the connection: a function that is frozen holds its own for hours.
func New(h http.Handler) *http.Server { return limited(h, requestLimit) }

func limited(h http.Handler, limit time.Duration) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadTimeout:       limit,
		ReadHeaderTimeout: limit,
		IdleTimeout:       -1,
		MaxHeaderBytes:    64 << 10,
	}
}
