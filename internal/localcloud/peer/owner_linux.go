package peer

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"syscall"
)

// tables are searched where the kernel does not answer by netlink: it may be
// built without it, or a sandbox may forbid it.
var tables = []string{"/proc/net/tcp", "/proc/net/tcp6"}

// lookup returns the socket with an address of its own that is connected to
// another one.
func lookup(own, connected netip.AddrPort) (s socket, known bool, err error) {
	if s, err := ask(own, connected); err == nil {
		return s, true, nil
	}
	// Without the module for TCP the kernel says of every socket that it does
	// not exist, so that only the tables can tell that it is gone.
	return search(tables, own, connected)
}

// search looks a socket up in tables. Without any it is not known.
func search(files []string, own, connected netip.AddrPort) (s socket, known bool, err error) {
	for _, name := range files {
		f, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EACCES) {
			continue
		}
		if err != nil {
			return socket{}, true, err
		}
		known = true
		s, err := find(f, own, connected)
		_ = f.Close() // it was only read
		if !errors.Is(err, ErrGone) {
			return s, true, err
		}
	}
	if known {
		err = ErrGone
	}
	return socket{}, known, err
}
