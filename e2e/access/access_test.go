// Package access tests who is let in: each way of authentication, deployed by
// the engine, over HTTP.
package access

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"items-api/e2e/issuer"
	"items-api/e2e/project"
	"items-api/e2e/rest"
	"items-api/internal/api"
)

var binary string

func TestMain(m *testing.M) { project.Main(m, &binary) }

// site is a running deployment.
type site struct {
	*project.Project
	url     string
	outputs map[string]any
}

func start(t *testing.T, config map[string]any) *site {
	t.Helper()
	s := &site{Project: project.Serve(t, binary, config)}
	s.read(t)
	return s
}

func (s *site) read(t *testing.T) {
	t.Helper()
	out, err := s.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	s.outputs, s.url = out, fmt.Sprint(out["url"])
}

// change deploys other settings to the running cloud.
func (s *site) change(t *testing.T, config map[string]any) string {
	t.Helper()
	if err := s.Configure(config); err != nil {
		t.Fatal(err)
	}
	out, err := s.Run("deploy")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.read(t)
	return out
}

func (s *site) command(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.Run(args...)
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1]
}

func (s *site) send(t *testing.T, method, path string, header map[string]string, body any) rest.Answer {
	t.Helper()
	var headers []string
	for k, v := range header {
		headers = append(headers, k, v)
	}
	return rest.Send(t, method, s.url+path, body, headers...)
}

func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token}
}

// expect sends without a body and compares the status.
func (s *site) expect(t *testing.T, want int, method, path string, header map[string]string) rest.Answer {
	t.Helper()
	var body any
	if method == http.MethodPost || method == http.MethodPut {
		body = map[string]any{"name": "x"}
	}
	a := s.send(t, method, path, header, body)
	if a.Status != want {
		t.Errorf("%s %s: status %d, want %d: %s", method, path, a.Status, want, a.Body)
	}
	return a
}

// guarded tests what every way of authentication has in common.
func (s *site) guarded(t *testing.T, writer, reader map[string]string) {
	t.Helper()
	for _, r := range api.Routes() {
		path := strings.ReplaceAll(r.Path, "{id}", "018f0000-0000-7000-8000-000000000000")
		want := http.StatusUnauthorized
		if r.Public {
			want = http.StatusOK
		}
		s.expect(t, want, r.Method, path, nil)
		if !r.Public && r.Scope == api.ScopeWrite {
			s.expect(t, http.StatusForbidden, r.Method, path, reader)
		}
	}
	s.expect(t, http.StatusCreated, "POST", "/items", writer)
	if a := s.expect(
		t,
		http.StatusOK,
		"GET",
		"/items",
		reader,
	); !bytes.Contains(
		a.Body,
		[]byte(`"name":"x"`),
	) {
		t.Errorf("the item is not in %s", a.Body)
	}
	// A preflight request never reaches an authorizer or the function.
	a := s.send(t, http.MethodOptions, "/items", map[string]string{
		"Origin":                        "http://localhost:3000",
		"Access-Control-Request-Method": "POST",
	}, nil)
	if a.Status != http.StatusNoContent ||
		a.Header.Get("Access-Control-Allow-Origin") != "http://localhost:3000" {
		t.Errorf("the preflight request got %d %v", a.Status, a.Header)
	}
}

