package access

import (
	"net/http"
	"sync"
	"testing"

	"items-api/e2e/rest"
)

// A burst that the gateway lets in finds room in the function: nobody gets the
// bare 503 with which the gateway answers for Lambda.
func TestSimultaneousCreatesOnTheDefaultsAllSucceed(t *testing.T) {
	t.Parallel()
	s := start(t, map[string]any{"reservedConcurrency": nil, "throttleRate": nil, "throttleBurst": nil})
	const clients = 20
	answers := make([]rest.Answer, clients)
	var done sync.WaitGroup
	for i := range clients {
		done.Go(func() {
			// The slow call keeps every request in the function at the same time.
			answers[i] = s.send(
				t,
				http.MethodPost,
				"/items",
				map[string]string{"x-local-faults": `[{"kind":"Latency","delayMs":300}]`},
				map[string]any{"name": "x"},
			)
		})
	}
	done.Wait()
	for _, a := range answers {
		if a.Status != http.StatusCreated {
			t.Errorf("a create got %d %s", a.Status, a.Body)
		}
	}
}
