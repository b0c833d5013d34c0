package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// violations are what must never happen, by the promise that is broken.
type violations map[string][]string

func (v violations) add(promise, format string, args ...any) {
	v[promise] = append(v[promise], fmt.Sprintf(format, args...))
}

// The promises.
const (
	lostWrite    = "an acknowledged write is lost"
	appliedTwice = "a write is applied twice"
	refusedDone  = "a write that was said not to be done is done"
	staleWrite   = "a stale conditional write succeeded"
	foreignItem  = "an item of another owner is seen"
	tornList     = "a list lacks an item, or has it twice"
	staleRead    = "a read is older than a write before it"
)

// item is everything that is known of one item.
type item struct {
	made             *write
	replaced         []write
	removed          []write
	lastApplied      *write // with the highest version
	unknownReplaced  int
	firstRemoveBegin time.Time
}

// check compares a history with the final lists of all owners, which were made
// when everything was calm again.
func check(h *history, final map[string][]seen) violations {
	v := violations{}
	items := map[string]*item{}
	get := func(id string) *item {
		if items[id] == nil {
			items[id] = &item{}
		}
		return items[id]
	}
	names := map[string]*write{} // creates by name
	for i := range h.writes {
		w := &h.writes[i]
		switch w.kind {
		case create:
			names[w.name] = w
			if w.id != "" {
				get(w.id).made = w
			}
		case replace:
			it := get(w.id)
			if w.outcome != refused {
				it.replaced = append(it.replaced, *w)
			}
			if w.outcome == unknown {
				it.unknownReplaced++
			}
			if w.outcome == applied && w.want > 0 && w.version != w.want+1 {
				v.add(staleWrite, "%s: If-Match %d gave version %d", w.id, w.want, w.version)
			}
		case remove:
			if w.outcome != refused {
				it := get(w.id)
				it.removed = append(it.removed, *w)
				if it.firstRemoveBegin.IsZero() || w.begin.Before(it.firstRemoveBegin) {
					it.firstRemoveBegin = w.begin
				}
			}
		}
	}
	there := map[string]seen{}
	for owner, list := range final {
		v.list(listing{owner: owner, items: list})
		for _, s := range list {
			there[s.id] = s
		}
	}
	v.creates(h, names, items, there)
	for id, it := range items {
		v.versions(id, it)
		if s, ok := there[id]; ok {
			v.present(id, it, s)
		} else if it.made != nil && it.made.outcome == applied && len(it.removed) == 0 {
			v.add(lostWrite, "%s (%s) was created and is gone", id, it.made.name)
		}
	}
	v.seenByReads(allReads(h, final), items)
	for _, l := range h.listings {
		v.list(l)
		v.complete(l, items)
	}
	return v
}

// creates checks that each create made one item or none, as it was said.
func (v violations) creates(
	h *history,
	names map[string]*write,
	items map[string]*item,
	there map[string]seen,
) {
	versions := map[string]bool{}
	for _, w := range h.writes {
		if w.kind == replace {
			versions[w.name] = true
		}
	}
	byName := map[string][]string{}
	note := func(name, id string) {
		if !slices.Contains(byName[name], id) {
			byName[name] = append(byName[name], id)
		}
	}
	for id, s := range there {
		note(s.name, id)
		if names[s.name] == nil && !versions[s.name] {
			v.add(appliedTwice, "nobody wrote %s of %s", s.name, id)
		}
	}
	for _, r := range h.reads {
		if r.version > 0 {
			note(r.name, r.id)
		}
	}
	for _, l := range h.listings {
		for _, s := range l.items {
			note(s.name, s.id)
		}
	}
	for name, w := range names {
		switch ids := byName[name]; {
		case len(ids) > 1:
			v.add(appliedTwice, "%s made the items %v", name, ids)
		case len(ids) > 0 && w.outcome == refused:
			v.add(refusedDone, "%s was not created, and is %v", name, ids)
		case len(ids) > 0 && w.id != "" && ids[0] != w.id:
			v.add(appliedTwice, "%s made %s, and is %v", name, w.id, ids)
		}
	}
	for _, w := range h.writes {
		if w.kind != replace || w.outcome != refused {
			continue
		}
		if ids := byName[w.name]; len(ids) > 0 {
			v.add(refusedDone, "%s was not written to %s, and is there", w.name, w.id)
		}
	}
}

// versions checks the acknowledged replacements of an item against each other.
func (v violations) versions(id string, it *item) {
	by := map[int64]*write{}
	for i := range it.replaced {
		w := &it.replaced[i]
		if w.outcome != applied {
			continue
		}
		if other := by[w.version]; other != nil {
			v.add(staleWrite, "%s: %s and %s both made version %d", id, other.name, w.name, w.version)
		}
		by[w.version] = w
		if it.lastApplied == nil || w.version > it.lastApplied.version {
			it.lastApplied = w
		}
	}
	for _, r := range it.removed {
		for _, w := range by {
			if r.outcome == applied && r.end.Before(w.begin) {
				v.add(lostWrite, "%s was deleted, and then %s replaced it", id, w.name)
			}
		}
	}
	for _, a := range by {
		for _, b := range by {
			if a.end.Before(b.begin) && a.version >= b.version {
				v.add(
					lostWrite,
					"%s: %s made version %d, and %s after it version %d",
					id,
					a.name,
					a.version,
					b.name,
					b.version,
				)
			}
		}
	}
}

