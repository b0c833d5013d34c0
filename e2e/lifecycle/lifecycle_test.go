// Package lifecycle tests the local command as a user runs it: deployments,
// changes, crashes and mistakes.
package lifecycle

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"items-api/e2e/engine"
	"items-api/e2e/project"
	"items-api/internal/api"
)

var binary string

func TestMain(m *testing.M) { project.Main(m, &binary) }

func clone(t *testing.T) *project.Project {
	t.Helper()
	p, err := project.Copy(binary, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func url(t *testing.T, p *project.Project) string {
	t.Helper()
	out, err := p.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	u, _ := out["url"].(string)
	return u
}

func TestKilledAndStartedAgainKeepsAddressDataAndState(t *testing.T) {
	t.Parallel()
	p := clone(t)
	u := p.Serve(t)
	first := url(t, p)
	resp, err := http.Post(first+"/items", "application/json", strings.NewReader(`{"name":"kept"}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("creating an item gave %d, %v", resp.StatusCode, err)
	}
	_, before := get(t, first+"/items")
	if err := u.Kill(); err != nil {
		t.Fatal(err)
	}
	again := p.Serve(t)
	if !strings.Contains(again.Output(), "0 changes") {
		t.Errorf("starting again changed something:\n%s", again.Output())
	}
	if url(t, p) != first {
		t.Errorf("the address changed from %s to %s", first, url(t, p))
	}
	if _, after := get(t, first+"/items"); after != before || !strings.Contains(after, "kept") {
		t.Errorf("the data changed from %s to %s", before, after)
	}
}

func TestChangeOfTheHandlerReplacesOnlyItsCodeAndLosesNoRequest(t *testing.T) {
	t.Parallel()
	p := clone(t)
	// The load must not meet the throttle.
	settings, err := os.OpenFile(filepath.Join(p.Dir, "Pulumi.local.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = settings.WriteString("  items-api:throttleRate: 10000\n  items-api:throttleBurst: 5000\n")
	if cerr := settings.Close(); err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
	p.Serve(t)
	base := url(t, p)
	var failures, answers atomic.Int64
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp, err := http.Get(base + "/items?limit=1")
				if err != nil || resp.StatusCode != http.StatusOK {
					failures.Add(1)
				}
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					if cerr := resp.Body.Close(); err != nil || cerr != nil {
						failures.Add(1)
					}
				}
				answers.Add(1)
			}
		})
	}
	file := filepath.Join(p.Dir, "handler", "operations.go")
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(source), `api.Health{Status: "ok"}`, `api.Health{Status: "changed"}`, 1)
	if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := p.Run("deploy")
	_, body := get(t, base+"/health")
	close(stop)
	clients.Wait()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"~ aws:lambda/function:Function items\n", "~ aws:lambda/alias:Alias items\n", "~ aws:cloudwatch/metricAlarm:MetricAlarm items-version-errors\n", "\n3 changes"} {
		if !strings.Contains(out, want) {
			t.Errorf("not only the function, and what follows its version, changed:\n%s", out)
		}
	}
	if body != `{"status":"changed"}` {
		t.Errorf("the next request got %s", body)
	}
	if failures.Load() > 0 || answers.Load() == 0 {
		t.Errorf("%d of %d requests failed", failures.Load(), answers.Load())
	}
}

func TestPreviewShowsEverythingAndCreatesNothing(t *testing.T) {
	t.Parallel()
	p := clone(t)
	out, err := p.Run("preview")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"Table items", "Function items", "Role items", "RolePolicy items", "Api items", "Integration items",
		"Stage items", "LogGroup items-access",
	} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("%s is not shown", want)
		}
	}
	if n := strings.Count(out, "route:Route "); n != len(api.Routes()) {
		t.Errorf("%d routes are shown, want %d", n, len(api.Routes()))
	}
	records, err := p.Records()
	if err != nil || len(records) > 0 {
		t.Errorf("preview left %v, %v", records, err)
	}
}

func TestDestroyLeavesNothing(t *testing.T) {
	t.Parallel()
	p := clone(t)
	u := p.Serve(t)
	base := url(t, p)
	if status, body := get(t, base+"/items"); status != http.StatusOK {
		t.Fatalf("the API answers %d %s", status, body)
	}
	// The requests of the cloud and the output of the database are nobody's.
	logs := func() []string {
		found, err := filepath.Glob(filepath.Join(p.Dir, ".local", "logs", "*items-*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := logs(); len(found) != 2 {
		t.Errorf("function and stage log to %v", found)
	}
	if out, err := p.Run("destroy"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if found := logs(); len(found) > 0 {
		t.Errorf("destroy left %v", found)
	}
	if records, err := p.Records(); err != nil || len(records) > 0 {
		t.Errorf("destroy left %v, %v", records, err)
	}
	if _, err := http.Get(base + "/health"); err == nil {
		t.Error("the API still answers")
	}
	if err := u.Stop(); err != nil {
		t.Error(err)
	}
	if out, err := p.Run("outputs"); err == nil {
		t.Errorf("there are outputs still: %s", out)
	}
}

func TestBadConfigurationNamesEveryProblemAndDeploysNothing(t *testing.T) {
	t.Parallel()
	p := clone(t)
	bad := "config:\n  items-api:memoryMB: 64\n  items-api:timeoutSeconds: soon\n  items-api:memory: " +
		"128\n  items-api:corsOrigins:\n    - https://example.com/path\n"
	if err := os.WriteFile(filepath.Join(p.Dir, "Pulumi.local.yaml"), []byte(bad), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := p.Run("up")
	if err == nil {
		t.Fatalf("it was accepted:\n%s", out)
	}
	for _, key := range []string{"items-api:memoryMB", "items-api:timeoutSeconds", "items-api:memory is " +
		"not known (did you mean memoryMB?)", "items-api:corsOrigins"} {
		if strings.Count(out, key) < 1 {
			t.Errorf("%s is not named:\n%s", key, out)
		}
	}
	if records, err := p.Records(); err != nil || len(records) > 0 {
		t.Errorf("it left %v, %v", records, err)
	}
}

func TestDeploymentKilledHalfwayIsCompletedByTheNext(t *testing.T) {
	t.Parallel()
	p := clone(t)
	u, err := p.Start("+ pulumi:pulumi:Stack", "up", "--port", strconv.Itoa(p.Port))
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Wait(func() bool { r, err := p.Records(); return err == nil && len(r) >= 5 }); err != nil {
		t.Fatal(err)
	}
	if err := u.Kill(); err != nil {
		t.Fatal(err)
	}
	again := p.Serve(t)
	if status, body := get(t, url(t, p)+"/items"); status != http.StatusOK {
		t.Errorf("after the second attempt the API answers %d %s:\n%s", status, body, again.Output())
	}
	out, err := p.Run("preview")
	if err != nil || !strings.Contains(out, "0 changes") {
		t.Errorf("it is not complete: %v\n%s", err, out)
	}
	if records, err := p.Records(); err != nil || len(records) != 15+2*len(api.Routes()) {
		t.Errorf("there are %d resources, %v:\n%s", len(records), err, strings.Join(records, "\n"))
	}
}

// What a stack declares for AWS is what the local cloud shows, and the function
// is compiled for where it runs.
func TestStackForAnotherProcessorRunsOnThisMachine(t *testing.T) {
	t.Parallel()
	p := clone(t)
	other := map[string]string{"amd64": "arm64", "arm64": "x86_64"}[runtime.GOARCH]
	if err := p.Configure(map[string]any{"architecture": other}); err != nil {
		t.Fatal(err)
	}
	p.Serve(t)
	if status, body := get(t, url(t, p)+"/items"); status != http.StatusOK {
		t.Errorf("the API answers %d %s", status, body)
	}
	records, err := p.Records()
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	for _, file := range records {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var record struct {
			Properties struct{ Architectures []string }
		}
		if err := json.Unmarshal(data, &record); err != nil {
			t.Fatal(err)
		}
		if slices.Equal(record.Properties.Architectures, []string{other}) {
			declared++
		}
	}
	if declared != 1 {
		t.Errorf("%d functions are declared for %s", declared, other)
	}
}

func TestAnotherPortMovesTheAPIAndKeepsItsData(t *testing.T) {
	t.Parallel()
	p := clone(t)
	u := p.Serve(t)
	resp, err := http.Post(url(t, p)+"/items", "application/json", strings.NewReader(`{"name":"kept"}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	before := url(t, p)
	if err := u.Stop(); err != nil {
		t.Fatal(err)
	}
	if p.Port, err = engine.FreePort(); err != nil {
		t.Fatal(err)
	}
	p.Serve(t)
	if url(t, p) == before || !strings.HasSuffix(url(t, p), strconv.Itoa(p.Port)) {
		t.Errorf("the address is %s, was %s", url(t, p), before)
	}
	if _, body := get(t, url(t, p)+"/items"); !strings.Contains(body, "kept") {
		t.Errorf("the data is %s", body)
	}
}

func TestCompileErrorIsShownAndNothingIsDeployed(t *testing.T) {
	t.Parallel()
	p := clone(t)
	if err := os.WriteFile(
		filepath.Join(p.Dir, "handler", "broken.go"),
		[]byte("package main\n\nvar x int = \"no number\"\n"),
		0o644,
	); err != nil {
		t.Fatal(err)
	}
	out, err := p.Run("deploy")
	if err == nil || !strings.Contains(out, "broken.go:3") || !strings.Contains(out, "nothing was deployed") {
		t.Errorf("got %v\n%s", err, out)
	}
	if records, err := p.Records(); err != nil || len(records) > 0 {
		t.Errorf("it left %v, %v", records, err)
	}
}

func TestMistakesGiveOneClearSentence(t *testing.T) {
	t.Parallel()
	p := clone(t)
	p.Serve(t)
	t.Run("second instance", func(t *testing.T) {
		out, err := p.Run("up")
		if err == nil || !strings.Contains(out, "running already") || !strings.Contains(out, "Ctrl-C") {
			t.Errorf("got %v\n%s", err, out)
		}
	})
	t.Run("port in use", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		port := l.Addr().(*net.TCPAddr).Port
		out, err := clone(t).Run("up", "--port", strconv.Itoa(port))
		if err == nil || !strings.Contains(out, fmt.Sprintf("the port %d", port)) ||
			!strings.Contains(out, "--port") {
			t.Errorf("got %v\n%s", err, out)
		}
	})
	t.Run("no tools", func(t *testing.T) {
		q := clone(t)
		out, err := q.RunWith([]string{"PATH=/nowhere"}, "up")
		if err == nil || !strings.Contains(out, "Java 17") {
			t.Errorf("got %v\n%s", err, out)
		}
	})
}
