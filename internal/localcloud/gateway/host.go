package gateway

import (
	"fmt"
	"strings"

	"items-api/internal/localcloud/peer"
)

// ownName reports whether a Host header, without its port, is one by which an
// API may be asked at its address: a loopback address, localhost, a name below
// localhost (RFC 6761: it never leaves the machine), or the name of an endpoint
// on AWS. Custom domains come besides. A request of HTTP/1.0 has no name, and no
// browser sends such a one.
//
// A page of another origin whose name was pointed at this machine (DNS
// rebinding) sends that name, and is refused: it cannot choose what the names
// of AWS stand for.
func ownName(name string) bool {
	if name == "" || peer.Local(name) {
		return true
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if strings.HasSuffix(name, ".localhost") {
		return true
	}
	prefix, ok := strings.CutSuffix(strings.TrimSuffix(name, ".cn"), ".amazonaws.com")
	return ok && strings.Contains(prefix, ".execute-api.")
}

// foreign says why a request to this name is refused.
func foreign(name string) string {
	return fmt.Sprintf(
		"the Host header %q is not a name of this API: it is reached as localhost or 127.0.0.1, "+
			"or by a custom domain of the stack",
		name,
	)
}
