//go:build document

package document

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"items-api/e2e/engine"
	"items-api/e2e/rest"
	"items-api/internal/api"
)

// replayHeader says which exchange a request repeats.
const replayHeader = "X-Replay"

// violation is what Prism says of a request or of an answer.
type violation struct {
	Location []any  `json:"location"`
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
}

// verdict is what Prism says of an exchange.
type verdict struct {
	violations []violation
	// unread: Prism answered itself, since it could not read the request or the
	// document has no such route.
	unread bool
	status int
	body   string
}

func (v verdict) of(direction string) []violation {
	var out []violation
	for _, x := range v.violations {
		if len(x.Location) > 0 && x.Location[0] == direction {
			out = append(out, x)
		}
	}
	return out
}

// The traffic of the black-box tests goes through Prism's proxy once more: each
// request as it was sent, to an upstream that gives the answer that was given.
func TestTheTrafficOfAllTestsFitsTheDocument(t *testing.T) {
	t.Parallel()
	all := exchanges(t)
	upstream := &replay{exchanges: all, asked: map[int]bool{}}
	server := httptest.NewServer(upstream)
	t.Cleanup(server.Close)
	proxy := prism(t, server.URL)
	counts := map[string]int{}
	unsaid := map[string]int{}
	for i, x := range all {
		v := upstream.judge(t, proxy, i)
		counts[fmt.Sprint(x.Answer.Status)]++
		for _, bad := range v.of("response") {
			t.Errorf(
				"%s: %s %s: the answer %d %s breaks the document: %v %s",
				x.Test,
				x.Method,
				x.Path,
				x.Answer.Status,
				short(x.Answer.Body),
				bad.Location,
				bad.Message,
			)
		}
		if problem := wrongType(x.Answer); problem != "" {
			t.Errorf("%s: %s %s: %s", x.Test, x.Method, x.Path, problem)
		}
		refused := v.unread || len(v.of("request")) > 0
		if refused && !mayRefuse(x) {
			t.Errorf(
				"%s: %s %s %s got %d, and the document has no such request: %v, %d %s",
				x.Test,
				x.Method,
				x.Path,
				short(x.Body),
				x.Answer.Status,
				v.violations,
				v.status,
				v.body,
			)
		}
		if reason := validated(x); !refused && reason != "" {
			unsaid[reason]++
			if !slices.ContainsFunc(unsayable, func(s string) bool { return strings.Contains(reason, s) }) {
				t.Errorf("%s: %s %s %s is refused, and the document accepts it: %s", x.Test, x.Method, x.Path,
					short(x.Body), reason)
			}
		}
	}
	t.Logf("%d exchanges, by status %v", len(all), counts)
	for _, reason := range slices.Sorted(maps.Keys(unsaid)) {
		t.Logf("%d refused for a reason that no schema can say: %s", unsaid[reason], reason)
	}
	for _, status := range strings.Fields("200 201 204 304 400 401 403 404 412 413 429 500 503") {
		if counts[status] == 0 {
			t.Errorf("no answer of the traffic has the status %s", status)
		}
	}
}

// unsayable are reasons to refuse a request for which schemas have no words.
var unsayable = []string{
	"entity tag",
	"nextCursor",
	"bytes as JSON",
	"surrogate",
	"not UTF-8",
	"stands twice",
}

// mayRefuse reports whether an API may answer a request so that breaks the
// document.
func mayRefuse(x rest.Exchange) bool {
	switch x.Answer.Status {
	case http.StatusBadRequest,
		http.StatusUnauthorized,
		http.StatusForbidden,
		http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType,
		http.StatusTooManyRequests,
		http.StatusRequestHeaderFieldsTooLarge:
		return true
	case http.StatusNotFound:
		return strings.HasPrefix(string(x.Answer.Body), `{"message":`) // there is no such route
	case http.StatusNoContent:
		return x.Method == http.MethodOptions // a preflight request, which the gateway answers
	}
	return false
}

