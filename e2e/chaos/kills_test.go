package chaos

import (
	"context"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// writers create items at the same time.
	writers = 8
	// creates is how many must be acknowledged between two kills, at least.
	creates = 60
)

// TestKillsOfEverythingLoseNoKeyedCreate kills the local cloud, the database
// and all functions at once while clients create items with a key, CHAOS_KILLS
// times, 2 if not set. It looks for all that was acknowledged after each kill.
func TestKillsOfEverythingLoseNoKeyedCreate(t *testing.T) {
	kills := number(t, "CHAOS_KILLS", 2)
	w := newWorld(t)
	h := &history{}
	all := w.clients(t, h, writers)
	for range kills {
		w.killUnderLoad(t, h, all)
		verify(t, h, all[:owners])
	}
	counts := h.counts()
	t.Logf("%d clients: %d creates with a key acknowledged, %d unknown, in %d kills of everything",
		writers, counts[applied], counts[unknown], kills)
}

// killUnderLoad kills everything when enough was created, and lets the clients
// go on until the local cloud is there again.
func (w *world) killUnderLoad(t *testing.T, h *history, all []*client) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	for _, c := range all {
		running.Go(func() {
			for ctx.Err() == nil {
				c.createWithKey(ctx)
			}
		})
	}
	h.await(t, h.counts()[applied]+creates+rand.IntN(creates))
	w.killEverything(t)
}

// await waits until so many writes are acknowledged.
func (h *history) await(t *testing.T, n int) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for h.counts()[applied] < n {
		select {
		case <-deadline:
			t.Fatalf("%d writes were acknowledged, and %d are needed", h.counts()[applied], n)
		case <-tick.C:
		}
	}
}

// killEverything kills all processes of the local cloud at once, in any order,
// and starts it again.
func (w *world) killEverything(t *testing.T) {
	t.Helper()
	found := processes(t, w.Dir)
	if len(found) < 3 { // the local cloud, the database, a function
		t.Fatalf("only %d processes are running", len(found))
	}
	rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	for _, pid := range found {
		// One that died of another's end is gone.
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err := w.up.Kill(); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.up, err = w.Up(); err != nil {
		t.Fatal(err)
	}
}
