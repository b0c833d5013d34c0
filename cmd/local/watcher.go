package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"items-api/internal/localcloud"
	"items-api/internal/localcloud/dynamodb"
	"items-api/internal/localcloud/runtime"
)

// watcher prints one line for each request and each line of the logs.
type watcher struct {
	out io.Writer
	on  atomic.Bool
	mu  sync.Mutex
}

func newWatcher(out io.Writer) *watcher { return &watcher{out: out} }

// stream begins to print.
func (w *watcher) stream() { w.on.Store(true) }

func (w *watcher) line(format string, args ...any) {
	if !w.on.Load() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(w.out, format+"\n", args...)
}

func (w *watcher) request(o localcloud.Request) {
	start := "-"
	if o.Invoked {
		start = map[bool]string{true: "cold", false: "warm"}[o.Cold]
	}
	text := fmt.Sprintf(
		"%s %s %d %s %s",
		o.Method,
		o.Path,
		o.Status,
		o.Duration.Round(100*time.Microsecond),
		start,
	)
	// The last to run is the handler's; an authorizer comes before it.
	if n := len(o.Functions); n > 0 {
		text += " version " + o.Functions[n-1].Version
	}
	if n := len(o.Calls); n > 0 {
		read, write := o.Units()
		text += fmt.Sprintf(" database: %d, %v read and %v write units", n, read, write)
	}
	if o.Error != "" {
		text += " " + o.Error
	}
	w.line("%s", text)
}

func (w *watcher) log(l runtime.LogLine) {
	// The platform's own lines are in the log files.
	if !l.Platform || strings.Contains(l.Text, "Error") {
		w.line("  %s", l.Text)
	}
}

func (w *watcher) call(c dynamodb.Call) {
	if c.Function == "" && c.Allowed {
		return // the administrator's
	}
	decision := "allowed"
	if !c.Allowed {
		decision = "denied"
	}
	text := fmt.Sprintf("  %s %s %s", decision, c.Operation, strings.Join(c.Resources, " "))
	if !c.Allowed {
		text += " for " + c.PrincipalARN
	}
	if c.ErrorCode != "" {
		text += ": " + c.ErrorCode
	}
	if len(c.Unmet) > 0 {
		text += ": " + strings.Join(c.Unmet, "; ")
	}
	if c.Unreachable != "" {
		text += ": " + c.Unreachable
	}
	if len(c.Faults) > 0 {
		text += " (injected: " + strings.Join(c.Faults, ", ") + ")"
	}
	w.line("%s", text)
}
