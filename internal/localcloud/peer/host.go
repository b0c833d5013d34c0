package peer

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Local reports whether a Host header names this machine: localhost or an
// address of loopback, with or without a port. A page that reaches a server of
// this machine by DNS rebinding sends the name of its own site.
func Local(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	} else {
		name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	}
	if strings.EqualFold(strings.TrimSuffix(name, "."), "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.IsLoopback()
}

// Handler passes requests on whose Host header is Local, and answers others
// with 403.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if Local(r.Host) {
			next.ServeHTTP(w, r)
			return
		}
		text := fmt.Sprintf("The host %q is not this machine: use 127.0.0.1 or localhost.", r.Host)
		http.Error(w, text, http.StatusForbidden)
	})
}
