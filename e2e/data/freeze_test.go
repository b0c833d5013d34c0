package data

import (
	"fmt"
	"testing"

	"items-api/internal/api"
)

// Between invocations functions are frozen and lose their connections, of which
// no caller learns anything: also not of a create, which is not sent again once
// the database may have it.
func createsSurviveFreezes(t *testing.T, s *site) {
	const rounds, callers = 100, 4
	before := s.lost.Load()
	c := s.caller(t, t.Name())
	for range rounds {
		c.send("POST", "/items", api.ItemInput{Name: "x"}).want(t, 201)
	}
	if lost := s.lost.Load() - before; lost < rounds/4 {
		t.Errorf("between %d creates %d connections were lost", rounds, lost)
	}
	for i := range callers {
		t.Run(fmt.Sprint("caller ", i), func(t *testing.T) {
			t.Parallel()
			c := s.caller(t, t.Name())
			for range rounds / callers {
				c.send("POST", "/items", api.ItemInput{Name: "x"}).want(t, 201)
			}
		})
	}
}
