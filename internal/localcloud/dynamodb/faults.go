package dynamodb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fault is something that goes wrong on purpose with calls of functions.
type Fault struct {
	Kind string `json:"kind"`
	// Rate is the part of the calls that it hits, above 0 and up to 1; 1 if it
	// is left out.
	Rate float64 `json:"rate,omitempty"`
	// Operations are those that it hits; all that it can if empty.
	Operations []string `json:"operations,omitempty"`
	// Times is how many calls it hits at most; without limit if 0. A fault of
	// one HTTP request counts that request's calls.
	Times int `json:"times,omitempty"`
	// DelayMS is how long a call is held up by the kind Latency.
	DelayMS int `json:"delayMs,omitempty"`
}

// Kinds of faults. The first three are errors of DynamoDB and nothing is
// applied; the last two drop the connection, before the call is applied or
// after.
const (
	Throughput       = "ProvisionedThroughputExceededException"
	Throttling       = "ThrottlingException"
	ServerError      = "InternalServerError"
	UnprocessedKeys  = "UnprocessedKeys"
	UnprocessedItems = "UnprocessedItems"
	Latency          = "Latency"
	DropBefore       = "DropBefore"
	DropAfter        = "DropAfter"
)

// Kinds returns all kinds of faults.
func Kinds() []string {
	return []string{
		Throughput, Throttling, ServerError, UnprocessedKeys, UnprocessedItems, Latency, DropBefore,
		DropAfter,
	}
}

// maxDelay bounds Latency in milliseconds.
const maxDelay = 60_000

// ParseFaults reads a JSON list of faults, strictly.
func ParseFaults(data []byte) ([]Fault, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var out []Fault
	if err := d.Decode(&out); err != nil {
		return nil, fmt.Errorf(
			`faults are a JSON list such as [{"kind":"ThrottlingException","rate":0.1}]: %w`,
			err,
		)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is more after the list of faults")
	}
	for i := range out {
		if err := out[i].check(); err != nil {
			return nil, fmt.Errorf("fault %d: %w", i+1, err)
		}
	}
	return out, nil
}

func (f *Fault) check() error {
	if f.Rate == 0 {
		f.Rate = 1
	}
	switch {
	case !slices.Contains(Kinds(), f.Kind):
		return fmt.Errorf("the kind %q is none of %s", f.Kind, strings.Join(Kinds(), ", "))
	case !(f.Rate > 0 && f.Rate <= 1):
		return fmt.Errorf("the rate %v is not above 0 and up to 1", f.Rate)
	case f.Times < 0:
		return fmt.Errorf("times must not be negative")
	case f.DelayMS < 0 || f.DelayMS > maxDelay || (f.Kind == Latency) != (f.DelayMS > 0):
		return fmt.Errorf("delayMs is from 1 to %d, and for the kind %s only", maxDelay, Latency)
	}
	for _, o := range f.Operations {
		if !slices.Contains(reads, o) && !slices.Contains(writes, o) {
			return fmt.Errorf(
				"the operation %q is none of %s",
				o,
				strings.Join(slices.Concat(reads, writes), ", "),
			)
		}
	}
	return nil
}

// hits reports whether the fault can hit an operation.
func (f Fault) hits(operation string) bool {
	switch f.Kind {
	case UnprocessedKeys:
		return operation == "BatchGetItem"
	case UnprocessedItems:
		return operation == "BatchWriteItem"
	}
	return (len(f.Operations) == 0 || slices.Contains(f.Operations, operation)) &&
		(slices.Contains(reads, operation) || slices.Contains(writes, operation))
}

// faults are those of the configuration, which is a file that may change, and
// of single HTTP requests.
type faults struct {
	file string

	mu       sync.Mutex
	stamp    time.Time
	size     int64
	standing []Fault
	problem  error
	counts   map[string]int // by where a fault stands
	order    []string       // of counts of requests, oldest first
}

// maxCounted bounds how many counts of requests are kept.
const maxCounted = 10_000

// choose returns the faults that hit a call. A configuration that cannot be
// read is an error, so that a mistake in it does not pass for health.
func (f *faults) choose(operation, requestID, own string) ([]Fault, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.load()
	if f.problem != nil {
		return nil, f.problem
	}
	var out []Fault
	take := func(where string, all []Fault) {
		for i, x := range all {
			key := fmt.Sprint(where, "/", i)
			if !x.hits(operation) || x.Times > 0 && f.counts[key] >= x.Times || rand.Float64() >= x.Rate {
				continue
			}
			if x.Times > 0 {
				f.count(key, where != "")
			}
			out = append(out, x)
		}
	}
	take("", f.standing)
	if own != "" {
		all, err := ParseFaults([]byte(own))
		if err != nil {
			return nil, err
		}
		take(requestID, all)
	}
	return out, nil
}

