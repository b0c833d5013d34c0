// Package e2e tests a deployment from outside, over HTTP. E2E_URL points the
// tests at any deployment, as the caller of the access token in E2E_TOKEN or of
// the API key in E2E_API_KEY; without it they deploy to a local cloud of their
// own.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"items-api/e2e/project"
	"items-api/e2e/rest"
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

// call sends a request as whom the tests are; headers are given as name and
// value in turn.
func call(t *testing.T, method, path string, body any, headers ...string) rest.Answer {
	t.Helper()
	var who []string
	if token := os.Getenv("E2E_TOKEN"); token != "" {
		who = append(who, "Authorization", "Bearer "+token)
	}
	if key := os.Getenv("E2E_API_KEY"); key != "" {
		who = append(who, api.APIKeyHeader, key)
	}
	return rest.Send(t, method, base+path, body, append(who, headers...)...)
}

func create(t *testing.T, name string) api.Item {
	t.Helper()
	return rest.Decode[api.Item](t, call(t, "POST", "/items", api.ItemInput{Name: name}).Want(t, 201))
}
