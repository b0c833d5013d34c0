package access

import (
	"net/http"
	"testing"
	"time"

	"items-api/internal/api"
)

// TestThrottlesStartAndStopWhereTheBucketSays sends one request after the
// other and compares each answer with what a token bucket must say, given when
// the request was sent and when its answer came.
func TestThrottlesStartAndStopWhereTheBucketSays(t *testing.T) {
	t.Parallel()
	// A slow stage, so that tokens do not come back faster than requests go.
	const rate, burst = 2.0, 20
	s := start(t, map[string]any{
		"auth":          map[string]any{"mode": "none"},
		"throttleRate":  int(rate),
		"throttleBurst": burst,
	})
	type bucket struct {
		served    float64
		first     time.Time // the first request was sent after this,
		firstDone time.Time // and counted before this
	}
	buckets := map[string]*bucket{"/items": {}, "/health": {}}
	ask := func(path string) int {
		b := buckets[path]
		sent := time.Now()
		status := s.send(t, http.MethodGet, path, nil, nil).Status
		done := time.Now()
		if b.first.IsZero() {
			b.first, b.firstDone = sent, done
		}
		// How many tokens there can have been at most, and at least, until now.
		most := burst + rate*done.Sub(b.first).Seconds()
		least := min(burst+rate*sent.Sub(b.firstDone).Seconds(), most)
		switch status {
		case http.StatusOK:
			if b.served++; b.served > most {
				t.Errorf("%s: answer %v came with %v tokens at most", path, b.served, most)
			}
		case http.StatusTooManyRequests:
			// The bucket never holds more than its burst, so that the count
			// says less once it was full again; it was not, as all tokens are
			// taken at once.
			if b.served+1 <= least {
				t.Errorf("%s: refused after %v answers, with %v tokens at least", path, b.served, least)
			}
		default:
			t.Fatalf("%s: status %d", path, status)
		}
		return status
	}
	until := func(path string, status int) (n int) {
		for ask(path) != status {
			if n++; n > 5000 {
				t.Fatalf("%s: no answer with %d", path, status)
			}
		}
		return n
	}
	if n := until("/items", http.StatusTooManyRequests); n < burst {
		t.Errorf("only %d requests were served at once", n)
	}
	// The other route's bucket is full still.
	if n := until("/health", http.StatusTooManyRequests); n < burst {
		t.Errorf("the other route served only %d requests at once", n)
	}
	until("/items", http.StatusOK)
	until("/items", http.StatusTooManyRequests)
	// A route that declares more than the stage gets what the stage has.
	for _, r := range api.Routes() {
		if r.Operation == api.BatchGetItems && (r.Throttle == nil || r.Throttle.Burst <= burst) {
			t.Fatal("the declaration's own limit does not exceed the stage's")
		}
	}
	served := 0
	sent := time.Now()
	for s.send(t, http.MethodPost, "/items/batch-get", nil, map[string]any{"ids": []string{"018f0000-0000-7000-8000-000000000000"}}).Status == http.StatusOK {
		served++
	}
	if most := burst + rate*time.Since(sent).Seconds(); served < burst || float64(served) > most {
		t.Errorf("batch-get served %d at once, want from %d to %v", served, burst, most)
	}
}