func (f *faults) count(key string, ofRequest bool) {
	if f.counts == nil {
		f.counts = map[string]int{}
	}
	if f.counts[key]++; f.counts[key] == 1 && ofRequest {
		if f.order = append(f.order, key); len(f.order) > maxCounted {
			delete(f.counts, f.order[0])
			f.order = f.order[1:]
		}
	}
}

// load reads the file again when it has changed.
func (f *faults) load() {
	if f.file == "" {
		return
	}
	info, err := os.Stat(f.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.standing, f.problem, f.stamp, f.size = nil, nil, time.Time{}, 0
		return
	case err != nil:
		f.problem, f.stamp = err, time.Time{}
		return
	case info.ModTime().Equal(f.stamp) && info.Size() == f.size:
		return
	}
	data, err := os.ReadFile(f.file)
	if err == nil {
		f.standing, err = ParseFaults(data)
	}
	if f.problem = err; err != nil {
		f.problem = fmt.Errorf("reading %s: %w", f.file, err)
	}
	f.stamp, f.size = info.ModTime(), info.Size()
	maps.DeleteFunc(f.counts, func(key string, _ int) bool { return strings.HasPrefix(key, "/") })
}

// errors of DynamoDB that are injected. Source of the texts: DynamoDB developer
// guide, "Error handling".
var injected = map[string]*fault{
	Throughput: {
		http.StatusBadRequest,
		"com.amazonaws.dynamodb.v20120810#" + Throughput,
		"The level of configured provisioned throughput for the table was exceeded. Consider increasing " +
			"your provisioning level with the UpdateTable API.",
	},
	Throttling: {
		http.StatusBadRequest,
		"com.amazon.coral.availability#" + Throttling,
		"Rate of requests exceeds the allowed throughput.",
	},
	ServerError: internalError(),
}

// withhold takes a part of a batch out of its request. The caller puts it
// into the response as unprocessed. A batch of one is not divided.
func withhold(operation string, body []byte) (rest []byte, held map[string]json.RawMessage) {
	var raw map[string]json.RawMessage
	var tables map[string]json.RawMessage
	if json.Unmarshal(body, &raw) != nil || json.Unmarshal(raw["RequestItems"], &tables) != nil {
		return body, nil
	}
	held = map[string]json.RawMessage{}
	left := 0
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		part := map[string]json.RawMessage{}
		list := tables[name]
		if operation == "BatchGetItem" {
			if json.Unmarshal(tables[name], &part) != nil {
				return body, nil
			}
			list = part["Keys"]
		}
		var entries, kept, out []json.RawMessage
		if json.Unmarshal(list, &entries) != nil {
			return body, nil
		}
		for _, e := range entries {
			if rand.IntN(2) == 0 {
				out = append(out, e)
			} else {
				kept = append(kept, e)
			}
		}
		switch {
		case len(out) == 0 && len(kept) > 1:
			out, kept = kept[:1], kept[1:]
		case len(kept) == 0 && len(out) > 0:
			out, kept = out[1:], out[:1] // something is always processed
		}
		left += len(kept)
		wrap := func(l []json.RawMessage) json.RawMessage {
			var v any = l
			if operation == "BatchGetItem" {
				m := maps.Clone(part)
				m["Keys"] = must(l)
				v = m
			}
			return must(v)
		}
		if len(out) > 0 {
			held[name] = wrap(out)
		}
		tables[name] = wrap(kept)
	}
	if left == 0 || len(held) == 0 {
		return body, nil
	}
	raw["RequestItems"] = must(tables)
	return must(raw), held
}

// release puts what was withheld into the response, beside what the database
// itself did not process.
func release(operation string, body []byte, held map[string]json.RawMessage) []byte {
	member := map[string]string{
		"BatchGetItem":   UnprocessedKeys,
		"BatchWriteItem": UnprocessedItems,
	}[operation]
	var raw map[string]json.RawMessage
	if json.Unmarshal(body, &raw) != nil {
		return body
	}
	open := map[string]json.RawMessage{}
	if raw[member] != nil && json.Unmarshal(raw[member], &open) != nil {
		return body
	}
	for name, part := range held {
		before, ok := open[name]
		if !ok {
			open[name] = part
			continue
		}
		open[name] = join(operation, before, part)
	}
	raw[member] = must(open)
	return must(raw)
}

func join(operation string, a, b json.RawMessage) json.RawMessage {
	if operation == "BatchWriteItem" {
		var x, y []json.RawMessage
		if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
			return a
		}
		return must(append(x, y...))
	}
	var x, y map[string]json.RawMessage
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return a
	}
	x["Keys"] = join("BatchWriteItem", x["Keys"], y["Keys"])
	return must(x)
}

// must encodes what was decoded from JSON.
func must(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
