//go:build browser

// Package browser tests with a real browser that a page of another origin can
// use the API exactly when the configuration allows it. It needs Chromium, from
// PATH or as the variable CHROMIUM says: `make browser`.
package browser

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"items-api/e2e/project"
)

var binary string

func TestMain(m *testing.M) { project.Main(m, &binary) }

//go:embed testdata/page.html
var page []byte

// step is one request that a page makes.
type step struct {
	Name        string            `json:"name"`
	URL         string            `json:"url"`
	Method      string            `json:"method"`
	Headers     map[string]string `json:"headers"`
	Body        string            `json:"body,omitempty"`
	Credentials string            `json:"credentials,omitempty"`
}

// seen is what the page could see of an answer.
type seen struct {
	Blocked                bool
	Status                 int
	ETag, Location, Hidden *string
	Text                   string
}

// site is a web site of its own origin with one page.
type site struct {
	server  *httptest.Server
	origin  string
	plan    []step
	reports chan map[string]seen
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{reports: make(chan map[string]seen, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write(page)
	})
	mux.HandleFunc(
		"GET /plan",
		func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(s.plan) },
	)
	mux.HandleFunc("POST /report", func(w http.ResponseWriter, r *http.Request) {
		var out map[string]seen
		if err := json.NewDecoder(r.Body).Decode(&out); err != nil {
			t.Error(err)
		}
		s.reports <- out
	})
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(s.server.URL, "http://"), ":")
	s.origin = "http://localhost:" + port
	return s
}

// visit opens the page in a browser and returns what it saw of the API.
func (s *site) visit(t *testing.T, steps []step) map[string]seen {
	t.Helper()
	s.plan = steps
	for _, step := range steps {
		if _, ok := step.Headers["Idempotency-Key"]; ok {
			step.Headers["Idempotency-Key"] = t.Name() // an item of its own
		}
	}
	path := os.Getenv("CHROMIUM")
	if path == "" {
		path = "chromium"
	}
	shot := filepath.Join(t.TempDir(), "page.png")
	if dir := os.Getenv("SCREENSHOTS"); dir != "" {
		shot = filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "_")+".png")
	}
	cmd := exec.Command(
		path,
		"--headless",
		"--no-sandbox",
		"--disable-gpu",
		"--disable-quic",
		"--no-first-run",
		"--disable-background-networking",
		"--disable-component-update",
		"--disable-sync",
		"--disable-dev-shm-usage",
		"--user-data-dir="+t.TempDir(),
		"--virtual-time-budget=20000",
		"--window-size=1000,400",
		"--screenshot="+shot,
		s.origin+"/",
	)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting the browser: %v: install Chromium, or say in CHROMIUM where it is", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		// Its own group, with all its children; they may be gone.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}()
	select {
	case r := <-s.reports:
		if os.Getenv("SCREENSHOTS") != "" {
			<-ended
		}
		return r
	case err := <-ended:
		select {
		case r := <-s.reports:
			return r
		default:
			t.Fatalf("the browser ended without a report (%v):\n%s", err, &out)
		}
	case <-time.After(2 * time.Minute):
		t.Fatalf("the page did not report:\n%s", &out)
	}
	return nil
}

