package change

import (
	"slices"
	"strings"
	"testing"

	"items-api/internal/localcloud"
)

// A stack on the defaults of the last release gets those of this one in place,
// and one that has set them keeps what it has.
func TestDefaultsOfTheLastReleaseChangeInPlaceAndSetNumbersStay(t *testing.T) {
	t.Parallel()
	s := newSite(t, "dev", localcloud.Config{})
	last := settings()
	last.ReservedConcurrency, last.ThrottleBurst = 10, 200
	_, before := s.must(t, last)
	if log := before["accessLog"].(string); !strings.HasPrefix(log, "/aws/vendedlogs/items-access-") {
		t.Errorf("a new stack has the access log %s", log)
	}
	s.settled(t, "the same numbers again", last)

	now := last
	now.ReservedConcurrency, now.ThrottleBurst = 100, 100
	l := startLoad(before["url"].(string)+"/health", 2)
	done, out := s.change(t, "the defaults of now", now)
	l.end(t)
	want := []step{
		{"update", "Function", "items"},
		{"update", "Stage", "items"},
	}
	if !slices.Equal(done, want) {
		t.Errorf("the defaults of now did %v, want %v", done, want)
	}
	for _, key := range []string{"tableName", "apiId", "functionName", "version", "accessLog"} {
		if out[key] != before[key] {
			t.Errorf("%s was %v and is %v", key, before[key], out[key])
		}
	}
}
