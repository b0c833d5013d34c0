package lifecycle

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"items-api/e2e/project"
	"items-api/e2e/rest"
	"items-api/internal/api"
)

// The stacks for AWS, with every option that there is, run locally.
func TestStacksForAWSRunLocallyWithEverythingSwitchedOn(t *testing.T) {
	t.Parallel()
	on := map[string]any{
		"network":    map[string]any{"private": true, "zones": 3},
		"encryption": map[string]any{"customerKey": true},
		"audit":      map[string]any{"enabled": true},
		"domain": map[string]any{
			"name":              "api.example.com",
			"zoneId":            "Z0123456789ABCDEFGHIJ",
			"basePath":          "v1",
			"truststore":        "s3://trust/authorities.pem",
			"truststoreVersion": "1",
		},
		"alarms":  map[string]any{"topicArn": "arn:aws:sns:us-east-1:000000000000:alarms"},
		"release": map[string]any{"strategy": "codedeploy-linear"},
	}
	for stack, mode := range map[string]api.AuthMode{"dev": api.AuthLambda, "prod": api.AuthCognito} {
		t.Run(stack, func(t *testing.T) {
			t.Parallel()
			p := clone(t)
			if err := p.ConfigureStack(stack, on); err != nil {
				t.Fatal(err)
			}
			if err := p.ConfigureStack(
				stack,
				map[string]any{"auth": map[string]any{"mode": mode}},
			); err != nil {
				t.Fatal(err)
			}
			u := p.Serve(t, "--stack", stack)
			if want := "for api.example.com at http://127.0.0.1:"; !strings.Contains(u.Output(), want) {
				t.Errorf("%q is not said in\n%s", want, u.Output())
			}
			out, err := p.OutputsOf(stack)
			if err != nil {
				t.Fatal(err)
			}
			if out["url"] != "https://api.example.com/v1" ||
				!strings.Contains(fmt.Sprint(out["release"]), "aws deploy create-deployment") {
				t.Errorf("the outputs are %v", out)
			}
			name, value := credential(t, p, stack, mode)
			send := func(method, host, path string, body any) (int, string) {
				t.Helper()
				a := rest.Send(t, method, fmt.Sprint(out["endpoint"])+path, body, "Host", host, name, value)
				return a.Status, a.Header.Get("Location")
			}
			status, location := send("POST", "api.example.com", "/v1/items", `{"name":"x"}`)
			if status != http.StatusCreated || !strings.HasPrefix(location, "/v1/items/") {
				t.Errorf("creating an item gave %d at %q", status, location)
			}
			there := func(when string) {
				t.Helper()
				if status, _ := send("GET", "api.example.com", location, nil); status != http.StatusOK {
					t.Errorf("reading the item %s gave %d", when, status)
				}
			}
			there("at once")
			for host, path := range map[string]string{"": "/items", "api.example.com": "/items"} {
				if status, _ := send("GET", host, path, nil); status < 400 {
					t.Errorf("%s of the host %q gave %d", path, host, status)
				}
			}
			policyOfTheBucket(t, p, stack)
			if out, err := p.Run(
				"deploy",
				"--stack",
				stack,
			); err != nil ||
				!strings.Contains(out, "0 changes") {
				t.Errorf("deploying again: %v\n%s", err, out)
			}
			if out, err := p.Run(
				"destroy",
				"--stack",
				stack,
			); err == nil ||
				!strings.Contains(out, "would remove the table") {
				t.Errorf("destroying: %v\n%s", err, out)
			}
			there("after a destruction that was stopped")
			if stack == "prod" {
				return // its table is protected
			}
			if err := p.ConfigureStack(
				stack,
				map[string]any{"schema": map[string]any{"allow": fmt.Sprint("delete ", out["tableName"])}},
			); err != nil {
				t.Fatal(err)
			}
			if out, err := p.Run("destroy", "--stack", stack); err != nil {
				t.Errorf("destroying what may be: %v\n%s", err, out)
			}
			if left, err := p.Records(); err != nil || len(left) > 0 {
				t.Errorf("%v is left, %v", left, err)
			}
		})
	}
}

// credential returns the header that a caller of a mode sends.
func credential(t *testing.T, p *project.Project, stack string, mode api.AuthMode) (name, value string) {
	t.Helper()
	args := []string{"token", "--stack", stack, "--sub", "alice"}
	if mode == api.AuthLambda {
		args = []string{"keys", "issue", "--stack", stack, "--owner", "alice"}
	}
	out, err := p.Run(args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if value = lines[len(lines)-1]; mode == api.AuthLambda {
		return api.APIKeyHeader, value
	}
	return "Authorization", "Bearer " + value
}

// policyOfTheBucket tests that the policy which awsx gives the audit trail's
// bucket was replaced by the engine's transform.
func policyOfTheBucket(t *testing.T, p *project.Project, stack string) {
	t.Helper()
	files, err := p.Records()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), "AWSCloudTrailWrite") {
			continue
		}
		found++
		for _, want := range []string{"aws:SourceArn", ":trail/items-api-" + stack + "-items", "TLSOnly"} {
			if !strings.Contains(string(data), want) {
				t.Errorf("%s is not in the bucket's policy:\n%s", want, data)
			}
		}
	}
	if found != 1 {
		t.Errorf("%d records hold the bucket's policy", found)
	}
}

// A new account may have a limit of 10, of which nothing can be reserved.
func TestAccountThatCanReserveNothingSaysSoInThePreview(t *testing.T) {
	t.Parallel()
	p := clone(t)
	for name, c := range map[string]struct {
		limit  string
		config any
		fails  bool
		want   []string
	}{
		"a number":          {"10", 10, true, []string{"items-api:reservedConcurrency is 10", "limit of 10", "at most 0", "request-service-quota-increase"}},
		"what fits":         {"10", "auto", false, []string{"nothing can be reserved", "+ aws:lambda/function:Function items"}},
		"no account at all": {"0", "auto", true, []string{"--account-concurrency must be at least 1"}},
	} {
		if err := p.Configure(map[string]any{"reservedConcurrency": c.config}); err != nil {
			t.Fatal(err)
		}
		out, err := p.Run("preview", "--account-concurrency", c.limit)
		if (err != nil) != c.fails {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		for _, w := range c.want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: %q is not said in\n%s", name, w, out)
			}
		}
	}
	if left, err := p.Records(); err != nil || len(left) > 0 {
		t.Errorf("previews left %v, %v", left, err)
	}
}
