package chaos

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"items-api/e2e/project"
)

var binary string

func TestMain(m *testing.M) { project.Main(m, &binary) }

const (
	owners  = 4
	clients = 16
	faults  = `[{"kind":"ProvisionedThroughputExceededException","rate":0.02},{"kind":"ThrottlingException","rate":0.02},{"kind":"InternalServerError","rate":0.02},
{"kind":"UnprocessedKeys","rate":0.3},{"kind":"UnprocessedItems","rate":0.3},{"kind":"Latency","rate":0.05,"delayMs":30},{"kind":"DropBefore","rate":0.02},{"kind":"DropAfter","rate":0.02}]`
)

// TestNothingIsLostWhenEverythingFails runs for CHAOS_SECONDS, 12 if not set,
// and on a busy machine until enough has happened, for at most ten times that.
func TestNothingIsLostWhenEverythingFails(t *testing.T) {
	seconds := number(t, "CHAOS_SECONDS", 12)
	w := newWorld(t)
	w.run(t, "faults", "set", faults)
	h := &history{}
	all := w.clients(t, h, clients)
	ctx, stop := context.WithTimeout(t.Context(), time.Duration(10*seconds)*time.Second)
	defer stop()
	least := time.AfterFunc(time.Duration(seconds)*time.Second, func() {
		for ctx.Err() == nil && !h.enough(seconds) {
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
		stop()
	})
	defer least.Stop()
	var running sync.WaitGroup
	for _, c := range all {
		running.Go(func() {
			for ctx.Err() == nil {
				c.step(ctx)
			}
		})
	}
	kills := w.kill(t, ctx)
	running.Wait()
	w.run(t, "faults", "clear")
	final := verify(t, h, all[:owners])
	report(t, seconds, h, kills, final)
	if creates, keyed := h.creates(); 5*keyed < 2*creates {
		t.Errorf("only %d of %d creates had an Idempotency-Key", keyed, creates)
	}
	if !h.enough(seconds) {
		t.Errorf(
			"too little happened: %v writes, %d reads, %d lists",
			h.counts(),
			len(h.reads),
			len(h.listings),
		)
	}
	for what, n := range kills {
		if n == 0 {
			t.Errorf("no %s was killed", what)
		}
	}
}

// verify compares a history with what is there now, and returns that by
// owner; there is a client of each.
func verify(t *testing.T, h *history, one []*client) map[string][]seen {
	t.Helper()
	final := map[string][]seen{}
	calm, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, c := range one {
		l, ok := c.all(calm, 1000)
		if !ok {
			t.Fatalf("the items of %s cannot be listed", c.owner)
		}
		final[c.owner] = l.items
	}
	for promise, cases := range check(h, final) {
		t.Errorf(
			"%s: %d times, such as %s",
			promise,
			len(cases),
			strings.Join(cases[:min(5, len(cases))], "; "),
		)
	}
	return final
}

// number reads a number from the environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, and must be a number from 1 on", name, text)
	}
	return n
}

// enough reports whether as much happened as makes the check worth something.
func (h *history) enough(seconds int) bool {
	counts := h.counts()
	h.mu.Lock()
	defer h.mu.Unlock()
	return counts[applied] >= 20*seconds && counts[unknown] > 0 && len(h.reads) > 0 && len(h.listings) > 0
}

func (h *history) counts() map[outcome]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := map[outcome]int{}
	for _, w := range h.writes {
		out[w.outcome]++
	}
	return out
}

func report(t *testing.T, seconds int, h *history, kills map[string]int, final map[string][]seen) {
	items := 0
	for _, list := range final {
		items += len(list)
	}
	c := h.counts()
	creates, keyed := h.creates()
	t.Logf(
		"%d clients for %d s: %d writes (%d acknowledged, %d refused, %d unknown), %d creates, %d of "+
			"them with a key, "+
			"%d reads, %d complete lists, %d items at the end; killed: %v; answers by status: %v",
		clients,
		seconds,
		len(h.writes),
		c[applied],
		c[refused],
		c[unknown],
		creates,
		keyed,
		len(h.reads),
		len(h.listings),
		items,
		kills,
		h.answers,
	)
}

