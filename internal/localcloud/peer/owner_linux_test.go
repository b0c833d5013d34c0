package peer

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// The kernel's answer and the tables agree, also for a client that speaks IPv4
// by a socket for IPv6, as Java does.
func TestKernelAndTablesAgree(t *testing.T) {
	t.Parallel()
	l := listen(t, "127.0.0.1:0")
	defer l.Close()
	for name, family := range map[string]int{"IPv4": syscall.AF_INET, "IPv6": syscall.AF_INET6} {
		fd, err := connect(family, l.Addr().(*net.TCPAddr).Port)
		if errors.Is(err, syscall.EAFNOSUPPORT) {
			continue // a machine without IPv6
		}
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(fd)
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		far, _ := address(server.RemoteAddr())
		near, _ := address(server.LocalAddr())
		s, known, err := search(tables, far, near)
		if s != (socket{os.Geteuid(), true}) || !known || err != nil {
			t.Errorf("%s: the tables say %+v, %v, %v", name, s, known, err)
		}
		if asked, err := ask(far, near); err == nil && asked != s {
			t.Errorf("%s: the kernel says %+v", name, asked)
		}
		if _, err := ask(near, near); err == nil {
			t.Errorf("%s: the kernel knows the owner of a socket that does not exist", name)
		}
	}
}

func connect(family, port int) (fd int, err error) {
	fd, err = syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	loopback := [4]byte{127, 0, 0, 1}
	if family == syscall.AF_INET {
		return fd, syscall.Connect(fd, &syscall.SockaddrInet4{Port: port, Addr: loopback})
	}
	mapped := &syscall.SockaddrInet6{Port: port, Addr: [16]byte{10: 0xff, 11: 0xff}}
	copy(mapped.Addr[12:], loopback[:])
	return fd, syscall.Connect(fd, mapped)
}

func TestSystemWithoutTablesIsNotKnown(t *testing.T) {
	t.Parallel()
	l := listen(t, "127.0.0.1:0")
	defer l.Close()
	own, _ := address(l.Addr())
	missing := filepath.Join(t.TempDir(), "tcp")
	if _, known, err := search([]string{missing}, own, own); known || err != nil {
		t.Errorf("without tables: %v, %v", known, err)
	}
	if _, known, err := search(tables, own, own); !known || !errors.Is(err, ErrGone) {
		t.Errorf("a socket that is connected to itself: %v, %v", known, err)
	}
}
