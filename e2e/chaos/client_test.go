package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"items-api/internal/api"
)

// known are the items of an owner that its clients know of, with the version
// that was seen last.
type known struct {
	mu  sync.Mutex
	ids []string
	at  map[string]int64
}

func (k *known) learn(id string, version int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.at == nil {
		k.at = map[string]int64{}
	}
	if _, there := k.at[id]; !there {
		k.ids = append(k.ids, id)
	}
	k.at[id] = max(k.at[id], version)
}

func (k *known) any(r *rand.Rand) (string, int64, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.ids) == 0 {
		return "", 0, false
	}
	// Mostly one of a few, so that several clients work on the same items.
	i := r.IntN(len(k.ids))
	if r.IntN(4) > 0 {
		i = r.IntN(min(6, len(k.ids)))
	}
	return k.ids[i], k.at[k.ids[i]], true
}

func (k *known) forget(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.at, id)
	if i := slices.Index(k.ids, id); i >= 0 {
		k.ids = slices.Delete(k.ids, i, i+1)
	}
}

// client acts for an owner.
type client struct {
	*history
	known    *known
	owner    string
	token    string
	number   int
	base     string
	http     *http.Client
	random   *rand.Rand
	sequence int
}

func (c *client) name() string {
	c.sequence++
	return fmt.Sprintf("%s/%d-%d", c.owner, c.number, c.sequence)
}

// said is an answer, or that none came.
type said struct {
	status     int // 0: no answer
	body       []byte
	begin, end time.Time
}

func (c *client) send(ctx context.Context, method, path string, body any, header ...string) said {
	s := said{begin: time.Now()}
	defer func() { c.answered(s.status) }()
	var in io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			panic(err) // our own types
		}
		in = bytes.NewReader(data)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, in)
	if err != nil {
		panic(err) // our own addresses
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := c.http.Do(r)
	if err == nil {
		s.body, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	if s.end = time.Now(); err != nil {
		// Nobody is there for a moment.
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(20+c.random.IntN(60)) * time.Millisecond):
		}
		return s
	}
	s.status = resp.StatusCode
	return s
}

func (s said) code() api.Code {
	var p api.Problem
	if json.Unmarshal(s.body, &p) != nil {
		return ""
	}
	return p.Code
}

// outcome is what an answer says of a write. A server's error that does not
// say more leaves it open.
func (s said) outcome() outcome {
	switch {
	case s.status >= 200 && s.status < 300:
		return applied
	case s.status >= 400 && s.status < 500, s.code() == api.Unavailable:
		return refused
	}
	return unknown
}

// step does something.
func (c *client) step(ctx context.Context) {
	switch n := c.random.IntN(100); {
	case n < 34:
		c.create(ctx)
	case n < 58:
		c.replace(ctx)
	case n < 65:
		c.remove(ctx)
	case n < 69:
		c.batch(ctx)
	case n < 79:
		c.list(ctx)
	default:
		c.get(ctx)
	}
}

// create creates an item. It has a key for as long as fewer than half of all
// creates have one: those in batches have none.
func (c *client) create(ctx context.Context) {
	if all, keyed := c.creates(); 2*keyed <= all {
		c.createWithKey(ctx)
		return
	}
	w := write{kind: create, owner: c.owner, name: c.name(), begin: time.Now()}
	s := c.send(ctx, "POST", "/items", api.ItemInput{Name: w.name})
	w.outcome, w.end = s.outcome(), s.end
	c.made(&w, s)
}

// createWithKey tries until the answer comes.
func (c *client) createWithKey(ctx context.Context) {
	w := write{
		kind:  create,
		keyed: true,
		owner: c.owner,
		name:  c.name(),
		begin: time.Now(),
	}
	for ctx.Err() == nil {
		s := c.send(ctx, "POST", "/items", api.ItemInput{Name: w.name}, "Idempotency-Key", w.name)
		w.end = s.end
		if s.outcome() == applied || s.status >= 400 && s.status < 500 {
			w.outcome = s.outcome()
			c.made(&w, s)
			return
		}
	}
	c.made(&w, said{})
}

func (c *client) made(w *write, s said) {
	var it api.Item
	if w.outcome == applied && json.Unmarshal(s.body, &it) == nil {
		w.id, w.version = it.ID, it.Version
		c.known.learn(it.ID, it.Version)
	}
	c.wrote(*w)
}

