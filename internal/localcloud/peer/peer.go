// Package peer tells whose process is at the other end of a connection within
// this machine, and keeps other users and pages by DNS rebinding away from
// servers that trust whoever reaches them. It imports nothing of the local
// cloud.
//
// A TCP port on loopback is open to every user of the machine. Linux tells the
// owner of each socket; other systems do not tell it to a program without
// privileges, so that there every user of the machine is let in.
package peer

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
)

// ErrGone means that nobody holds the other end of a connection any more, so
// that its owner cannot be told.
var ErrGone = errors.New("the other end of the connection is closed")

// UID returns the user id of the owner of the socket at the other end of a TCP
// connection within this machine. known is false where the system does not
// tell, and for what is no TCP connection; then err is nil. ErrGone is
// returned, with known true, for a socket that was closed: an owner who closes
// at once cannot pass for another one.
func UID(conn net.Conn) (uid int, known bool, err error) {
	s, known, err := other(conn)
	return s.uid, known, err
}

// Established reports whether the other end of a connection within this machine
// still takes it for established: when this end is closed, it takes the system
// a moment to tell. It is false where the system does not say.
func Established(conn net.Conn) bool {
	s, known, err := other(conn)
	return known && err == nil && s.established
}

// socket is one end of a connection.
type socket struct {
	uid         int
	established bool
}

// stateEstablished is TCP_ESTABLISHED. Source: include/net/tcp_states.h.
const stateEstablished = 1

// other returns the socket at the other end, also of a connection that is
// closed at this one.
func other(conn net.Conn) (s socket, known bool, err error) {
	near, ok := address(conn.LocalAddr())
	if !ok {
		return socket{}, false, nil
	}
	far, ok := address(conn.RemoteAddr())
	if !ok {
		return socket{}, false, nil
	}
	return lookup(far, near)
}

// address returns an address as the system's tables are searched for it: an
// IPv4 address is the same in a socket for IPv6.
func address(a net.Addr) (netip.AddrPort, bool) {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	p := t.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port()), true
}

// Check returns an error if a connection comes from another user than the one
// who runs this process. Root may connect: it may read the memory of this
// process anyway.
func Check(conn net.Conn) error {
	uid, known, err := UID(conn)
	return judge(uid, known, err, os.Geteuid())
}

func judge(uid int, known bool, err error, self int) error {
	switch {
	case err != nil:
		return fmt.Errorf("finding out who connects: %w", err)
	case known && uid != self && uid != 0:
		return fmt.Errorf("the user %d connects to a server of the user %d", uid, self)
	}
	return nil
}

// Listen returns a listener of the same address that closes connections of
// other users, so that the server behind it never reads a byte of theirs.
func Listen(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

// Accept returns the next connection that may come in.
func (l listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if Check(conn) == nil {
			return conn, nil
		}
		// Whoever is refused is told nothing, in no protocol.
		_ = conn.Close()
	}
}
