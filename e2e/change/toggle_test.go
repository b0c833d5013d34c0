package change

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/components"
	"items-api/e2e/change/previous"
	"items-api/e2e/rest"
	"items-api/internal/api"
	"items-api/internal/build"
	"items-api/internal/deployer"
	"items-api/internal/localcloud"
	"items-api/internal/localcloud/oidc"
	"items-api/stack"
)

// zone is a hosted zone outside of the stack.
const zone = "Z0123456789ABCDEFGHIJ"

// option is a setting that is switched on and off; leaving goes between, for
// what is not switched off at once.
type option struct {
	name             string
	on, leaving, off func(*stack.Settings)
}

// options are all that this program has, on a stack with a user pool.
func options() []option {
	return []option{
		{
			"network",
			func(s *stack.Settings) { s.Network.Private = true },
			func(s *stack.Settings) { s.Network.Private, s.Network.Keep = false, true },
			func(s *stack.Settings) { s.Network.Keep = false },
		},
		{
			"a third zone",
			func(s *stack.Settings) { s.Network.Zones = 3 },
			nil,
			func(s *stack.Settings) { s.Network.Zones = 2 },
		},
		{
			"encryption",
			func(s *stack.Settings) { s.Encryption.CustomerKey = true },
			nil,
			func(s *stack.Settings) { s.Encryption.CustomerKey = false },
		},
		{
			"audit",
			func(s *stack.Settings) { s.Audit.Enabled = true },
			nil,
			func(s *stack.Settings) { s.Audit.Enabled = false },
		},
		{"domain", func(s *stack.Settings) {
			s.Domain = stack.Domain{
				Name:   "api.example.com",
				ZoneID: zone,
			}
		}, nil, func(s *stack.Settings) { s.Domain = stack.Domain{} }},
		{"mutual TLS and base path", func(s *stack.Settings) {
			s.Domain = stack.Domain{
				Name:              "api.example.com",
				ZoneID:            zone,
				BasePath:          "shop/v1",
				Truststore:        "s3://trust/authorities.pem",
				TruststoreVersion: "1",
			}
		}, nil, func(s *stack.Settings) { s.Domain = stack.Domain{Name: "api.example.com", ZoneID: zone} }},
		{
			"CodeDeploy",
			func(s *stack.Settings) { s.Release.Strategy = components.CodeDeployCanary },
			nil,
			func(s *stack.Settings) { s.Release.Strategy = components.AllAtOnce },
		},
		{"the rest", func(s *stack.Settings) {
			s.Alarms = stack.Alarms{
				ErrorPercent: 1,
				LatencyMs:    500,
				TopicARN:     "arn:aws:sns:us-east-1:000000000000:alarms",
			}
			s.ReservedConcurrency, s.LogRetentionDays, s.Tags = components.NoReservation, 90, map[string]string{
				"environment": "test",
			}
			s.CORSOrigins, s.Auth.MFA, s.Auth.SelfSignUp = []string{
				"https://app.example.com",
			}, "required", true
			s.Auth.SignInDomain, s.Auth.CallbackURLs = "items-of-a-test", []string{
				"https://app.example.com/signed-in",
			}
			s.TimeoutSeconds, s.DeletionProtection = 20, true
		}, nil, func(s *stack.Settings) {
			on := *s
			*s = pooled()
			s.Network, s.Encryption, s.Audit, s.Domain, s.Release = on.Network, on.Encryption, on.Audit, on.Domain, on.Release
		}},
	}
}

// exactly is what some options do when they are switched on, and all that they
// do.
var exactly = map[string][]step{
	"encryption": {
		{"create", "Alias", "items"},
		{"create", "Key", "items"},
		{"update", "LogGroup", "items-access"},
		{"update", "LogGroup", "items-function"},
		{"update", "Table", "items"},
	},
	"audit": {
		{"create", "BucketLifecycleConfigurationV2", "items-audit"},
		{"create", "BucketOwnershipControls", "items-audit"},
		{"create", "BucketPolicy", "items"},
		{"create", "BucketPublicAccessBlock", "items-audit"},
		{"create", "BucketServerSideEncryptionConfigurationV2", "items-audit"},
		{"create", "BucketV2", "items-audit"},
		{"create", "BucketVersioningV2", "items-audit"},
		{"update", "Key", "items"},
		{"create", "Trail", "items"},
		{"create", "Trail", "items"},
	},
}

// pooled are settings with a user pool.
func pooled() stack.Settings {
	s := settings()
	s.Auth = stack.Defaults().Auth
	return s
}

// keeps tests that a deployment keeps what holds data, addresses and people.
func keeps(t *testing.T, what string, done []step) {
	t.Helper()
	for _, s := range done {
		if slices.Contains([]string{"Table", "Api", "UserPool", "UserPoolClient"}, s.kind) &&
			s.op != apitype.OpUpdate {
			t.Errorf("%s does %s %s %s", what, s.op, s.kind, s.name)
		}
		if strings.Contains(string(s.op), "replace") {
			t.Errorf("%s does %s %s %s", what, s.op, s.kind, s.name)
		}
	}
}