// wrongType says what is wrong with the content type of an error: problems are
// the API's, messages the gateway's.
func wrongType(a rest.Answer) string {
	if a.Status < http.StatusBadRequest {
		return ""
	}
	var body struct{ Code, Message string }
	if err := json.Unmarshal(a.Body, &body); err != nil {
		return fmt.Sprintf("the error %s cannot be read: %v", a.Body, err)
	}
	want := "application/json"
	if body.Code != "" {
		want = "application/problem+json"
	}
	if got := a.Header.Get("Content-Type"); got != want || (body.Code == "") == (body.Message == "") {
		return fmt.Sprintf("the error %s has the content type %s", a.Body, got)
	}
	return ""
}

// validated returns why the handler refused a request, "" if it did not.
func validated(x rest.Exchange) string {
	var p api.Problem
	if x.Answer.Status != http.StatusBadRequest || json.Unmarshal(x.Answer.Body, &p) != nil ||
		len(p.Errors) == 0 {
		return ""
	}
	return p.Errors[0].Field + ": " + p.Errors[0].Message
}

func short(data []byte) string {
	if len(data) > 300 {
		return string(data[:300]) + "..."
	}
	return string(data)
}

// exchanges reads what was noted.
func exchanges(t *testing.T) []rest.Exchange {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(os.Getenv(rest.TrafficDir), "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf(
			"there is no traffic in the directory that %s names: run make document (%v)",
			rest.TrafficDir,
			err,
		)
	}
	var out []rest.Exchange
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewReader(f)
		for {
			line, err := lines.ReadBytes('\n')
			if err == io.EOF {
				break
			}
			var x rest.Exchange
			if err == nil {
				err = json.Unmarshal(line, &x)
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			out = append(out, x)
		}
	}
	return out
}

// replay is an upstream that gives the answers that were given.
type replay struct {
	exchanges []rest.Exchange
	mu        sync.Mutex
	asked     map[int]bool
}

func (r *replay) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	i, err := strconv.Atoi(q.Header.Get(replayHeader))
	if err != nil || i < 0 || i >= len(r.exchanges) {
		http.Error(w, "this repeats nothing", http.StatusTeapot)
		return
	}
	r.mu.Lock()
	r.asked[i] = true
	r.mu.Unlock()
	a := r.exchanges[i].Answer
	for name, lines := range a.Header {
		if name != "Connection" && name != "Content-Length" {
			w.Header()[name] = lines
		}
	}
	w.WriteHeader(a.Status)
	// The proxy reads all of it.
	_, _ = w.Write(a.Body)
}

// judge sends a request through the proxy.
func (r *replay) judge(t *testing.T, proxy string, i int) verdict {
	t.Helper()
	x := r.exchanges[i]
	q, err := http.NewRequestWithContext(t.Context(), x.Method, proxy+x.Path, bytes.NewReader(x.Body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header = x.Header.Clone()
	q.Header.Set(replayHeader, strconv.Itoa(i))
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatalf("%s %s: %v", x.Method, x.Path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out := verdict{unread: !r.asked[i], status: resp.StatusCode, body: short(body)}
	if text := resp.Header.Get("Sl-Violations"); text != "" {
		if err := json.Unmarshal([]byte(text), &out.violations); err != nil {
			// Too many to be told.
			out.violations = []violation{{Location: []any{"request"}, Message: text}}
		}
	}
	return out
}

// prism starts the proxy and returns its address.
func prism(t *testing.T, upstream string) string {
	t.Helper()
	port, err := engine.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	cmd := tool(context.WithoutCancel(t.Context()), tools(t), "prism", "proxy", document(t), upstream,
		"--port", strconv.Itoa(port), "--host", "127.0.0.1", "--cors=false", "--verboseLevel", "silent")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		<-done
	})
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	deadline := time.After(patience)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.Dial("tcp", address)
		if err == nil {
			return "http://" + address + closed(c)
		}
		select {
		case <-deadline:
			t.Fatalf("prism does not listen: %v", err)
		case err := <-done:
			done <- err
			t.Fatalf("prism ended: %v\n%s", err, out.String())
		case <-tick.C:
		}
	}
}

// closed ends a connection that was only tried.
func closed(c net.Conn) string {
	_ = c.Close()
	return ""
}
