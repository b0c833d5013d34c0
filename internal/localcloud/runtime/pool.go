package runtime

import (
	"fmt"
	"slices"
)

// pool holds the environments of one version of a function. The runtime's mutex guards it.
type pool struct {
	runtime  *Runtime
	function Function
	task     string // directory of the unpacked package
	idle     []*environment
	all      map[*environment]bool
	busy     int
	invoked  int
	starts   int
	current  int // generation of the configuration
	leaving  bool
}

// replace sets a configuration and returns the idle environments of the old
// one, which are no longer in the pool.
func (p *pool) replace(f Function, task string) []*environment {
	old := p.idle
	p.function, p.task, p.idle = f, task, nil
	p.current++
	for _, e := range old {
		e.timer.Stop()
		delete(p.all, e)
	}
	return old
}

// acquire takes the environment that was used last, or makes one. It fails
// when the concurrency is used up.
func (r *Runtime) acquire(name, version string) (*environment, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pools[key(name, version)]
	if p == nil || p.leaving || r.closed {
		return nil, false, fmt.Errorf(
			"%w: arn:aws:lambda:%s:%s:function:%s",
			ErrNotFound,
			r.Region,
			r.AccountID,
			name,
		)
	}
	reserved := p.function.Reserved != nil
	if reserved && r.busy(name) >= *p.function.Reserved {
		return nil, false, fmt.Errorf(
			"%w Reason: ReservedFunctionConcurrentInvocationLimitExceeded",
			ErrThrottled,
		)
	}
	if !reserved && r.unreserved >= r.Concurrency-r.reservations() {
		return nil, false, fmt.Errorf("%w Reason: ConcurrentInvocationLimitExceeded", ErrThrottled)
	}
	p.busy++
	p.invoked++
	if !reserved {
		r.unreserved++
	}
	r.running.Add(1)
	if n := len(p.idle); n > 0 {
		e := p.idle[n-1]
		p.idle = p.idle[:n-1]
		e.counted = !reserved
		e.timer.Stop()
		return e, false, nil
	}
	p.starts++
	e := &environment{
		runtime:    r,
		pool:       p,
		function:   p.function,
		task:       p.task,
		generation: p.current,
		counted:    !reserved,
	}
	if p.all == nil {
		p.all = map[*environment]bool{}
	}
	p.all[e] = true
	return e, true, nil
}

// busy counts the environments in use of all versions of a function: they
// share its reservation.
func (r *Runtime) busy(name string) int {
	n := 0
	for _, p := range r.pools {
		if p.function.Name == name {
			n += p.busy
		}
	}
	return n
}

// reservations is the sum of all reserved concurrency, once for each function.
func (r *Runtime) reservations() int {
	sum, seen := 0, map[string]bool{}
	for _, p := range r.pools {
		if f := p.function; f.Reserved != nil && !seen[f.Name] {
			seen[f.Name] = true
			sum += *f.Reserved
		}
	}
	return sum
}

// release gives an environment back after an invocation.
func (r *Runtime) release(e *environment) {
	r.mu.Lock()
	p := e.pool
	p.busy--
	if e.counted {
		r.unreserved--
	}
	keep := !r.closed && e.generation == p.current && e.alive()
	if keep {
		p.idle = append(p.idle, e)
		r.rest(e)
	} else {
		delete(p.all, e)
	}
	r.leave(p)
	r.mu.Unlock()
	if !keep {
		e.stop()
	}
}

// rest begins the idle time of an environment, which has one timer for all of
// them. The runtime's mutex is held.
func (r *Runtime) rest(e *environment) {
	e.used = r.Now()
	if e.timer == nil {
		e.timer = r.afterFunc(r.IdleTimeout, func() { r.retire(e) })
		return
	}
	e.timer.Reset(r.IdleTimeout)
}

// leave forgets a version that was removed, once nothing of it runs.
func (r *Runtime) leave(p *pool) {
	if p.leaving && p.busy == 0 {
		delete(r.pools, key(p.function.Name, p.function.Version))
	}
}

// retire ends an environment that was idle for too long. Another invocation may
// have come while the timer fired.
func (r *Runtime) retire(e *environment) {
	r.mu.Lock()
	i := slices.Index(e.pool.idle, e)
	left := r.IdleTimeout - r.Now().Sub(e.used)
	if i < 0 || left > 0 {
		if i >= 0 {
			e.timer.Reset(left)
		}
		r.mu.Unlock()
		return
	}
	e.pool.idle = slices.Delete(e.pool.idle, i, i+1)
	delete(e.pool.all, e)
	r.mu.Unlock()
	e.stop()
}
