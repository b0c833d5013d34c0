// Package change tests what deployments change and what they leave alone, with
// the real engine and requests that go on meanwhile: canaries, roll-backs,
// upgrades from an earlier release, and options that are switched on and off.
package change

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/e2e/engine"
	"items-api/internal/api"
	"items-api/internal/build"
	"items-api/internal/localcloud"
	"items-api/stack"
)

// site is a local cloud with the packages of both functions.
type site struct {
	*engine.Cloud
	zips stack.Packages
	name string // of the stack

	mu       sync.Mutex
	requests []localcloud.Request
}

func newSite(t *testing.T, name string, c localcloud.Config) *site {
	t.Helper()
	var err error
	if c.Port, err = engine.FreePort(); err != nil {
		t.Fatal(err)
	}
	s := &site{name: name}
	c.Request = func(r localcloud.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests = append(s.requests, r)
	}
	s.Cloud = engine.Start(t, c)
	for zip, dir := range map[*string]string{
		&s.zips.Handler:    "./handler",
		&s.zips.Authorizer: "./handler/authorizer",
	} {
		if *zip, err = build.Function(context.Background(), s.Root, dir, build.Host); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// settings are those of an API that answers everybody, as fast as it can.
func settings() stack.Settings {
	s := stack.Defaults()
	s.Auth = stack.Auth{Mode: api.AuthNone}
	s.Architecture, s.ThrottleRate, s.ThrottleBurst, s.DeletionProtection = build.Host, 10000, 5000, false
	s.ReservedConcurrency = 100
	return s
}

func (s *site) program(c stack.Settings) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error { return stack.Compose(ctx, c, s.zips) }
}

// step is what a deployment does with a resource.
type step struct {
	op   apitype.OpType
	kind string // the resource's type without package and module
	name string
}

// registered are the types of all resources that the engine has seen.
var registered sync.Map

// steps reads what is done from the engine's events; what stays is left out.
func steps(ch <-chan events.EngineEvent, out *[]step, done chan<- struct{}) {
	for e := range ch {
		if e.ResourcePreEvent != nil {
			registered.Store(e.ResourcePreEvent.Metadata.Type, true)
		}
		if e.ResourcePreEvent == nil || e.ResourcePreEvent.Metadata.Op == apitype.OpSame ||
			e.ResourcePreEvent.Metadata.Op == apitype.OpRead {
			continue
		}
		m := e.ResourcePreEvent.Metadata
		urn := resource.URN(m.URN)
		*out = append(*out, step{m.Op, m.Type[strings.LastIndex(m.Type, ":")+1:], urn.Name()})
	}
	close(done)
}

// watched opens the stack of a program, and a channel whose events become
// steps until done is closed.
func (s *site) watched(
	t *testing.T,
	program pulumi.RunFunc,
	out *[]step,
) (auto.Stack, chan events.EngineEvent, chan struct{}) {
	t.Helper()
	st, err := s.Stack(t.Context(), s.name, program)
	if err != nil {
		t.Fatal(err)
	}
	ch, done := make(chan events.EngineEvent), make(chan struct{})
	go steps(ch, out, done)
	return st, ch, done
}

// up deploys a program and returns what was done and the outputs.
func (s *site) up(t *testing.T, program pulumi.RunFunc) ([]step, map[string]any, error) {
	t.Helper()
	var out []step
	st, ch, done := s.watched(t, program, &out)
	res, err := st.Up(t.Context(), optup.SuppressProgress(), optup.SuppressOutputs(), optup.EventStreams(ch))
	<-done
	outputs := map[string]any{}
	for k, v := range res.Outputs {
		outputs[k] = v.Value
	}
	return out, outputs, err
}

// preview returns what a deployment would do.
func (s *site) preview(t *testing.T, program pulumi.RunFunc) ([]step, error) {
	t.Helper()
	var out []step
	st, ch, done := s.watched(t, program, &out)
	_, err := st.Preview(
		t.Context(),
		optpreview.SuppressProgress(),
		optpreview.SuppressOutputs(),
		optpreview.EventStreams(ch),
	)
	<-done
	return out, err
}

// must deploys settings.
func (s *site) must(t *testing.T, c stack.Settings) ([]step, map[string]any) {
	t.Helper()
	done, out, err := s.up(t, s.program(c))
	if err != nil {
		t.Fatal(err)
	}
	return done, out
}

// versions returns how many of the observed requests each version of a
// function answered, from one request on, and how many failed.
func (s *site) versions(from int, function string) (count map[string]int, failed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	count = map[string]int{}
	for _, r := range s.requests[from:] {
		if r.Status >= http.StatusInternalServerError || r.Status == http.StatusTooManyRequests {
			failed++
		}
		for _, f := range r.Functions {
			if f.Function == function {
				count[f.Version]++
			}
		}
	}
	return count, failed
}

func (s *site) observed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// load sends requests from several clients until it is stopped, and then
// returns how many there were and which failed.
type load struct {
	stop    chan struct{}
	clients sync.WaitGroup
	mu      sync.Mutex
	sent    int
	failed  []string
}

func startLoad(url string, clients int) *load {
	l := &load{stop: make(chan struct{})}
	for range clients {
		l.clients.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
					l.send(url)
				}
			}
		})
	}
	return l
}

func (l *load) send(url string) {
	resp, err := http.Get(url)
	what := ""
	if err != nil {
		what = err.Error()
	} else {
		if resp.StatusCode != http.StatusOK {
			what = resp.Status
		}
		if err := resp.Body.Close(); err != nil {
			what = err.Error()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent++
	if what != "" && !slices.Contains(l.failed, what) {
		l.failed = append(l.failed, what)
	}
}

func (l *load) end(t *testing.T) {
	t.Helper()
	close(l.stop)
	l.clients.Wait()
	if l.sent == 0 || len(l.failed) > 0 {
		t.Errorf("of %d requests some failed: %v", l.sent, l.failed)
	}
}
