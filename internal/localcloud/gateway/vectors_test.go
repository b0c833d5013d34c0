package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// vector is a request and what AWS answers; testdata/http-api.json explains
// the members.
type vector struct {
	ID, Title, Level string
	Given            struct {
		Stage    string
		Routes   []string
		Function struct {
			Kind, Payload string
			MS            int
		}
		CORS *struct {
			AllowOrigins, AllowMethods, AllowHeaders, ExposeHeaders []string
			MaxAge                                                  int
			AllowCredentials                                        bool
		}
		Throttling *struct {
			Default limits
			Routes  map[string]limits
		}
		Auth, ControlPlane       json.RawMessage
		Permission               *bool
		ReservedConcurrency      *int
		IntegrationTimeoutMillis int
	}
	Request struct {
		exchange
		Sequence []exchange
	}
	Expect struct {
		Status          int
		StatusIn        []int
		Statuses        []int
		Headers         map[string]any
		HeaderValues    map[string][]string
		HeadersAbsent   []string
		Body            *string
		BodyNotContains string
		Event           map[string]any
		Invoked         *bool
	}
}

type limits struct {
	Rate  float64
	Burst int
}

type exchange struct {
	Method, Path string
	Headers      [][2]string
	Body         string
	BodyBase64   string
	Generate     *struct {
		Bytes int
		Char  string
	}
}

// function stands for the function behind a vector.
type function struct {
	v      vector
	mu     sync.Mutex
	events [][]byte
}

func (f *function) Invoke(ctx context.Context, in Invocation) (Result, error) {
	if p := f.v.Given.Permission; p != nil && !*p {
		return Result{}, ErrNotPermitted
	}
	if n := f.v.Given.ReservedConcurrency; n != nil && *n == 0 {
		return Result{}, ErrThrottled
	}
	f.mu.Lock()
	f.events = append(f.events, in.Payload)
	f.mu.Unlock()
	switch f.v.Given.Function.Kind {
	case "raw", "captureThen":
		return Result{Payload: []byte(f.v.Given.Function.Payload)}, nil
	case "echo":
		body, err := json.Marshal(map[string]any{"statusCode": 200, "body": string(in.Payload)})
		return Result{Payload: body}, err
	case "sleep":
		<-ctx.Done()
		return Result{}, ctx.Err()
	}
	return Result{Payload: []byte(`{"errorMessage":"boom"}`), FunctionError: "Unhandled"}, nil
}

func TestVectors(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/http-api.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	replayed := 0
	for _, v := range file.Vectors {
		// Authorizers, and what the control plane refuses, are not the
		// business of this package.
		if v.Given.Auth != nil || v.Given.ControlPlane != nil {
			continue
		}
		replayed++
		t.Run(v.ID+" "+v.Title, func(t *testing.T) {
			t.Parallel()
			problems := replay(t, v)
			for _, p := range problems {
				if v.Level == "open" {
					t.Log(p)
				} else {
					t.Error(p)
				}
			}
		})
	}
	if replayed < 40 {
		t.Errorf("only %d vectors were replayed", replayed)
	}
}

func deploy(t *testing.T, v vector) (*function, string) {
	t.Helper()
	f := &function{v: v}
	now := time.Now()
	g := New(Config{Invoker: f, Now: func() time.Time { return now }})
	a := API{ID: "api1", AccountID: "000000000000", Region: "us-east-1"}
	a.Live.Integrations = []Integration{{ID: "i", Type: "AWS_PROXY", PayloadFormatVersion: "2.0", Timeout: 30 * time.Second}}
	if ms := v.Given.IntegrationTimeoutMillis; ms > 0 {
		a.Live.Integrations[0].Timeout = time.Duration(ms) * time.Millisecond
	}
	for _, key := range v.Given.Routes {
		a.Live.Routes = append(a.Live.Routes, Route{Key: key, IntegrationID: "i"})
	}
	if c := v.Given.CORS; c != nil {
		cors := CORS(*c)
		a.Live.CORS = &cors
	}
	stage := Stage{Name: "$default", RouteThrottles: map[string]Throttle{}}
	if v.Given.Stage != "" {
		stage.Name = v.Given.Stage
	}
	if th := v.Given.Throttling; th != nil {
		stage.Default = Throttle{th.Default.Rate, th.Default.Burst, true}
		for k, l := range th.Routes {
			stage.RouteThrottles[k] = Throttle{l.Rate, l.Burst, true}
		}
	}
	a.Stages = []Stage{stage}
	if err := g.Put(a); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(g.Handler("api1"))
	t.Cleanup(s.Close)
	return f, s.Listener.Addr().String()
}

