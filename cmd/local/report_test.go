package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

func TestReportNamesEveryRefusalOnce(t *testing.T) {
	t.Parallel()
	r := newReport(io.Discard)
	stream := r.events(false)
	refusal := func(name, message string) {
		stream <- events.EngineEvent{EngineEvent: apitype.EngineEvent{PolicyEvent: &apitype.PolicyEvent{
			ResourceURN: "urn:pulumi:local::items-api::aws:iam/role:Role::" + name,
			Message:     message + "\n",
		}}}
	}
	refusal("a", "name is invalid")
	refusal("b", "path is invalid")
	refusal("b", "path is invalid")
	stream <- events.EngineEvent{EngineEvent: apitype.EngineEvent{
		DiagnosticEvent: &apitype.DiagnosticEvent{Severity: "error", Message: "preview failed\n"},
	}}
	close(stream)
	want := "aws:iam/role:Role a: name is invalid\naws:iam/role:Role b: path is invalid"
	if err := r.finish(errors.New("exit status 1")); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// An engine that is interrupted before it connects leaves the channel open. In
// the bubble a wait for ever is a failure of the test.
func TestReportEndsWithTheEngineWhoeverClosesTheChannel(t *testing.T) {
	t.Parallel()
	for name, closed := range map[string]bool{"closed": true, "left open": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReport(io.Discard)
				stream := r.events(false)
				for range 100 {
					stream <- events.EngineEvent{EngineEvent: apitype.EngineEvent{}}
				}
				stream <- events.EngineEvent{EngineEvent: apitype.EngineEvent{
					DiagnosticEvent: &apitype.DiagnosticEvent{Severity: "error", Message: "the last"},
				}}
				if closed {
					close(stream)
				}
				if err := r.finish(
					errors.New("exit status 1"),
				); err == nil ||
					!strings.Contains(err.Error(), "the last") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}