func (c *client) replace(ctx context.Context) {
	id, version, ok := c.known.any(c.random)
	if !ok {
		return
	}
	w := write{kind: replace, owner: c.owner, id: id, name: c.name()}
	var header []string
	if c.random.IntN(3) > 0 {
		// Sometimes a list, with a gap that others may fill.
		w.want = version
		header = []string{"If-Match", fmt.Sprintf(`"%d"`, version)}
		if c.random.IntN(4) == 0 {
			w.want = 0
			header[1] += fmt.Sprintf(`, "%d"`, version+2)
		}
	}
	s := c.send(ctx, "PUT", "/items/"+id, api.ItemInput{Name: w.name}, header...)
	w.begin, w.end, w.outcome = s.begin, s.end, s.outcome()
	var it api.Item
	if w.outcome == applied && json.Unmarshal(s.body, &it) == nil {
		w.version = it.Version
		c.known.learn(id, it.Version)
	}
	var p api.Problem
	if s.status == http.StatusPreconditionFailed && json.Unmarshal(s.body, &p) == nil {
		c.known.learn(id, p.CurrentVersion)
	}
	c.wrote(w)
}

func (c *client) remove(ctx context.Context) {
	id, version, ok := c.known.any(c.random)
	if !ok {
		return
	}
	var header []string
	if c.random.IntN(2) == 0 {
		header = []string{"If-Match", fmt.Sprintf("%q", fmt.Sprint(version))}
	}
	s := c.send(ctx, "DELETE", "/items/"+id, nil, header...)
	if s.outcome() == applied || s.status == http.StatusNotFound {
		c.known.forget(id)
	}
	c.wrote(write{
		kind:    remove,
		owner:   c.owner,
		id:      id,
		outcome: s.outcome(),
		begin:   s.begin,
		end:     s.end,
	})
}

func (c *client) batch(ctx context.Context) {
	var in api.BatchWriteRequest
	var writes []write
	for range c.size() {
		if id, _, ok := c.known.any(c.random); ok && c.random.IntN(8) == 0 {
			in.Entries = append(in.Entries, api.BatchWriteEntry{Delete: &api.ItemRef{ID: id}})
			writes = append(writes, write{kind: remove, owner: c.owner, id: id})
			continue
		}
		w := write{kind: create, owner: c.owner, name: c.name()}
		in.Entries = append(in.Entries, api.BatchWriteEntry{Create: &api.ItemInput{Name: w.name}})
		writes = append(writes, w)
	}
	s := c.send(ctx, "POST", "/items/batch-write", in)
	var out api.BatchWriteResponse
	whole := s.status == http.StatusOK && json.Unmarshal(s.body, &out) == nil &&
		len(out.Results) == len(writes)
	for i := range writes {
		w := &writes[i]
		w.begin, w.end, w.outcome = s.begin, s.end, s.outcome()
		if !whole {
			continue
		}
		r := out.Results[i]
		switch r.Code {
		case "":
			w.outcome = applied
		case api.Unavailable:
			w.outcome = refused
		default:
			w.outcome = unknown
		}
		if w.kind == create {
			if w.id = r.ID; w.outcome == applied {
				w.version = 1
				c.known.learn(r.ID, 1)
			}
		}
	}
	c.wrote(writes...)
}

// size is how many entries a batch has: mostly a few, so that half of all
// creates can have a key, and at times more than fit into one call.
func (c *client) size() int {
	if c.random.IntN(6) == 0 {
		return 1 + c.random.IntN(40)
	}
	return 1 + c.random.IntN(8)
}

func (c *client) get(ctx context.Context) {
	id, _, ok := c.known.any(c.random)
	if !ok {
		return
	}
	s := c.send(ctx, "GET", "/items/"+id, nil)
	r := read{owner: c.owner, id: id, begin: s.begin, end: s.end}
	switch s.status {
	case http.StatusOK:
		var it api.Item
		if json.Unmarshal(s.body, &it) != nil {
			return
		}
		r.name, r.version = it.Name, it.Version
		c.known.learn(id, it.Version)
	case http.StatusNotFound:
		c.known.forget(id)
	default:
		return
	}
	c.saw(r)
}

// list lists everything, if no page fails for good.
func (c *client) list(ctx context.Context) {
	if l, ok := c.all(ctx, 5); ok {
		c.listed(l)
	}
}

func (c *client) all(ctx context.Context, tries int) (listing, bool) {
	l := listing{owner: c.owner, begin: time.Now()}
	for cursor := ""; ; {
		var page api.ItemList
		got := false
		for try := 0; try < tries && !got && ctx.Err() == nil; try++ {
			s := c.send(ctx, "GET", "/items?limit=100"+cursor, nil)
			got = s.status == http.StatusOK && json.Unmarshal(s.body, &page) == nil
		}
		if !got {
			return l, false
		}
		for _, it := range page.Items {
			l.items = append(l.items, seen{it.ID, it.Name, it.Version})
		}
		if page.NextCursor == "" {
			l.end = time.Now()
			return l, true
		}
		cursor = "&cursor=" + url.QueryEscape(page.NextCursor)
	}
}
