package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TrafficDir names the environment variable with a directory where requests and
// their answers are noted, in a file for each process: what tests send is held
// against the API's document there.
const TrafficDir = "E2E_TRAFFIC"

// Exchange is a request and its answer.
type Exchange struct {
	Test   string
	Method string
	Path   string // with the query, as it was sent
	Header http.Header
	Body   []byte
	Answer Answer
}

var traffic struct {
	sync.Mutex
	file *os.File
}

// note adds an exchange to the traffic.
func note(t testing.TB, r *http.Request, body string, a Answer) {
	t.Helper()
	dir := os.Getenv(TrafficDir)
	if dir == "" {
		return
	}
	line, err := json.Marshal(Exchange{
		Test:   t.Name(),
		Method: r.Method,
		Path:   r.URL.RequestURI(),
		Header: r.Header,
		Body:   []byte(body),
		Answer: a,
	})
	if err != nil {
		t.Fatal(err)
	}
	traffic.Lock()
	defer traffic.Unlock()
	if traffic.file == nil {
		name := filepath.Join(dir, fmt.Sprintf("%d.jsonl", os.Getpid()))
		if traffic.file, err = os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := traffic.file.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
}
