// Package chaos records what clients were told while everything around them
// failed, and checks it against what is there afterwards.
package chaos

import (
	"sync"
	"time"
)

// outcome is what a client knows of a write.
type outcome int

const (
	unknown outcome = iota // it may have been applied
	applied
	refused // it was not applied
)

// kind is what a write does.
type kind int

const (
	create kind = iota
	replace
	remove
)

// write is one write of one item.
type write struct {
	kind       kind
	keyed      bool // a create with an Idempotency-Key
	owner      string
	id         string // "" for a create whose answer never came
	name       string // unique to this write; "" for a remove
	want       int64  // the version of If-Match; 0 for none
	outcome    outcome
	version    int64 // of the item, if it is applied
	begin, end time.Time
}

// read is what a client saw of one item, or that it was not there.
type read struct {
	owner, id, name string
	version         int64 // 0: not there
	begin, end      time.Time
}

// listing is a complete list of an owner's items.
type listing struct {
	owner      string
	items      []seen
	begin, end time.Time
}

// seen is an item in a list.
type seen struct {
	id, name string
	version  int64
}

// history is everything that happened. It is safe for concurrent use.
type history struct {
	mu       sync.Mutex
	writes   []write
	reads    []read
	listings []listing
	answers  map[int]int // by status; 0 for no answer
}

func (h *history) wrote(w ...write) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writes = append(h.writes, w...)
}

// creates counts the creates, and those of them with an Idempotency-Key.
func (h *history) creates() (all, keyed int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range h.writes {
		if w.kind != create {
			continue
		}
		all++
		if w.keyed {
			keyed++
		}
	}
	return all, keyed
}

func (h *history) saw(r read) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads = append(h.reads, r)
}

func (h *history) listed(l listing) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listings = append(h.listings, l)
}

func (h *history) answered(status int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.answers == nil {
		h.answers = map[int]int{}
	}
	h.answers[status]++
}