// requests are what an application would do, and what it must not.
func requests(api, token string) []step {
	auth := func(more ...string) map[string]string {
		h := map[string]string{"Authorization": "Bearer " + token}
		for i := 0; i+1 < len(more); i += 2 {
			h[more[i]] = more[i+1]
		}
		return h
	}
	items, item := api+"/items", api+"/items/{id}"
	return []step{
		{Name: "health", URL: api + "/health", Method: "GET"},
		{
			Name:    "create",
			URL:     items,
			Method:  "POST",
			Headers: auth("Content-Type", "application/json", "Idempotency-Key", "k1"),
			Body:    `{"name":"from a page"}`,
		},
		{Name: "read", URL: item, Method: "GET", Headers: auth()},
		{
			Name:    "replace",
			URL:     item,
			Method:  "PUT",
			Headers: auth("Content-Type", "application/json", "If-Match", "tag"),
			Body:    `{"name":"changed"}`,
		},
		{Name: "list", URL: items, Method: "GET", Headers: auth()},
		{Name: "delete", URL: item, Method: "DELETE", Headers: auth()},
		{Name: "missing", URL: item, Method: "GET", Headers: auth()},
		{Name: "other header", URL: items, Method: "GET", Headers: auth("X-Other", "1")},
		{Name: "other method", URL: item, Method: "PATCH", Headers: auth()},
		{
			Name:        "with cookies",
			URL:         items,
			Method:      "GET",
			Headers:     auth(),
			Credentials: "include",
		},
	}
}

func TestPagesOfOtherOriginsUseTheAPIExactlyWhenConfigured(t *testing.T) {
	friend, stranger := newSite(t), newSite(t)
	p, err := project.Copy(binary, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	set := func(origins []string, cors map[string]any) {
		t.Helper()
		if err := p.Configure(map[string]any{
			"auth":        map[string]any{"mode": "cognito"},
			"corsOrigins": origins,
			"cors":        cors,
		}); err != nil {
			t.Fatal(err)
		}
	}
	set([]string{friend.origin}, nil)
	p.Serve(t)
	out, err := p.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	token, err := p.Run("token", "--sub", "alice")
	if err != nil {
		t.Fatal(err, token)
	}
	steps := requests(fmt.Sprint(out["url"]), strings.TrimSpace(token))
	works := map[string]int{
		"health":  200,
		"create":  201,
		"read":    200,
		"replace": 200,
		"list":    200,
		"delete":  204,
		"missing": 404,
	}
	check := func(t *testing.T, got map[string]seen, want map[string]int) {
		t.Helper()
		for _, s := range steps {
			g, there := got[s.Name]
			if want[s.Name] != g.Status || !there || g.Blocked != (want[s.Name] == 0) {
				t.Errorf("%s: the page saw %+v, want the status %d", s.Name, g, want[s.Name])
			}
		}
	}
	with := func(name string, status int) map[string]int {
		out := map[string]int{name: status}
		for k, v := range works {
			out[k] = v
		}
		return out
	}
	redeploy := func(t *testing.T, origins []string, cors map[string]any) {
		t.Helper()
		set(origins, cors)
		if out, err := p.Run("deploy"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	t.Run("an origin that is allowed", func(t *testing.T) {
		got := friend.visit(t, steps)
		check(t, got, works)
		c := got["create"]
		if c.ETag == nil || *c.ETag != `"1"` || c.Location == nil ||
			!strings.HasPrefix(*c.Location, "/items/") {
			t.Errorf("the page cannot read the exposed headers: %+v", c)
		}
		if c.Hidden != nil {
			t.Errorf("the page can read a header that is not exposed: %s", *c.Hidden)
		}
		if m := got["missing"]; !strings.Contains(m.Text, `"code":"not_found"`) {
			t.Errorf("the page cannot read the problem: %+v", m)
		}
	})
	t.Run("another origin", func(t *testing.T) { check(t, stranger.visit(t, steps), nil) })
	t.Run("cookies where they are allowed", func(t *testing.T) {
		redeploy(t, []string{friend.origin}, map[string]any{"allowCredentials": true})
		check(t, friend.visit(t, steps), with("with cookies", 200))
	})
	t.Run("every origin", func(t *testing.T) {
		redeploy(t, []string{"*"}, map[string]any{"allowHeaders": []string{
			"authorization", "content-type", "if-match", "idempotency-key", "x-other",
		}})
		check(t, stranger.visit(t, steps), with("other header", 200))
	})
	t.Run("no origin", func(t *testing.T) {
		redeploy(t, []string{}, nil)
		check(t, friend.visit(t, steps), nil)
	})
}
