package localcloud

import (
	"encoding/json"
	"sync"
	"time"

	"items-api/internal/localcloud/dynamodb"
	"items-api/internal/localcloud/gateway"
)

// Request is one HTTP request that was answered, with the functions that ran
// for it and the calls that they made to the database.
type Request struct {
	gateway.Observation
	Functions []Execution
	Calls     []dynamodb.Call
}

// Execution names a function that ran, and the version that a weighted alias
// may have chosen.
type Execution struct {
	Function string `json:"function"`
	Version  string `json:"version"` // $LATEST or a number
}

// Units returns the capacity that the request consumed.
func (r Request) Units() (read, write float64) {
	for _, c := range r.Calls {
		read += c.ReadUnits
		write += c.WriteUnits
	}
	return read, write
}

// work is what the functions do for one HTTP request.
type work struct {
	requestID, faults string
	functions         []Execution
	calls             []dynamodb.Call
	ids               []string // of invocations
	ended             bool
}

// traffic brings requests and calls together.
type traffic struct {
	mu          sync.Mutex
	requests    map[string]*work // by the gateway's request id
	invocations map[string]*work // by the function's request id
}

// begin notes an invocation for an HTTP request.
func (t *traffic) begin(requestID, faults string) *work {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.requests == nil {
		t.requests, t.invocations = map[string]*work{}, map[string]*work{}
	}
	w := t.requests[requestID]
	if w == nil {
		w = &work{requestID: requestID, faults: faults}
		t.requests[requestID] = w
	}
	return w
}

// ran notes which version of a function ran for a request.
func (t *traffic) ran(w *work, function, version string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if version != "" && !w.ended {
		w.functions = append(w.functions, Execution{function, version})
	}
}

// works notes that an invocation is part of a request's work.
func (t *traffic) works(w *work, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.invocations[id] == nil && !w.ended {
		t.invocations[id] = w
		w.ids = append(w.ids, id)
	}
}

// call adds a call to the request that it is for. One that comes after the
// answer is for none.
func (t *traffic) call(c dynamodb.Call) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w := t.invocations[c.FunctionRequestID]; w != nil {
		w.calls = append(w.calls, c)
	}
}

// end returns what was done for a request that was answered, and forgets it.
func (t *traffic) end(requestID string) work {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.requests[requestID]
	if w == nil {
		return work{}
	}
	w.ended = true
	delete(t.requests, requestID)
	for _, id := range w.ids {
		delete(t.invocations, id)
	}
	return *w
}

// CallRecord is a call in the log of requests.
type CallRecord struct {
	Function     string   `json:"function"`
	Operation    string   `json:"operation"`
	Actions      []string `json:"actions"`
	Resources    []string `json:"resources"`
	Allowed      bool     `json:"allowed"`
	Status       int      `json:"status"` // 0 if the connection was dropped
	Error        string   `json:"error,omitempty"`
	Unmet        []string `json:"unmet,omitempty"` // conditions for want of which it was denied
	Unreachable  string   `json:"unreachable,omitempty"`
	ReadUnits    float64  `json:"readUnits"`
	WriteUnits   float64  `json:"writeUnits"`
	Faults       []string `json:"faults,omitempty"`
	Microseconds int64    `json:"microseconds"`
}

// RequestRecord is a line of the log of requests, requests.log.
type RequestRecord struct {
	RequestID string       `json:"requestId"`
	Time      time.Time    `json:"time"`
	RouteKey  string       `json:"routeKey"`
	Status    int          `json:"status"`
	Functions []Execution  `json:"functions"`
	Calls     []CallRecord `json:"calls"`
}

// observe is told of each HTTP request.
func (c *Cloud) observe(o gateway.Observation) {
	w := c.traffic.end(o.RequestID)
	r := Request{o, w.functions, w.calls}
	line := RequestRecord{
		RequestID: o.RequestID,
		Time:      o.Time,
		RouteKey:  o.RouteKey,
		Status:    o.Status,
		Functions: append([]Execution{}, w.functions...),
		Calls:     []CallRecord{},
	}
	for _, x := range r.Calls {
		line.Calls = append(
			line.Calls,
			CallRecord{
				x.Function,
				x.Operation,
				x.Actions,
				x.Resources,
				x.Allowed,
				x.Status,
				x.ErrorCode,
				x.Unmet,
				x.Unreachable,
				x.ReadUnits,
				x.WriteUnits,
				x.Faults,
				x.Duration.Microseconds(),
			},
		)
	}
	if data, err := json.Marshal(line); err == nil {
		c.logs.write(requestsLog, data)
	}
	if c.Request != nil {
		c.Request(r)
	}
}

// called is told of each call to the database.
func (c *Cloud) called(call dynamodb.Call) {
	c.traffic.call(call)
	switch {
	case call.Function == "":
	case call.Allowed:
		for _, a := range call.Actions {
			c.usage.note(call.Function, a, true)
		}
	case call.Denied != "":
		c.usage.note(call.Function, call.Denied, false)
	}
	if c.Call != nil {
		c.Call(call)
	}
}
