package runtime

import (
	"io"
	"net"
	"os"
	goruntime "runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dialAs connects as another user would. Only root can: for others it is a
// connection of their own. The thread that changes its user ends with it.
func dialAs(t *testing.T, uid int, address string) net.Conn {
	t.Helper()
	type dialled struct {
		conn net.Conn
		err  error
	}
	done := make(chan dialled)
	go func() {
		goruntime.LockOSThread()
		syscall.RawSyscall(syscall.SYS_SETFSUID, uintptr(uid), 0, 0)
		conn, err := net.Dial("tcp", address)
		done <- dialled{conn, err}
	}()
	d := <-done
	if d.err != nil {
		t.Fatal(d.err)
	}
	t.Cleanup(func() { _ = d.conn.Close() })
	if err := d.conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return d.conn
}

// Another user of the machine must not take an event, with its bearer token,
// or answer it.
func TestRuntimeAPIRefusesOtherUsers(t *testing.T) {
	t.Parallel()
	r, _ := start(t)
	put(t, r, Function{Package: good(t)})
	api := address(t, r)
	const request = "POST /2018-06-01/runtime/invocation/x/response HTTP/1.1\r\n" +
		"Host: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
	other := 65534
	if os.Geteuid() != 0 {
		other = os.Geteuid()
	}
	for _, uid := range []int{os.Geteuid(), other} {
		conn := dialAs(t, uid, api)
		_, _ = io.WriteString(conn, request) // may fail for who is refused
		answer, _ := io.ReadAll(conn)
		answered := strings.HasPrefix(string(answer), "HTTP/1.1 400")
		if answered != (uid == os.Geteuid()) {
			t.Errorf("the user %d got %q", uid, answer)
		}
	}
}