// change previews and deploys settings, and tests that the preview said what
// is done and that what matters is kept.
func (s *site) change(t *testing.T, what string, c stack.Settings) ([]step, map[string]any) {
	t.Helper()
	planned, err := s.preview(t, s.program(c))
	if err != nil {
		t.Fatalf("the preview of %s: %v", what, err)
	}
	done, out := s.must(t, c)
	if !slices.Equal(relevant(planned), relevant(done)) {
		t.Errorf("%s: the preview said %v, and this was done: %v", what, relevant(planned), relevant(done))
	}
	keeps(t, what, done)
	if len(relevant(done)) == 0 {
		t.Errorf("%s does nothing", what)
	}
	return relevant(done), out
}

func (s *site) settled(t *testing.T, what string, c stack.Settings) {
	t.Helper()
	planned, err := s.preview(t, s.program(c))
	if err != nil || len(relevant(planned)) > 0 {
		t.Errorf("after %s there is more to do: %v, %v", what, relevant(planned), err)
	}
}

// ask sends a request with a token of the stack's user pool to the API's own
// port, for a host if one is given.
func (s *site) ask(t *testing.T, out map[string]any, method, host, path string, body any) (int, string) {
	t.Helper()
	token, err := localcloud.Token(s.Dir, oidc.Grant{
		Pool:     out["userPoolId"].(string),
		Client:   out["userPoolClientId"].(string),
		Subject:  "alice",
		Scopes:   []string{"items/items:read", "items/items:write", api.SignedInScope},
		Now:      time.Now(),
		Lifetime: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, ok := out["endpoint"].(string)
	if !ok {
		endpoint = out["url"].(string) // of the previous release
	}
	a := rest.Send(t, method, endpoint+path, body, "Host", host, "Authorization", "Bearer "+token)
	return a.Status, string(a.Body)
}

// kept tests that the item of the test is there.
func (s *site) kept(t *testing.T, what string, out map[string]any, host, path string) {
	t.Helper()
	if status, body := s.ask(
		t,
		out,
		"GET",
		host,
		path+"/items",
		nil,
	); status != http.StatusOK ||
		!strings.Contains(body, "kept") {
		t.Errorf("with %s the items are %d %s", what, status, body)
	}
}

// From the state of the previous release, each option is switched on, all are
// on together, and each is switched off again.
func TestOptionsAreSwitchedOnAndOffFromThePreviousRelease(t *testing.T) {
	t.Parallel()
	s := newSite(t, "dev", localcloud.Config{})
	_, out, err := s.up(
		t,
		func(ctx *pulumi.Context) error { return previous.Compose(ctx, s.zips.Handler, build.Host.Lambda()) },
	)
	if err != nil {
		t.Fatal(err)
	}
	before := out
	if status, body := s.ask(t, out, "POST", "", "/items", `{"name":"kept"}`); status != http.StatusCreated {
		t.Fatalf("creating an item gave %d %s", status, body)
	}
	// The upgrade, while requests go on.
	c := pooled()
	l := startLoad(out["url"].(string)+"/health", 4)
	_, out = s.change(t, "the upgrade", c)
	l.end(t)
	s.kept(t, "the new release", out, "", "")
	s.settled(t, "the upgrade", c)

	all := options()
	host, path := "", ""
	for _, o := range all {
		o.on(&c)
		var done []step
		done, out = s.change(t, o.name, c)
		if want := exactly[o.name]; want != nil && !slices.Equal(done, want) {
			t.Errorf("%s did %v, want %v", o.name, done, want)
		}
		if host = c.Domain.Name; c.Domain.BasePath != "" {
			path = "/" + c.Domain.BasePath
		}
		s.kept(t, o.name, out, host, path)
		if shown := strings.Contains(out["tryIt"].(string), "--cert"); shown != (c.Domain.Truststore != "") {
			t.Errorf("with %s the line to try is %v", o.name, out["tryIt"])
		}
	}
	s.settled(t, "all options", c)
	// What awsx registers is known here only.
	var seen []string
	registered.Range(func(token, _ any) bool {
		seen = append(seen, token.(string))
		return true
	})
	if missing := deployer.Missing(seen); len(missing) > 0 || len(seen) < 40 {
		t.Errorf("of %d types docs/permissions.md does not cover %v", len(seen), missing)
	}
	if status, body := s.ask(t, out, "GET", "", "/health", nil); status != http.StatusNotFound {
		t.Errorf("with a domain the API's own endpoint gives %d %s", status, body)
	}
	for _, o := range all {
		if o.leaving != nil {
			o.leaving(&c)
			s.change(t, "leaving "+o.name, c)
		}
	}
	// In the other order: mutual TLS goes before the domain that it belongs to.
	slices.Reverse(all)
	for _, o := range all {
		o.off(&c)
		var done []step
		done, out = s.must(t, c)
		keeps(t, "no "+o.name, done)
	}
	s.kept(t, "nothing any more", out, "", "")
	s.settled(t, "switching all off", pooled())
	for _, key := range []string{
		"tableName", "apiId", "userPoolId", "userPoolClientId", "functionName", "accessLog",
	} {
		if out[key] != before[key] {
			t.Errorf("%s was %v and is %v", key, before[key], out[key])
		}
	}
	if out["url"] != before["url"] {
		t.Errorf("the address was %v and is %v", before["url"], out["url"])
	}
}
