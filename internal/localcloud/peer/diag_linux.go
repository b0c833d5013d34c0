package peer

import (
	"encoding/binary"
	"net/netip"
	"syscall"
)

// Numbers of linux/sock_diag.h and linux/inet_diag.h, which the standard
// library does not have.
const (
	netlinkSockDiag  = 4  // NETLINK_SOCK_DIAG
	sockDiagByFamily = 20 // SOCK_DIAG_BY_FAMILY
	requestSize      = 56 // struct inet_diag_req_v2
	responseSize     = 72 // struct inet_diag_msg
	noCookie         = ^uint64(0)
)

// ask asks the kernel for one socket. It costs the same however
// many connections there are. Source: sock_diag(7).
func ask(own, connected netip.AddrPort) (socket, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, netlinkSockDiag)
	if err != nil {
		return socket{}, err
	}
	defer syscall.Close(fd)
	// The kernel answers before Sendto returns; this is for a kernel that does not.
	limit := syscall.Timeval{Sec: 1}
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit); err != nil {
		return socket{}, err
	}
	kernel := &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}
	if err := syscall.Sendto(fd, request(own, connected), 0, kernel); err != nil {
		return socket{}, err
	}
	buf := make([]byte, 8192)
	n, _, err := syscall.Recvfrom(fd, buf, 0)
	if err != nil {
		return socket{}, err
	}
	messages, err := syscall.ParseNetlinkMessage(buf[:n])
	if err != nil {
		return socket{}, err
	}
	for _, m := range messages {
		if m.Header.Type == sockDiagByFamily && len(m.Data) >= responseSize {
			return read(m.Data, own, connected)
		}
	}
	return socket{}, ErrGone
}

// request is the question for exactly one socket.
func request(own, connected netip.AddrPort) []byte {
	b := make([]byte, syscall.NLMSG_HDRLEN+requestSize)
	order := binary.NativeEndian
	order.PutUint32(b[0:], uint32(len(b)))
	order.PutUint16(b[4:], sockDiagByFamily)
	order.PutUint16(b[6:], syscall.NLM_F_REQUEST)
	r := b[syscall.NLMSG_HDRLEN:]
	r[0] = syscall.AF_INET
	if own.Addr().Is6() {
		r[0] = syscall.AF_INET6
	}
	r[1] = syscall.IPPROTO_TCP
	order.PutUint32(r[4:], ^uint32(0)) // in any state
	binary.BigEndian.PutUint16(r[8:], own.Port())
	binary.BigEndian.PutUint16(r[10:], connected.Port())
	copy(r[12:28], own.Addr().AsSlice())
	copy(r[28:44], connected.Addr().AsSlice())
	order.PutUint64(r[48:], noCookie)
	return b
}

// read reads a socket from an answer. The kernel answers with a listener
// where the socket is gone, and with neither user nor inode where it is closed.
func read(m []byte, own, connected netip.AddrPort) (socket, error) {
	near := socketAddress(m[0], m[4:6], m[8:24])
	far := socketAddress(m[0], m[6:8], m[24:40])
	inode := binary.NativeEndian.Uint32(m[68:])
	if near != own || far != connected || inode == 0 {
		return socket{}, ErrGone
	}
	return socket{
		uid:         int(binary.NativeEndian.Uint32(m[64:])),
		established: m[1] == stateEstablished,
	}, nil
}

func socketAddress(family byte, port, addr []byte) netip.AddrPort {
	if family == syscall.AF_INET {
		addr = addr[:4]
	}
	a, _ := netip.AddrFromSlice(addr) // 4 or 16 bytes
	return netip.AddrPortFrom(a.Unmap(), binary.BigEndian.Uint16(port))
}
