package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// report turns the engine's events into one line per change and per warning,
// and collects its errors.
type report struct {
	out    io.Writer
	mu     sync.Mutex
	errors []string
	warned map[string]bool
	wait   sync.WaitGroup
	stream chan events.EngineEvent
	ended  chan struct{} // closed when nothing sends to stream any more
}

func newReport(out io.Writer) *report { return &report{out: out, warned: map[string]bool{}} }

// again returns a report of the same deployment's next part, which repeats no
// warning.
func (r *report) again() *report { return &report{out: r.out, warned: r.warned} }

// events returns a channel for the engine's events; changes are printed if
// they are wanted.
func (r *report) events(changes bool) chan<- events.EngineEvent {
	r.stream, r.ended = make(chan events.EngineEvent, 256), make(chan struct{})
	r.wait.Go(func() {
		for {
			select {
			case e, ok := <-r.stream:
				if !ok {
					return
				}
				r.event(e, changes)
			case <-r.ended:
				r.rest(changes)
				return
			}
		}
	})
	return r.stream
}

// rest handles the events that are in the channel still.
func (r *report) rest(changes bool) {
	for {
		select {
		case e, ok := <-r.stream:
			if !ok {
				return
			}
			r.event(e, changes)
		default:
			return
		}
	}
}

var signs = map[apitype.OpType]string{
	apitype.OpCreate: "+", apitype.OpUpdate: "~", apitype.OpDelete: "-", apitype.OpReplace: "±",
	apitype.OpCreateReplacement: "+", apitype.OpDeleteReplaced: "-",
}

func (r *report) event(e events.EngineEvent, changes bool) {
	switch {
	case e.ResourcePreEvent != nil && changes:
		m := e.ResourcePreEvent.Metadata
		if sign, ok := signs[m.Op]; ok {
			urn := resource.URN(m.URN)
			fmt.Fprintf(r.out, "%s %s %s\n", sign, urn.Type(), urn.Name())
		}
	case e.DiagnosticEvent != nil && e.DiagnosticEvent.Severity == "warning":
		r.mu.Lock()
		defer r.mu.Unlock()
		if text := strings.TrimSpace(
			strings.TrimPrefix(e.DiagnosticEvent.Message, "warning: "),
		); !r.warned[text] {
			r.warned[text] = true
			fmt.Fprintf(r.out, "warning: %s\n", text)
		}
	case e.DiagnosticEvent != nil && e.DiagnosticEvent.Severity == "error":
		r.failed(e.DiagnosticEvent.Message)
	case e.PolicyEvent != nil:
		// What the local cloud does not take: all of it comes in one preview.
		urn := resource.URN(e.PolicyEvent.ResourceURN)
		r.failed(fmt.Sprintf("%s %s: %s", urn.Type(), urn.Name(), e.PolicyEvent.Message))
	}
}

// failed notes an error, once.
func (r *report) failed(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if text = strings.TrimSpace(text); !slices.Contains(r.errors, text) {
		r.errors = append(r.errors, text)
	}
}

// finish handles the last events and says what went wrong in the engine's own
// words. It is called when the engine's command has ended, so that nothing sends
// events any more. The channel may be open then: an engine that was interrupted
// before it connected leaves nobody who closes it.
func (r *report) finish(err error) error {
	if r.ended != nil {
		close(r.ended)
	}
	r.wait.Wait()
	if err == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.errors) > 1 {
		// The engine says so after it has said why.
		r.errors = slices.DeleteFunc(r.errors, func(text string) bool { return text == "preview failed" })
	}
	if len(r.errors) > 0 {
		return errors.New(strings.Join(r.errors, "\n"))
	}
	return err
}
