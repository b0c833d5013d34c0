package lifecycle

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"items-api/e2e/engine"
	"items-api/e2e/project"
)

// address is what an API on a port is reached at.
func address(port int) string { return "http://127.0.0.1:" + strconv.Itoa(port) }

// answering tests that the outputs of stacks name addresses that answer, and
// nothing else answers at those that were left.
func answering(t *testing.T, p *project.Project, when string, want map[string]int, left ...int) {
	t.Helper()
	for stack, port := range want {
		out, err := p.OutputsOf(stack)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"url", "endpoint"} {
			if out[key] != address(port) {
				t.Errorf("%s: the %s of %s is %v, not %s", when, key, stack, out[key], address(port))
			}
		}
		if !strings.Contains(fmt.Sprint(out["tryIt"]), address(port)) {
			t.Errorf("%s: %s is tried with %v", when, stack, out["tryIt"])
		}
		if status, body := get(t, address(port)+"/health"); status != http.StatusOK {
			t.Errorf("%s: %s answers %d %s", when, stack, status, body)
		}
	}
	for _, port := range left {
		if _, err := http.Get(address(port) + "/health"); err == nil {
			t.Errorf("%s: the port %d is still served", when, port)
		}
	}
}

func TestPortBelongsToOneAPI(t *testing.T) {
	t.Parallel()
	p := clone(t)
	settings, err := os.ReadFile(filepath.Join(p.Dir, "Pulumi.local.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.Dir, "Pulumi.b.yaml"), settings, 0o600); err != nil {
		t.Fatal(err)
	}
	first, ports := p.Port, [3]int{}
	for i := range ports {
		if ports[i], err = engine.FreePort(); err != nil {
			t.Fatal(err)
		}
	}
	start := func(args ...string) *project.Up {
		t.Helper()
		u, err := p.Start("Streaming requests", append([]string{"up"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := u.Stop(); err != nil {
				t.Error(err)
			}
		})
		return u
	}
	stop := func(u *project.Up) {
		t.Helper()
		if err := u.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	stop(start("--port", strconv.Itoa(first)))

	u := start("--stack", "b", "--port", strconv.Itoa(ports[0]))
	answering(t, p, "a second stack", map[string]int{"local": first, "b": ports[0]})
	if !strings.Contains(u.Output(), "curl -sS "+address(ports[0])+"/health") {
		t.Errorf("its address is not printed:\n%s", u.Output())
	}
	refused := func(args ...string) {
		t.Helper()
		out, err := p.Run(append(args, "--stack", "b", "--port", strconv.Itoa(first))...)
		if want := fmt.Sprintf(
			"the port %d is that of the API of the stack local",
			first,
		); err == nil ||
			!strings.Contains(out, want) {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	refused("deploy")
	answering(t, p, "a port that another has", map[string]int{"local": first, "b": ports[0]})
	if out, err := p.Run("deploy", "--stack", "b", "--port", strconv.Itoa(ports[1])); err != nil ||
		!strings.Contains(out, "curl -sS "+address(ports[1])+"/health") {
		t.Errorf("moving while it runs: %v\n%s", err, out)
	}
	answering(t, p, "moved while it runs", map[string]int{"local": first, "b": ports[1]}, ports[0])
	stop(u)

	refused("up")
	stop(start("--stack", "b", "--port", strconv.Itoa(ports[2])))
	u = start()
	answering(t, p, "moved by a start", map[string]int{"local": first, "b": ports[2]}, ports[0], ports[1])
	if !strings.Contains(u.Output(), "\n0 changes") && !strings.HasPrefix(u.Output(), "0 changes") {
		t.Errorf("the other stack changed:\n%s", u.Output())
	}
}
