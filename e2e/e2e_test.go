// Package e2e tests a deployment from outside, over HTTP. E2E_URL points the
// tests at any deployment, as the caller of the access token in E2E_TOKEN or of
// the API key in E2E_API_KEY; without it they deploy to a local cloud of their
// own.
package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"items-api/e2e/project"
	"items-api/internal/api"
)

var base string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	if base = os.Getenv("E2E_URL"); base != "" {
		return m.Run(), nil
	}
	dir, err := os.MkdirTemp("", "items-api-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	binary, err := project.Binary(dir)
	if err != nil {
		return 1, err
	}
	p, err := project.Copy(binary, dir)
	if err != nil {
		return 1, err
	}
	up, err := p.Up()
	if err != nil {
		return 1, err
	}
	outputs, err := p.Outputs()
	if err != nil {
		return 1, err
	}
	base, _ = outputs["url"].(string)
	code := m.Run()
	if code != 0 {
		fmt.Fprintln(os.Stderr, up.Output())
		return code, up.Stop()
	}
	// What the tests did is what the roles must grant: no less and no more. A
	// part of the tests does not tell.
	if out, err := p.Run("roles", "--check"); err != nil && flag.Lookup("test.run").Value.String() == "" {
		fmt.Fprintln(os.Stderr, out)
		code = 1
	}
	return code, up.Stop()
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// call sends a request; headers are given as name and value in turn.
func call(t *testing.T, method, path string, body any, headers ...string) answer {
	t.Helper()
	var in io.Reader
	if body != nil {
		data, ok := body.(string)
		if !ok {
			encoded, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			data = string(encoded)
		}
		in = strings.NewReader(data)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, base+path, in)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token := os.Getenv("E2E_TOKEN"); token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if key := os.Getenv("E2E_API_KEY"); key != "" {
		r.Header.Set(api.APIKeyHeader, key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, data}
}

func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("got status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var out T
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return out
}

func create(t *testing.T, name string) api.Item {
	t.Helper()
	return decode[api.Item](t, call(t, "POST", "/items", api.ItemInput{Name: name}).want(t, 201))
}
