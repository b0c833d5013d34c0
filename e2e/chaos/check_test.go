package chaos

import (
	"slices"
	"testing"
	"time"
)

func at(n int) time.Time { return time.Unix(int64(n), 0) }

// The checker finds each kind of damage, and only that.
func TestCheckerFindsEachBrokenPromise(t *testing.T) {
	t.Parallel()
	made := write{
		kind:    create,
		owner:   "a",
		id:      "1",
		name:    "a/1",
		outcome: applied,
		version: 1,
		begin:   at(0),
		end:     at(1),
	}
	second := write{
		kind:    replace,
		owner:   "a",
		id:      "1",
		name:    "a/2",
		want:    1,
		outcome: applied,
		version: 2,
		begin:   at(2),
		end:     at(3),
	}
	third := write{
		kind:    replace,
		owner:   "a",
		id:      "1",
		name:    "a/3",
		outcome: applied,
		version: 3,
		begin:   at(4),
		end:     at(5),
	}
	gone := write{
		kind:    remove,
		owner:   "a",
		id:      "1",
		outcome: applied,
		begin:   at(6),
		end:     at(7),
	}
	as := func(w write, change func(*write)) write { change(&w); return w }
	maybe := func(w write) write { return as(w, func(w *write) { w.outcome, w.version = unknown, 0 }) }
	not := func(w write) write { return as(w, func(w *write) { w.outcome, w.version = refused, 0 }) }
	is := func(name string, version int64) map[string][]seen {
		return map[string][]seen{"a": {{"1", name, version}}}
	}
	none := map[string][]seen{"a": nil}
	for name, c := range map[string]struct {
		h     *history
		final map[string][]seen
		want  []string
	}{
		"all is well":                    {&history{writes: []write{made, second, third}}, is("a/3", 3), nil},
		"deleted":                        {&history{writes: []write{made, gone}}, none, nil},
		"unknown create, there":          {&history{writes: []write{as(maybe(made), func(w *write) { w.id = "" })}}, is("a/1", 1), nil},
		"unknown create, not there":      {&history{writes: []write{maybe(made)}}, none, nil},
		"unknown replacement, there":     {&history{writes: []write{made, maybe(second)}}, is("a/2", 2), nil},
		"unknown replacement, not there": {&history{writes: []write{made, maybe(second)}}, is("a/1", 1), nil},
		"unknown deletion, there":        {&history{writes: []write{made, maybe(gone)}}, is("a/1", 1), nil},
		"refused":                        {&history{writes: []write{made, not(second), not(gone)}}, is("a/1", 1), nil},

		"created and lost":         {&history{writes: []write{made}}, none, []string{lostWrite}},
		"replaced and lost":        {&history{writes: []write{made, second}}, is("a/1", 1), []string{lostWrite, staleRead}},
		"replaced and overwritten": {&history{writes: []write{made, second}}, is("a/1", 2), []string{lostWrite}},
		"deleted and there":        {&history{writes: []write{made, gone}}, is("a/1", 1), []string{lostWrite}},
		"replaced twice by one":    {&history{writes: []write{made, second}}, is("a/2", 3), []string{appliedTwice}},
		"unknown and done twice":   {&history{writes: []write{made, maybe(second)}}, is("a/2", 3), []string{appliedTwice}},
		"created twice": {&history{writes: []write{made}}, map[string][]seen{"a": {
			{"1", "a/1", 1},
			{"2", "a/1", 1},
		}}, []string{appliedTwice}},
		"written by nobody":          {&history{writes: []write{made}}, is("a/9", 1), []string{appliedTwice}},
		"refused and created":        {&history{writes: []write{not(made)}}, is("a/1", 1), []string{refusedDone}},
		"refused and replaced":       {&history{writes: []write{made, not(second)}}, is("a/2", 2), []string{appliedTwice, refusedDone}},
		"two winners of one version": {&history{writes: []write{made, second, as(second, func(w *write) { w.name = "a/x" })}}, is("a/2", 3), []string{staleWrite}},
		"stale version": {&history{
			writes:  []write{made, as(second, func(w *write) { w.version = 3 })},
			answers: nil,
		}, is("a/2", 3), []string{appliedTwice, staleWrite}},
		"later write, older version": {&history{writes: []write{made, as(second, func(w *write) { w.begin, w.end = at(8), at(9) }), third}}, is("a/3", 3), []string{lostWrite}},
		"list of another's": {&history{writes: []write{made}}, map[string][]seen{
			"a": {{"1", "a/1", 1}},
			"b": {{"1", "a/1", 1}},
		}, []string{foreignItem}},
		"list with one twice": {&history{writes: []write{made}}, map[string][]seen{"a": {
			{"1", "a/1", 1},
			{"1", "a/1", 1},
		}}, []string{tornList}},
		"list without one": {&history{
			writes:   []write{made},
			listings: []listing{{owner: "a", begin: at(2), end: at(3)}},
		}, is("a/1", 1), []string{tornList}},
		"list while it was made": {&history{
			writes:   []write{made},
			listings: []listing{{owner: "a", begin: at(0), end: at(3)}},
		}, is("a/1", 1), nil},
		"list while it was deleted": {&history{
			writes:   []write{made, gone},
			listings: []listing{{owner: "a", begin: at(5), end: at(8)}},
		}, none, nil},
		"read before the last write": {&history{
			writes: []write{made, second},
			reads:  []read{{"a", "1", "a/1", 1, at(4), at(5)}},
		}, is("a/2", 2), []string{staleRead}},
		"read of what is deleted": {&history{
			writes: []write{made, gone},
			reads:  []read{{"a", "1", "a/1", 1, at(8), at(9)}},
		}, none, []string{lostWrite}},
		"not there after the create": {&history{
			writes: []write{made},
			reads:  []read{{"a", "1", "", 0, at(2), at(3)}},
		}, is("a/1", 1), []string{staleRead}},
		"list with an old version": {&history{
			writes:   []write{made, second},
			listings: []listing{{"a", []seen{{"1", "a/1", 1}}, at(4), at(5)}},
		}, is("a/2", 2), []string{staleRead}},
		"list of what is deleted": {&history{
			writes:   []write{made, gone},
			listings: []listing{{"a", []seen{{"1", "a/1", 1}}, at(8), at(9)}},
		}, none, []string{lostWrite}},
		"replaced after the deletion": {&history{writes: []write{made, gone, as(second, func(w *write) { w.begin, w.end = at(8), at(9) })}}, none, []string{lostWrite}},
		"seen and taken back": {&history{
			writes: []write{made, maybe(second)},
			reads:  []read{{"a", "1", "a/2", 2, at(4), at(5)}, {"a", "1", "a/1", 1, at(6), at(7)}},
		}, is("a/1", 1), []string{staleRead}},
		"read with another's content": {&history{
			writes: []write{made, second},
			reads:  []read{{"a", "1", "a/7", 2, at(4), at(5)}},
		}, is("a/2", 2), []string{lostWrite}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			v := check(c.h, c.final)
			for promise := range v {
				got = append(got, promise)
			}
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", v, c.want)
			}
		})
	}
}
