package lifecycle

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"items-api/e2e/project"
	"items-api/e2e/rest"
	"items-api/internal/api"
)

// site is a running deployment.
type site struct {
	*project.Project
	url, table, apiID string
	key               string // of the API, if it asks for one
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
	s.url, s.table, s.apiID = fmt.Sprint(out["url"]), fmt.Sprint(out["tableName"]), fmt.Sprint(out["apiId"])
}

// change deploys other settings, tests that table, API and items are the same
// as before, and returns the changes, one a line.
func (s *site) change(t *testing.T, config map[string]any) []string {
	t.Helper()
	before := *s
	if err := s.Configure(config); err != nil {
		t.Fatal(err)
	}
	out, err := s.Run("deploy")
	if err != nil {
		t.Fatalf("%v: %v\n%s", config, err, out)
	}
	s.read(t)
	if s.url != before.url || s.table != before.table || s.apiID != before.apiID {
		t.Errorf("%v: %+v became %+v", config, before, *s)
	}
	s.expectItem(t)
	var changes []string
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) == 3 && strings.Contains(f[1], ":") {
			changes = append(changes, strings.Join(f, " "))
		}
	}
	return changes
}

// settled tests that there is nothing more to deploy.
func (s *site) settled(t *testing.T) {
	t.Helper()
	if out, err := s.Run("preview"); err != nil || !strings.Contains(out, "\n0 changes") && !strings.HasPrefix(out, "0 changes") {
		t.Errorf("there is more to deploy: %v\n%s", err, out)
	}
}

func (s *site) createItem(t *testing.T) {
	t.Helper()
	if status, body := s.send(t, http.MethodPost, `{"name":"kept"}`); status != http.StatusCreated {
		t.Fatalf("creating an item: %d %s", status, body)
	}
}

func (s *site) expectItem(t *testing.T) {
	t.Helper()
	if status, body := s.send(t, http.MethodGet, nil); status != http.StatusOK || !strings.Contains(body, "kept") {
		t.Errorf("the items are %d %s", status, body)
	}
}

func (s *site) send(t *testing.T, method string, body any) (int, string) {
	t.Helper()
	a := rest.Send(t, method, s.url+"/items", body, api.APIKeyHeader, s.key)
	return a.Status, string(a.Body)
}

// except returns the changes without those of some signs.
func except(changes []string, signs ...string) []string {
	return slices.DeleteFunc(slices.Clone(changes), func(c string) bool {
		return slices.ContainsFunc(signs, func(s string) bool { return strings.HasPrefix(c, s+" ") })
	})
}

// unreleased returns the changes without what a new version of a function
// brings with it: its alias, and the alarms that follow it.
func unreleased(changes []string) []string {
	return except(changes, "~ aws:lambda/alias:Alias", "~ aws:cloudwatch/metricAlarm:MetricAlarm")
}

func TestEverythingAtOnceIsSettledAndLeavesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, map[string]any{"auth": map[string]any{"mode": "lambda"}, "network": map[string]any{"private": true}, "encryption": map[string]any{"customerKey": true}, "audit": map[string]any{"enabled": true}})
	s.settled(t)
	key, err := s.Run("keys", "issue", "--owner", "alice")
	if err != nil {
		t.Fatalf("%v\n%s", err, key)
	}
	lines := strings.Split(strings.TrimSpace(key), "\n")
	s.key = lines[len(lines)-1]
	s.createItem(t)
	s.expectOurBucketPolicy(t)
	expect(t, "leaving the network", unreleased(s.change(t, map[string]any{"network": map[string]any{"keep": true}})),
		[]string{"~ aws:lambda/function:Function items", "~ aws:lambda/function:Function items-authorizer"})
	if other := except(s.change(t, map[string]any{"network": nil}), "-"); len(other) > 0 {
		t.Errorf("taking the network away did %v", other)
	}
	if out, err := s.Run("destroy"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if left, err := s.Records(); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

func expect(t *testing.T, what string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s changed (-want +got):\n%s", what, diff)
	}
}

// expectOurBucketPolicy tests that the policy which awsx registers was replaced
// by the engine's transform.
func (s *site) expectOurBucketPolicy(t *testing.T) {
	t.Helper()
	files, err := s.Records()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), "AWSCloudTrailWrite") {
			found++
			for _, want := range []string{"aws:SourceArn", ":trail/items-api-local-items", "TLSOnly"} {
				if !strings.Contains(string(data), want) {
					t.Errorf("%s is not in the bucket's policy:\n%s", want, data)
				}
			}
		}
	}
	if found != 1 {
		t.Errorf("%d records hold the bucket's policy", found)
	}
}