// present checks an item that is there at the end.
func (v violations) present(id string, it *item, s seen) {
	acknowledged := 0
	for _, w := range it.replaced {
		if w.outcome == applied {
			acknowledged++
		}
	}
	done := int(s.version) - 1
	if done < acknowledged {
		v.add(lostWrite, "%s has version %d after %d acknowledged replacements", id, s.version, acknowledged)
	}
	if done > acknowledged+it.unknownReplaced {
		v.add(
			appliedTwice,
			"%s has version %d after %d replacements, of which %d are unknown",
			id,
			s.version,
			acknowledged+it.unknownReplaced,
			it.unknownReplaced,
		)
	}
	if last := it.lastApplied; last != nil && last.version > s.version {
		v.add(lostWrite, "%s has version %d, and %s made version %d", id, s.version, last.name, last.version)
	}
}

// allReads are the reads of single items, of lists, and of what is there at the
// end.
func allReads(h *history, final map[string][]seen) map[string][]read {
	out := map[string][]read{}
	add := func(r read) { out[r.id] = append(out[r.id], r) }
	for _, r := range h.reads {
		add(r)
	}
	end := time.Unix(1<<40, 0)
	for _, l := range h.listings {
		for _, s := range l.items {
			add(read{l.owner, s.id, s.name, s.version, l.begin, l.end})
		}
	}
	for owner, list := range final {
		for _, s := range list {
			add(read{owner, s.id, s.name, s.version, end, end})
		}
	}
	return out
}

// seenByReads checks reads against the acknowledged writes before them, and
// against each other.
func (v violations) seenByReads(all map[string][]read, items map[string]*item) {
	for id, reads := range all {
		v.monotonic(id, reads)
		if it := items[id]; it != nil {
			for _, r := range reads {
				v.seen(it, r)
			}
		}
	}
}

// monotonic checks that a version that was seen is not taken back.
func (v violations) monotonic(id string, reads []read) {
	byEnd := slices.Clone(reads)
	slices.SortFunc(byEnd, func(a, b read) int { return a.end.Compare(b.end) })
	slices.SortFunc(reads, func(a, b read) int { return a.begin.Compare(b.begin) })
	i, newest := 0, int64(0)
	for _, r := range reads {
		for ; i < len(byEnd) && byEnd[i].end.Before(r.begin); i++ {
			newest = max(newest, byEnd[i].version)
		}
		if r.version > 0 && r.version < newest {
			v.add(staleRead, "%s was seen with version %d after %d was seen", id, r.version, newest)
		}
	}
}

// seen checks a read of an item against the writes.
func (v violations) seen(it *item, r read) {
	if r.version == 0 {
		if it.made != nil && it.made.outcome == applied && it.made.end.Before(r.begin) &&
			(it.firstRemoveBegin.IsZero() || r.end.Before(it.firstRemoveBegin)) {
			v.add(staleRead, "%s was created and then not there", r.id)
		}
		return
	}
	if owner(r.name) != r.owner {
		v.add(foreignItem, "%s read %s", r.owner, r.name)
	}
	for _, w := range it.removed {
		if w.outcome == applied && w.end.Before(r.begin) {
			v.add(lostWrite, "%s was deleted and then seen", r.id)
		}
	}
	for _, w := range it.replaced {
		if w.outcome != applied {
			continue
		}
		if w.end.Before(r.begin) && w.version > r.version {
			v.add(staleRead, "%s was seen with version %d after %d was made", r.id, r.version, w.version)
		}
		if w.version == r.version && w.name != r.name {
			v.add(
				lostWrite,
				"%s was seen as %s at version %d, which %s made",
				r.id,
				r.name,
				r.version,
				w.name,
			)
		}
	}
}

// list checks a list by itself.
func (v violations) list(l listing) {
	ids := map[string]bool{}
	for _, s := range l.items {
		if ids[s.id] {
			v.add(tornList, "%s twice in a list of %s", s.id, l.owner)
		}
		ids[s.id] = true
		if owner(s.name) != l.owner {
			v.add(foreignItem, "%s lists %s", l.owner, s.name)
		}
	}
}

// complete checks that a list has what was there all the time.
func (v violations) complete(l listing, items map[string]*item) {
	ids := map[string]bool{}
	for _, s := range l.items {
		ids[s.id] = true
	}
	for id, it := range items {
		if it.made == nil || it.made.outcome != applied || it.made.owner != l.owner ||
			!it.made.end.Before(l.begin) ||
			ids[id] {
			continue
		}
		if it.firstRemoveBegin.IsZero() || l.end.Before(it.firstRemoveBegin) {
			v.add(tornList, "%s is not in a list of %s", id, l.owner)
		}
	}
}

// owner is whose write a name stands for.
func owner(name string) string {
	o, _, _ := strings.Cut(name, "/")
	return o
}