// TestEveryModeOnOneStack goes through the modes on one stack: data, table and
// API stay.
func TestEveryModeOnOneStack(t *testing.T) {
	t.Parallel()
	s := start(t, map[string]any{
		"auth":          map[string]any{"mode": "cognito"},
		"throttleRate":  10000,
		"throttleBurst": 5000,
	})
	table, apiID := s.outputs["tableName"], s.outputs["apiId"]

	s.guarded(
		t,
		bearer(s.command(t, "token", "--sub", "alice")),
		bearer(s.command(t, "token", "--sub", "alice", "--scope", "items:read")),
	)
	s.expect(
		t,
		http.StatusOK,
		"GET",
		"/items",
		bearer(s.command(t, "token", "--sub", "alice", "--scope", api.SignedInScope)),
	)
	s.expect(t, http.StatusUnauthorized, "GET", "/items", bearer(s.command(t, "token", "--lifetime=-1m")))
	old := bearer(s.command(t, "token", "--sub", "alice"))

	is, err := issuer.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(is.Close)
	out := s.change(t, map[string]any{"auth": map[string]any{
		"mode":      "jwt",
		"issuer":    is.URL,
		"audiences": []string{"items"},
	}})
	t.Run("jwt", func(t *testing.T) {
		s.expect(t, http.StatusUnauthorized, "GET", "/items", old)
		s.guarded(
			t,
			bearer(good(t, is, map[string]any{"scope": "items:write items:read"})),
			bearer(good(t, is, map[string]any{"scope": "items:read"})),
		)
		if out, err := s.Run("token"); err == nil || !strings.Contains(out, "auth.issuer") {
			t.Errorf("a token of a foreign issuer gave %v, %s", err, out)
		}
	})
	t.Run("hostile tokens", func(t *testing.T) { hostile(t, s, is) })
	t.Run("foreign items", func(t *testing.T) { isolation(t, s, is) })

	out += s.change(t, map[string]any{"auth": map[string]any{"mode": "lambda", "cacheSeconds": 0}})
	t.Run("lambda", func(t *testing.T) { s.keys(t) })

	out += s.change(t, map[string]any{"auth": map[string]any{"mode": "none"}})
	s.expect(t, http.StatusCreated, "POST", "/items", nil)
	if a := s.expect(t, http.StatusOK, "GET", "/items", nil); bytes.Count(a.Body, []byte(`"id"`)) != 1 {
		t.Errorf("the anonymous owner has %s", a.Body)
	}
	if s.outputs["tableName"] != table || s.outputs["apiId"] != apiID || strings.Contains(out, "±") {
		t.Errorf("a change of the mode replaced something:\n%s", out)
	}
}

// keys is the life of an API key.
func (s *site) keys(t *testing.T) {
	key := func(args ...string) map[string]string {
		return map[string]string{
			api.APIKeyHeader: s.command(t, append([]string{"keys", "issue"}, args...)...),
		}
	}
	writer, reader := key("--owner", "alice"), key("--owner", "alice", "--scope", "items:read")
	s.guarded(t, writer, reader)
	if a := s.expect(
		t,
		http.StatusOK,
		"GET",
		"/items",
		key("--owner", "bob"),
	); string(
		a.Body,
	) != `{"items":[]}` {
		t.Errorf("bob sees %s", a.Body)
	}
	good := writer[api.APIKeyHeader]
	for _, bad := range []string{"x", good + "x", good[:len(good)-1], strings.ToUpper(good), strings.Replace(good, "items_", "items_00", 1), "items__", strings.Repeat("x", 4000)} {
		s.expect(t, http.StatusForbidden, "GET", "/items", map[string]string{api.APIKeyHeader: bad})
	}
	id := strings.Split(good, "_")[1]
	list, err := s.Run("keys", "list")
	if err != nil || !strings.Contains(list, id) || strings.Contains(list, strings.SplitN(good, "_", 3)[2]) {
		t.Errorf("the list is %s, %v", list, err)
	}
	s.command(t, "keys", "revoke", id)
	s.expect(t, http.StatusForbidden, "GET", "/items", writer)
	s.expect(t, http.StatusOK, "GET", "/items", reader)
	for want, args := range map[string][]string{
		"no such API key": {"keys", "revoke", "0000"},
		"no scope":        {"keys", "issue", "--owner", "a", "--scope", "items:all"},
		"owner":           {"keys", "issue"},
	} {
		if out, err := s.Run(args...); err == nil || !strings.Contains(out, want) {
			t.Errorf("%v gave %v, %s", args, err, out)
		}
	}
}

// good returns a valid token with some claims changed.
func good(t *testing.T, is *issuer.Issuer, changes map[string]any) string {
	t.Helper()
	token, err := is.Token(claims(is, changes))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func claims(is *issuer.Issuer, changes map[string]any) map[string]any {
	now := time.Now().Unix()
	out := map[string]any{
		"iss":   is.URL,
		"aud":   "items",
		"sub":   "alice",
		"iat":   now - 5,
		"exp":   now + 600,
		"scope": "items:read items:write",
	}
	for k, v := range changes {
		out[k] = v
		if v == nil {
			delete(out, k)
		}
	}
	return out
}

func TestProductionIsNotAnonymousByAccident(t *testing.T) {
	t.Parallel()
	p, err := project.Copy(binary, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(p.Dir + "/Pulumi.local.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.Dir+"/Pulumi.prod.yaml", data, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := p.Run("preview", "--stack", "prod")
	if err == nil || !strings.Contains(out, "allowAnonymous") {
		t.Errorf("got %v, %s", err, out)
	}
}
