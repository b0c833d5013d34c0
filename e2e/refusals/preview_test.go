package refusals

import (
	"context"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// preview previews a program and returns what is refused, as the name of the
// resource and the reason.
func preview(
	t *testing.T, run func(context.Context, ...optpreview.Option) (auto.PreviewResult, error),
) ([]string, error) {
	t.Helper()
	var refusals []string
	stream := make(chan events.EngineEvent)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range stream {
			if p := e.PolicyEvent; p != nil {
				refusals = append(
					refusals,
					resource.URN(p.ResourceURN).Name()+": "+strings.TrimSpace(p.Message),
				)
			}
		}
	}()
	_, err := run(t.Context(), optpreview.EventStreams(stream), optpreview.SuppressProgress())
	<-done
	return refusals, err
}
