package gateway

import (
	"sync"
	"time"
)

// buckets holds a token bucket for each route of each stage. Source: API
// Gateway developer guide, "Throttling requests to your HTTP API".
type buckets struct {
	mu  sync.Mutex
	all map[string]*bucket
}

type bucket struct {
	limit  Throttle
	tokens float64
	filled time.Time
}

// take takes one token. No route has more than the account's limit. A bucket
// whose limit has changed starts full.
func (b *buckets) take(key string, limit Throttle, now time.Time) bool {
	if !limit.Set {
		limit = accountThrottle
	}
	limit.Rate, limit.Burst = min(limit.Rate, accountThrottle.Rate), min(limit.Burst, accountThrottle.Burst)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil {
		b.all = map[string]*bucket{}
	}
	x := b.all[key]
	if x == nil || x.limit != limit {
		x = &bucket{
			limit:  limit,
			tokens: float64(limit.Burst),
			filled: now,
		}
		b.all[key] = x
	}
	x.tokens = min(float64(limit.Burst), x.tokens+now.Sub(x.filled).Seconds()*limit.Rate)
	x.filled = now
	if limit.Rate <= 0 || x.tokens < 1 {
		return false
	}
	x.tokens--
	return true
}