// send writes a request byte for byte as the vector has it.
func send(t *testing.T, addr string, e exchange) (*http.Response, []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := []byte(e.Body)
	if e.BodyBase64 != "" {
		if body, err = base64.StdEncoding.DecodeString(e.BodyBase64); err != nil {
			t.Fatal(err)
		}
	}
	if e.Generate != nil {
		body = bytes.Repeat([]byte(e.Generate.Char), e.Generate.Bytes)
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\n", e.Method, e.Path)
	for _, h := range e.Headers {
		value := repeat.ReplaceAllStringFunc(h[1], func(s string) string {
			m := repeat.FindStringSubmatch(s)
			n := 0
			fmt.Sscan(m[2], &n)
			return strings.Repeat(m[1], n)
		})
		fmt.Fprintf(&head, "%s: %s\r\n", h[0], value)
	}
	if len(body) > 0 || e.Method == "POST" {
		fmt.Fprintf(&head, "content-length: %d\r\n", len(body))
	}
	head.WriteString("\r\n")
	if _, err := conn.Write(append([]byte(head.String()), body...)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: e.Method})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, got
}

var repeat = regexp.MustCompile(`\$\{repeat:(.):(\d+)\}`)

// replay sends a vector's requests and returns what differs from AWS.
func replay(t *testing.T, v vector) []string {
	t.Helper()
	f, addr := deploy(t, v)
	all := v.Request.Sequence
	if len(all) == 0 {
		all = []exchange{v.Request.exchange}
	}
	var problems []string
	fail := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	var resp *http.Response
	var body []byte
	var statuses []int
	for _, e := range all {
		resp, body = send(t, addr, e)
		statuses = append(statuses, resp.StatusCode)
	}
	x := v.Expect
	if x.Status != 0 && resp.StatusCode != x.Status || len(x.StatusIn) > 0 && !slices.Contains(x.StatusIn, resp.StatusCode) {
		fail("status %d, want %d%v: %s", resp.StatusCode, x.Status, x.StatusIn, body)
	}
	if len(x.Statuses) > 0 && !slices.Equal(statuses, x.Statuses) {
		fail("statuses %v, want %v", statuses, x.Statuses)
	}
	if x.Body != nil && string(body) != *x.Body {
		fail("body %q, want %q", body, *x.Body)
	}
	if x.BodyNotContains != "" && bytes.Contains(body, []byte(x.BodyNotContains)) {
		fail("the body holds %q", x.BodyNotContains)
	}
	for name, want := range x.Headers {
		if got := strings.Join(resp.Header.Values(name), ","); !matches(got, want) {
			fail("header %s is %q, want %v", name, got, want)
		}
	}
	for name, want := range x.HeaderValues {
		if got := resp.Header.Values(name); !slices.Equal(got, want) {
			fail("header %s has the lines %q, want %q", name, got, want)
		}
	}
	for _, name := range x.HeadersAbsent {
		if _, ok := resp.Header[http.CanonicalHeaderKey(name)]; ok {
			fail("header %s is there", name)
		}
	}
	if x.Invoked != nil && *x.Invoked != (len(f.events) > 0) {
		fail("invoked %d times", len(f.events))
	}
	for path, want := range x.Event {
		if len(f.events) == 0 {
			fail("the function was not invoked")
			break
		}
		var event any
		if err := json.Unmarshal(f.events[len(f.events)-1], &event); err != nil {
			t.Fatal(err)
		}
		got, ok := lookUp(event, path)
		if m, isMap := want.(map[string]any); isMap && m["$absent"] == true {
			if ok {
				fail("%s is %v, want it absent", path, got)
			}
		} else if !matches(got, want) {
			fail("%s is %#v, want %#v", path, got, want)
		}
	}
	return problems
}

func lookUp(v any, path string) (any, bool) {
	for path != "" {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if e, ok := m[path]; ok {
			return e, true
		}
		first, rest, _ := strings.Cut(path, ".")
		if v, ok = m[first]; !ok {
			return nil, false
		}
		path = rest
	}
	return v, true
}

func matches(got, want any) bool {
	m, ok := want.(map[string]any)
	if !ok {
		return reflect.DeepEqual(got, want)
	}
	if re, ok := m["$regex"].(string); ok {
		return regexp.MustCompile(re).MatchString(fmt.Sprint(got))
	}
	if tokens, ok := m["$containsTokens"].([]any); ok {
		have := strings.FieldsFunc(strings.ToLower(fmt.Sprint(got)), func(r rune) bool { return r == ',' || r == ' ' })
		return !slices.ContainsFunc(tokens, func(t any) bool { return !slices.Contains(have, strings.ToLower(fmt.Sprint(t))) })
	}
	return reflect.DeepEqual(got, want)
}
