package change

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"items-api/components"
	"items-api/internal/localcloud"
	"items-api/stack"
)

// send sends n requests from 8 clients.
func send(t *testing.T, url string, n int) {
	t.Helper()
	l := &load{}
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range n / 8 {
				l.send(url)
			}
		})
	}
	clients.Wait()
	if len(l.failed) > 0 {
		t.Errorf("requests failed: %v", l.failed)
	}
}

func TestCanaryTakesItsShareAndRollBackAllAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, "dev", localcloud.Config{})
	c := settings()
	_, out := s.must(t, c)
	if out["version"] != "1" || out["liveVersion"] != "1" {
		t.Fatalf("the first deployment gave the version %v, live %v", out["version"], out["liveVersion"])
	}
	url, function := out["url"].(string)+"/health", out["functionName"].(string)
	only := func(version string) {
		t.Helper()
		from := s.observed()
		send(t, url, 200)
		if got, failed := s.versions(from, function); got[version] < 200 || len(got) != 1 || failed > 0 {
			t.Errorf(
				"of 200 requests and those of the load the versions answered %v and %d failed, want all by %s",
				got,
				failed,
				version,
			)
		}
	}
	only("1")

	// A canary of 10 %: 10,000 requests have a standard deviation of 30, and
	// five of them are exceeded once in 1.7 million runs.
	next := c
	next.MemoryMB, next.Canary.Weight = 512, 10
	done, out := s.must(t, next)
	if want := []step{
		{"update", "Alias", "items"},
		{"update", "Function", "items"},
		{"update", "MetricAlarm", "items-version-errors"},
	}; !slices.Equal(relevant(done), want) {
		t.Errorf("the canary did %v, want %v", relevant(done), want)
	}
	if out["version"] != "2" || out["liveVersion"] != "1" {
		t.Errorf("with the canary the version is %v, live %v", out["version"], out["liveVersion"])
	}
	from := s.observed()
	send(t, url, 10000)
	got, failed := s.versions(from, function)
	if got["2"] < 850 || got["2"] > 1150 || got["1"]+got["2"] != 10000 || failed > 0 {
		t.Errorf("of 10,000 requests the versions answered %v, and %d failed", got, failed)
	}
	t.Logf("of 10,000 requests the canary of 10 %% got %d", got["2"])
	if done, _ := s.must(t, next); len(relevant(done)) > 0 {
		t.Errorf("the same again did %v", relevant(done))
	}

	// A correction while the canary runs: what answered before stays.
	next.MemoryMB = 768
	if _, out = s.must(t, next); out["version"] != "3" || out["liveVersion"] != "1" {
		t.Errorf("with a second canary the version is %v, live %v", out["version"], out["liveVersion"])
	}

	// Promoted: all requests, and then back, while requests go on.
	next.Canary.Weight = 0
	if done, out = s.must(
		t,
		next,
	); out["liveVersion"] != "3" ||
		!slices.Equal(relevant(done), []step{{"update", "Alias", "items"}}) {
		t.Errorf("promoting did %v, live is %v", relevant(done), out["liveVersion"])
	}
	only("3")
	next.Release.Version = "1"
	l := startLoad(url, 4)
	done, out = s.must(t, next)
	only("1")
	l.end(t)
	if out["liveVersion"] != "1" || out["version"] != "3" ||
		!slices.Equal(relevant(done), []step{{"update", "Alias", "items"}}) {
		t.Errorf("rolling back did %v, live is %v", relevant(done), out["liveVersion"])
	}

	// A version that does not exist fails before anything is done.
	next.Release.Version = "17"
	for what, try := range map[string]func() ([]step, error){
		"preview": func() ([]step, error) { return s.preview(t, s.program(next)) },
		"up":      func() ([]step, error) { done, _, err := s.up(t, s.program(next)); return done, err },
	} {
		if done, err := try(); err == nil ||
			!strings.Contains(err.Error(), "has no version 17 to go back to") ||
			len(relevant(done)) > 0 {
			t.Errorf("%s of a version that does not exist did %v, %v", what, relevant(done), err)
		}
	}
	only("1")
}

// A canary in the very first deployment has nothing to be compared with.
func TestCanaryOfTheFirstVersionGetsEverything(t *testing.T) {
	t.Parallel()
	s := newSite(t, "dev", localcloud.Config{})
	c := settings()
	c.Canary = stack.Canary{Weight: 10}
	_, out := s.must(t, c)
	if out["version"] != "1" || out["liveVersion"] != "1" {
		t.Errorf("the version is %v, live %v", out["version"], out["liveVersion"])
	}
	c.Canary.Weight, c.Release.Version = 0, "1"
	if done, _ := s.must(t, c); len(relevant(done)) > 0 {
		t.Errorf("pinning what answers did %v", relevant(done))
	}
}

// CodeDeploy takes the alias over only when it points to one version. Where it
// has moved it is not in the state: so Pulumi must write the alias when it
// takes it over again, also to where the state has it already.
func TestAliasIsHandedToCodeDeployAndBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, "dev", localcloud.Config{})
	c := settings()
	s.must(t, c)
	c.MemoryMB, c.Canary.Weight = 512, 10
	s.must(t, c)
	c.Canary.Weight, c.Release.Strategy = 0, components.CodeDeployCanary
	if done, err := s.preview(
		t,
		s.program(c),
	); err == nil ||
		!strings.Contains(err.Error(), "has a canary, with which CodeDeploy cannot start") {
		t.Errorf("CodeDeploy beside a canary: the preview did %v, %v", relevant(done), err)
	}
	c.Release = stack.Release{Strategy: components.AllAtOnce, Version: "1"}
	s.must(t, c)
	c.Release = stack.Release{Strategy: components.CodeDeployCanary}
	if _, out := s.must(t, c); out["liveVersion"] != "1" || out["version"] != "2" {
		t.Errorf("with CodeDeploy the version is %v, live %v", out["version"], out["liveVersion"])
	}
	if done, _ := s.must(t, c); len(relevant(done)) > 0 {
		t.Errorf("the same again did %v", relevant(done))
	}
	c.Release = stack.Release{Strategy: components.AllAtOnce, Version: "1"}
	if done, out := s.must(
		t,
		c,
	); !slices.Contains(relevant(done), step{"update", "Alias", "items"}) ||
		out["liveVersion"] != "1" {
		t.Errorf("back from CodeDeploy to a version did %v, live is %v", relevant(done), out["liveVersion"])
	}
}

// relevant leaves out the stack, which changes with its outputs, and sorts.
func relevant(done []step) []step {
	out := slices.DeleteFunc(slices.Clone(done), func(s step) bool { return s.kind == "Stack" })
	slices.SortFunc(out, func(a, b step) int { return strings.Compare(a.kind+a.name, b.kind+b.name) })
	return out
}
