package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"items-api/internal/api"
)

// lambdaHost is the Runtime API of one environment, which it can freeze.
type lambdaHost struct {
	*httptest.Server
	next   chan chan string // a waiting call, which takes an event
	answer chan response
	pid    int
}

func startFunction(t *testing.T, endpoint string, extra ...string) *lambdaHost {
	t.Helper()
	h := &lambdaHost{
		next:   make(chan chan string),
		answer: make(chan response),
	}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /2018-06-01/runtime/invocation/next", h.giveNext)
	routes.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", h.takeAnswer)
	h.Server = httptest.NewServer(routes)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append([]string{
		asFunction + "=1",
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(h.URL, "http://"),
		"AWS_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY=secret",
		"AWS_ENDPOINT_URL_DYNAMODB=" + endpoint,
		api.EnvTableName + "=items",
		api.EnvAuthMode + "=" + string(api.AuthNone),
	}, extra...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h.pid = cmd.Process.Pid
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		h.CloseClientConnections()
		h.Close()
	})
	return h
}

func (h *lambdaHost) giveNext(w http.ResponseWriter, r *http.Request) {
	event := make(chan string, 1)
	select {
	case h.next <- event:
	case <-r.Context().Done():
		return
	}
	select {
	case e := <-event:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
		deadline := time.Now().Add(10 * time.Second).UnixMilli()
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline, 10))
		_, _ = io.WriteString(w, e)
	case <-r.Context().Done():
	}
}

func (h *lambdaHost) takeAnswer(w http.ResponseWriter, r *http.Request) {
	var out response
	if err := json.NewDecoder(r.Body).Decode(&out); err != nil {
		out.Body = err.Error()
	}
	w.WriteHeader(http.StatusAccepted)
	select {
	case h.answer <- out:
	case <-r.Context().Done():
	}
}

// freeze stops the function and returns when it is stopped.
func (h *lambdaHost) freeze(t *testing.T) {
	t.Helper()
	var status syscall.WaitStatus
	if err := syscall.Kill(h.pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_, err := syscall.Wait4(h.pid, &status, syscall.WUNTRACED, nil)
	if err != nil || !status.Stopped() {
		t.Fatalf("the function is not stopped but %v, %v", status, err)
	}
}

func (h *lambdaHost) thaw(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(h.pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

// table is a DynamoDB that accepts every write.
type table struct {
	*httptest.Server
	mu     sync.Mutex
	puts   int
	states map[net.Conn]http.ConnState
	idle   chan struct{} // a connection has become idle
}

func serveTable(t *testing.T) *table {
	t.Helper()
	d := &table{
		states: map[net.Conn]http.ConnState{},
		idle:   make(chan struct{}, 1),
	}
	d.Server = httptest.NewUnstartedServer(d)
	d.Config.ConnState = func(c net.Conn, state http.ConnState) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.states[c] = state
		if state == http.StateIdle {
			d.idle <- struct{}{}
		}
	}
	d.Start()
	t.Cleanup(d.Close)
	return d
}

func (d *table) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".PutItem") {
		d.mu.Lock()
		d.puts++
		d.mu.Unlock()
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_, _ = io.WriteString(w, "{}")
}

// end ends the idle connections.
func (d *table) end(t *testing.T, how func(*net.TCPConn)) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for c, state := range d.states {
		if state == http.StateIdle {
			how(c.(*net.TCPConn))
			delete(d.states, c)
			n++
			for over := time.Now().Add(time.Minute); established(t, c.RemoteAddr(), c.LocalAddr()); {
				if time.Now().After(over) {
					t.Fatal("the end of the connection does not arrive")
				}
			}
		}
	}
	if n != 1 {
		t.Errorf("%d connections were idle", n)
	}
}

// established reports whether Linux has heard nothing of the end of a
// connection, seen from one side of it.
func established(t *testing.T, local, remote net.Addr) bool {
	t.Helper()
	all, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	port := func(a net.Addr) string { return fmt.Sprintf(":%04X", a.(*net.TCPAddr).Port) }
	for line := range strings.Lines(string(all)) {
		f := strings.Fields(line)
		if strings.HasSuffix(f[1], port(local)) && strings.HasSuffix(f[2], port(remote)) {
			return f[3] == "01"
		}
	}
	return false
}

// Lambda freezes a function between invocations. Here its connection to
// DynamoDB is closed meanwhile, and the next event waits when it goes on.
func TestCreatesSucceedAfterAFreeze(t *testing.T) {
	t.Parallel()
	const rounds = 100
	event, err := json.Marshal(request{
		RouteKey: "POST /items",
		Headers:  map[string]string{"content-type": "application/json"},
		Body:     `{"name":"x"}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	for label, end := range map[string]func(*net.TCPConn){
		"closed": func(c *net.TCPConn) { _ = c.Close() },
		"reset": func(c *net.TCPConn) {
			_ = c.SetLinger(0)
			_ = c.Close()
		},
	} {
		for _, processors := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s, %d processors", label, processors), func(t *testing.T) {
				t.Parallel()
				d := serveTable(t)
				h := startFunction(t, d.URL, fmt.Sprint("GOMAXPROCS=", processors))
				failed := map[string]int{}
				for i := range rounds {
					waiting := receive(t, h.next)
					if i > 0 {
						receive(t, d.idle)
						h.freeze(t)
						d.end(t, end)
					}
					waiting <- string(event)
					if i > 0 {
						h.thaw(t)
					}
					if out := receive(t, h.answer); out.StatusCode != http.StatusCreated {
						failed[fmt.Sprint(out.StatusCode, " ", out.Body)]++
					}
				}
				if len(failed) > 0 || d.puts != rounds {
					t.Errorf("of %d creates %d were written, and these failed: %v", rounds, d.puts, failed)
				}
			})
		}
	}
}

// receive waits for what comes soon.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing came within a minute")
	}
	panic("unreachable")
}
