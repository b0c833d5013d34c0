package peer

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dialer makes this test binary connect to an address, say a word and print
// what comes back.
const dialer = "PEER_TEST_DIAL"

func TestMain(m *testing.M) {
	address := os.Getenv(dialer)
	if address == "" {
		os.Exit(m.Run())
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		panic(err)
	}
	// What a refused connection says here is not the point.
	_, _ = conn.Write([]byte("hello"))
	answer, _ := io.ReadAll(conn)
	_, _ = os.Stdout.Write(answer)
	os.Exit(0)
}

// dial returns what a process of a user gets from a server.
func dial(t *testing.T, address string, uid uint32) string {
	t.Helper()
	// The test's own directories are closed to other users.
	dir, err := os.MkdirTemp("", "peer-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "dial")
	if err := errors.Join(os.WriteFile(binary, data, 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Dir = "/"
	cmd.Env = []string{dialer + "=" + address}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	return string(out)
}

// greet serves one word to each connection that comes in.
func greet(t *testing.T, l net.Listener) {
	t.Helper()
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			word := make([]byte, 5)
			_, _ = io.ReadFull(conn, word)
			_, _ = conn.Write([]byte("welcome"))
			_ = conn.Close()
		}
	}()
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Only root can become another user. For everybody else the tables of
// TestTableTellsTheOwner stand in, and this is the way in for oneself.
func TestOtherUsersAreRefused(t *testing.T) {
	t.Parallel()
	l := Listen(listen(t, "127.0.0.1:0"))
	greet(t, l)
	self := uint32(os.Geteuid())
	if got := dial(t, l.Addr().String(), self); got != "welcome" {
		t.Errorf("the user who runs the server got %q", got)
	}
	if self != 0 {
		return
	}
	if got := dial(t, l.Addr().String(), 65534); got != "" {
		t.Errorf("another user got %q", got)
	}
}

func TestJudgement(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		uid    int
		known  bool
		err    error
		admits bool
	}{
		{"oneself", 1000, true, nil, true},
		{"root", 0, true, nil, true},
		{"another user", 1001, true, nil, false},
		{"a socket that is closed", 0, true, ErrGone, false},
		{"where the system does not tell", 0, false, nil, true},
	}
	for _, c := range cases {
		if err := judge(c.uid, c.known, c.err, 1000); (err == nil) != c.admits {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestLocalHosts(t *testing.T) {
	t.Parallel()
	hosts := map[string]bool{
		"localhost":              true,
		"LocalHost:8080":         true,
		"localhost.":             true,
		"127.0.0.1":              true,
		"127.0.0.1:1":            true,
		"127.8.9.10:1":           true,
		"[::1]:1":                true,
		"[::1]":                  true,
		"::1":                    true,
		"":                       false,
		"evil.example":           false,
		"evil.example:8080":      false,
		"localhost.evil.example": false,
		"127.0.0.1.nip.io":       false,
		"evil-localhost":         false,
		"192.0.2.1":              false,
		"0.0.0.0:8080":           false,
		"[2001:db8::1]:1":        false,
	}
	for host, want := range hosts {
		if Local(host) != want {
			t.Errorf("Local(%q) is %v", host, !want)
		}
	}
}

func TestForeignHostIsAnsweredWith403(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "secret")
	})))
	defer s.Close()
	for host, want := range map[string]int{"": http.StatusOK, "evil.example": http.StatusForbidden} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		resp, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
		leaked := strings.Contains(string(body), "secret")
		if resp.StatusCode != want || leaked != (want == http.StatusOK) {
			t.Errorf("the host %q got %d %s", host, resp.StatusCode, body)
		}
	}
}

// A connection that its owner has closed is not taken for one of root, whose
// number the system gives to sockets without an owner.
func TestClosedConnectionHasNoOwner(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil && strings.HasPrefix(address, "[") {
			continue // a machine without IPv6
		}
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		uid, known, err := UID(server)
		if err != nil || known && uid != os.Geteuid() {
			t.Errorf("on %s the owner is %d, %v, %v", address, uid, known, err)
		}
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
		if err := server.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if _, stillKnown, err := UID(server); known && !errors.Is(err, ErrGone) {
			t.Errorf("on %s a closed connection has the owner %v, %v", address, stillKnown, err)
		}
	}
}

func TestWhatIsNoTCPConnectionIsNotKnown(t *testing.T) {
	t.Parallel()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if _, known, err := UID(a); known || err != nil {
		t.Errorf("got %v, %v", known, err)
	}
}

// A connection that is closed at this end alone is known to be at the other.
func TestOtherEndHearsOfTheClose(t *testing.T) {
	t.Parallel()
	l := listen(t, "127.0.0.1:0")
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_, known, err := UID(server)
	if err != nil || Established(server) != known {
		t.Errorf("an open connection is established: %v, %v", Established(server), err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	for over := time.Now().Add(20 * time.Second); Established(server); {
		if time.Now().After(over) {
			t.Fatal("the other end does not hear of it")
		}
	}
}
