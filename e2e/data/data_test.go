// Package data tests what the functions do with the database: what each route
// costs, that their roles grant exactly that, and what comes of faults. The API
// is deployed by the engine to a cloud in the test's process.
package data

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/e2e/engine"
	"items-api/e2e/rest"
	"items-api/internal/api"
	"items-api/internal/apikey"
	"items-api/internal/build"
	"items-api/internal/localcloud"
	"items-api/internal/localcloud/dynamodb"
	"items-api/stack"
)

// TestData runs what needs no cloud of its own on one, with an owner for each.
func TestData(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	t.Run("all", func(t *testing.T) {
		for name, test := range map[string]func(*testing.T, *site){
			"routes take the calls they say":            routesTakeTheCallsTheySay,
			"faults that pass are not seen":             faultsThatPassAreNotSeen,
			"faults that stay say whether to try again": faultsThatStaySayWhetherToTryAgain,
			"parts of batches are completed or named":   partsOfBatchesAreCompletedOrNamed,
			"slow database is unavailable":              slowDatabaseIsUnavailable,
			"one hung call is not seen":                 oneHungCallIsNotSeen,
			"creates survive freezes":                   createsSurviveFreezes,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, s)
			})
		}
	})
}

// site is the API with API keys, as everybody's owner of an own.
type site struct {
	*engine.Cloud
	zips    stack.Packages
	set     func(*stack.Settings)
	outputs map[string]string
	url     string

	// lost counts the connections that functions lost while they were frozen.
	lost atomic.Int64

	mu       sync.Mutex
	requests map[string]localcloud.Request
	changed  chan struct{}
}

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteWith(t, func(*stack.Settings) {})
}

// newSiteWith makes a site whose settings are changed by set.
func newSiteWith(t *testing.T, set func(*stack.Settings)) *site {
	t.Helper()
	s := &site{set: set, requests: map[string]localcloud.Request{}, changed: make(chan struct{})}
	port, err := engine.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	s.Cloud = engine.Start(t, localcloud.Config{Port: port, Request: s.observe, Frozen: s.frozen})
	if s.zips.Handler, err = build.Function(
		context.Background(),
		s.Root,
		"./handler",
		build.Host,
	); err != nil {
		t.Fatal(err)
	}
	if s.zips.Authorizer, err = build.Function(
		context.Background(),
		s.Root,
		"./handler/authorizer",
		build.Host,
	); err != nil {
		t.Fatal(err)
	}
	s.deploy(t, nil)
	return s
}

// deploy deploys the API; change may change resources of the program.
func (s *site) deploy(t *testing.T, change pulumi.ResourceTransformation) {
	t.Helper()
	settings := s.settings()
	s.outputs = s.Up(t, "data", func(ctx *pulumi.Context) error {
		if change != nil {
			if err := ctx.RegisterStackTransformation(change); err != nil {
				return err
			}
		}
		return stack.Compose(ctx, settings, s.zips)
	})
	s.url = s.outputs["url"]
}

func (s *site) frozen(_ string, closed int) { s.lost.Add(int64(closed)) }

func (s *site) settings() stack.Settings {
	settings := stack.Defaults()
	settings.Auth = stack.Auth{Mode: api.AuthLambda, CacheSeconds: 3600}
	settings.Architecture, settings.ThrottleRate, settings.ThrottleBurst, settings.DeletionProtection, settings.TimeoutSeconds = build.Host, 10000, 5000, false, 7
	settings.ReservedConcurrency = 100
	s.set(&settings)
	return settings
}

func (s *site) observe(r localcloud.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[r.RequestID] = r
	close(s.changed)
	s.changed = make(chan struct{})
}

// observed waits until a request was observed, which is after its answer.
func (s *site) observed(t *testing.T, id string) localcloud.Request {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		s.mu.Lock()
		r, ok := s.requests[id]
		changed := s.changed
		s.mu.Unlock()
		if ok {
			return r
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("the request %s was not observed", id)
		}
	}
}

// caller sends requests with a key of an owner's own.
type caller struct {
	*site
	t   *testing.T
	key string
}

func (s *site) caller(t *testing.T, owner string) *caller {
	t.Helper()
	key, _, err := apikey.Issue(t.Context(), s.Admin(t), s.outputs["tableName"], apikey.Key{
		Owner:     owner,
		Scopes:    []api.Scope{api.ScopeRead, api.ScopeWrite},
		CreatedAt: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &caller{s, t, key}
}

type answer struct {
	rest.Answer
	// calls are those of the API's function, without the authorizer's.
	calls []dynamodb.Call
}

// send sends a request; headers are given as name and value in turn.
func (c *caller) send(method, path string, body any, headers ...string) answer {
	c.t.Helper()
	a := answer{
		Answer: rest.Send(
			c.t,
			method,
			c.url+path,
			body,
			append([]string{api.APIKeyHeader, c.key}, headers...)...),
	}
	for _, x := range c.observed(c.t, a.Header.Get("Apigw-Requestid")).Calls {
		if x.Function == c.outputs["functionName"] {
			a.calls = append(a.calls, x)
		}
	}
	return a
}

func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	a.Want(t, status)
	return a
}

func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	return rest.Decode[T](t, a.Answer)
}

func (c *caller) create(name string) api.Item {
	c.t.Helper()
	return decode[api.Item](c.t, c.send("POST", "/items", api.ItemInput{Name: name}).want(c.t, 201))
}

// batch creates items and returns their ids.
func (c *caller) batch(n int) []string {
	c.t.Helper()
	var ids []string
	for len(ids) < n {
		var in api.BatchWriteRequest
		for range min(100, n-len(ids)) {
			in.Entries = append(in.Entries, api.BatchWriteEntry{Create: &api.ItemInput{Name: "x"}})
		}
		for _, r := range decode[api.BatchWriteResponse](c.t, c.send("POST", "/items/batch-write", in).want(c.t, 200)).Results {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func operations(calls []dynamodb.Call) string {
	var out []string
	for _, c := range calls {
		out = append(out, c.Operation)
	}
	return strings.Join(out, " ")
}
