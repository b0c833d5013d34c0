package peer

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// find looks up a socket, by its own address and the one that it is connected
// to, in a table as /proc/net/tcp and /proc/net/tcp6 are. It returns ErrGone if
// the socket is not there or belongs to no process any more. Source: proc(5),
// and net/ipv4/tcp_ipv4.c for the columns.
func find(table io.Reader, own, connected netip.AddrPort) (socket, error) {
	lines := bufio.NewScanner(table)
	lines.Scan() // the header
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 10 {
			continue
		}
		near, err := parse(f[1])
		if err != nil {
			return socket{}, err
		}
		far, err := parse(f[2])
		if err != nil {
			return socket{}, err
		}
		if near == own && far == connected {
			return holder(f[3], f[7], f[9])
		}
	}
	if err := lines.Err(); err != nil {
		return socket{}, fmt.Errorf("reading the table of connections: %w", err)
	}
	return socket{}, ErrGone
}

// holder returns a socket by its columns. One without an inode was closed by
// its owner: the table then says 0 for its user.
func holder(state, uid, inode string) (socket, error) {
	if inode == "0" {
		return socket{}, ErrGone
	}
	n, err := strconv.Atoi(uid)
	if err != nil {
		return socket{}, fmt.Errorf("the table of connections has the user id %q", uid)
	}
	in, err := strconv.ParseUint(state, 16, 8)
	if err != nil {
		return socket{}, fmt.Errorf("the table of connections has the state %q", state)
	}
	return socket{n, in == stateEstablished}, nil
}

// parse reads an address of the table: words of 32 bits in the byte order of
// the machine, a colon, and the port.
func parse(text string) (netip.AddrPort, error) {
	bad := fmt.Errorf("the table of connections has the address %q", text)
	words, port, _ := strings.Cut(text, ":")
	data, err := hex.DecodeString(words)
	if err != nil || len(data)%4 != 0 {
		return netip.AddrPort{}, bad
	}
	for i := 0; i < len(data); i += 4 {
		word := binary.BigEndian.Uint32(data[i:])
		binary.NativeEndian.PutUint32(data[i:], word)
	}
	addr, ok := netip.AddrFromSlice(data)
	n, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, bad
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), nil
}