// world is a local cloud that is killed and started again.
type world struct {
	*project.Project
	url    string
	tokens []string
	up     *project.Up
}

func newWorld(t *testing.T) *world {
	t.Helper()
	p, err := project.Copy(binary, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Configure(map[string]any{
		"auth":                map[string]any{"mode": "cognito"},
		"throttleRate":        10000,
		"throttleBurst":       5000,
		"timeoutSeconds":      5,
		"reservedConcurrency": 32,
	}); err != nil {
		t.Fatal(err)
	}
	w := &world{Project: p}
	if w.up, err = p.Up(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.up.Stop(); err != nil {
			t.Error(err)
		}
	})
	out, err := p.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	w.url = fmt.Sprint(out["url"])
	for i := range owners {
		w.tokens = append(
			w.tokens,
			strings.TrimSpace(w.run(t, "token", "--sub", fmt.Sprint("owner", i), "--lifetime", "2h")),
		)
	}
	return w
}

func (w *world) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := w.Run(args...)
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return out
}

// clients are one after the other of all owners, so that the first ones are
// one of each.
func (w *world) clients(t *testing.T, h *history, n int) []*client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: n}
	t.Cleanup(transport.CloseIdleConnections)
	shared := make([]known, owners)
	var out []*client
	for i := range n {
		o := i % owners
		out = append(out, &client{
			history: h,
			known:   &shared[o],
			owner:   fmt.Sprint("owner", o),
			token:   w.tokens[o],
			number:  i,
			base:    w.url,
			http:    &http.Client{Transport: transport, Timeout: 20 * time.Second},
			random:  rand.New(rand.NewPCG(uint64(i), uint64(time.Now().UnixNano()))),
		})
	}
	return out
}

// kill kills something every now and then: a process of the function, the
// database, or the whole local cloud, which is started again.
func (w *world) kill(t *testing.T, ctx context.Context) map[string]int {
	t.Helper()
	kills := map[string]int{"function": 0, "database": 0, "local cloud": 0}
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return kills
		case <-time.After(time.Duration(500+rand.IntN(1500)) * time.Millisecond):
		}
		what := []string{"function", "database", "function", "local cloud"}[n%4]
		switch what {
		case "function":
			kills[what] += w.signal(t, filepath.Join(w.Dir, ".local", "lambda"), "bootstrap")
		case "database":
			kills[what] += w.signal(t, w.Dir, "DynamoDBLocal.jar")
		case "local cloud":
			if err := w.up.Kill(); err != nil {
				t.Fatal(err)
			}
			var err error
			if w.up, err = w.Up(); err != nil {
				t.Fatal(err)
			}
			kills[what]++
		}
	}
}

// signal kills one process whose command line, executable or working directory
// has all texts. It may be gone in the meantime.
func (w *world) signal(t *testing.T, texts ...string) int {
	t.Helper()
	found := processes(t, texts...)
	if len(found) == 0 || syscall.Kill(found[rand.IntN(len(found))], syscall.SIGKILL) != nil {
		return 0
	}
	return 1
}

// processes returns the ids of all processes but our own whose command line,
// executable or working directory has all texts.
func processes(t *testing.T, texts ...string) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		// What cannot be read is gone, or somebody else's.
		line, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		exe, _ := os.Readlink(filepath.Join("/proc", e.Name(), "exe"))
		dir, _ := os.Readlink(filepath.Join("/proc", e.Name(), "cwd"))
		all := string(bytes.ReplaceAll(line, []byte{0}, []byte(" "))) + " " + exe + " " + dir
		if !slices.ContainsFunc(texts, func(s string) bool { return !strings.Contains(all, s) }) {
			found = append(found, pid)
		}
	}
	return found
}
