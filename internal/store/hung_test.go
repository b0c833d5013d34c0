package store_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"items-api/internal/api"
	"items-api/internal/client"
	"items-api/internal/store"
)

// hung is a DynamoDB that does not answer the first of some calls.
type hung struct {
	t       *testing.T
	hangs   func(operation string, n int) bool
	answers map[string][]string // to the calls of an operation, the last for all others

	mu    sync.Mutex
	calls []string
	count map[string]int
}

func (h *hung) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	h.mu.Lock()
	h.calls = append(h.calls, operation)
	h.count[operation]++
	n := h.count[operation]
	all := h.answers[operation]
	h.mu.Unlock()
	if h.hangs(operation, n) {
		<-r.Context().Done()
		return
	}
	answer := operations[operation].answer
	if len(all) > 0 {
		answer = all[min(n, len(all))-1]
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_, _ = io.WriteString(w, answer)
}

// run makes a call in an invocation that has some time left, and returns the
// calls of DynamoDB.
func (h *hung) run(left time.Duration, do func(context.Context, *store.Store) error) ([]string, error) {
	h.t.Helper()
	h.count = map[string]int{}
	server := httptest.NewServer(h)
	defer server.Close()
	db, err := client.FromEnvironment(func(name string) string {
		return map[string]string{
			"AWS_REGION":                "eu-central-1",
			"AWS_ACCESS_KEY_ID":         "AKIDEXAMPLE",
			"AWS_SECRET_ACCESS_KEY":     "secret",
			"AWS_ENDPOINT_URL_DYNAMODB": server.URL,
		}[name]
	})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), left)
	defer cancel()
	err = do(ctx, store.New(db, "items", time.Now, uuid.NewString))
	if ctx.Err() != nil {
		h.t.Errorf("nothing was left of %v", left)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.calls, err
}

const absent = `{"Responses":{"items":[]}}`

// invocation is what a function of 10 s has for its calls.
const invocation = 9700 * time.Millisecond

// A call that is not answered is made again, or what became of it is looked up.
func TestOneHungCallDoesNotTakeTheInvocation(t *testing.T) {
	t.Parallel()
	unapplied := `{}`
	for operation, c := range map[string]struct {
		answers map[string][]string
		calls   string
		want    api.Code
	}{
		"GetItem":            {calls: "GetItem GetItem"},
		"Query":              {calls: "Query Query"},
		"BatchGetItem":       {calls: "BatchGetItem BatchGetItem"},
		"TransactWriteItems": {calls: "TransactWriteItems TransactWriteItems"},
		"PutItem":            {calls: "PutItem GetItem"},
		"DeleteItem":         {calls: "DeleteItem GetItem DeleteItem"},
		"UpdateItem": {
			answers: map[string][]string{"GetItem": {unapplied}},
			calls:   "UpdateItem GetItem",
			want:    api.OutcomeUnknown,
		},
		"BatchWriteItem": {
			answers: map[string][]string{"BatchGetItem": {absent}},
			calls:   "BatchWriteItem BatchGetItem BatchGetItem BatchGetItem BatchGetItem BatchWriteItem",
			want:    api.OutcomeUnknown,
		},
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			h := &hung{t: t, answers: c.answers}
			h.hangs = func(op string, n int) bool { return op == operation && n == 1 }
			calls, err := h.run(invocation, operations[operation].do)
			var e *api.Error
			if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &e) || e.Code != c.want) {
				t.Errorf("got %v", err)
			}
			if got := strings.Join(calls, " "); got != c.calls {
				t.Errorf("the calls were %s, want %s", got, c.calls)
			}
		})
	}
}

// What was given up may be applied a little later, when it is looked for again.
func TestWriteThatWasGivenUpIsLookedForAgain(t *testing.T) {
	t.Parallel()
	h := &hung{t: t, answers: map[string][]string{"GetItem": {`{}`, `{}`, operations["GetItem"].answer}}}
	h.hangs = func(op string, _ int) bool { return op == "PutItem" }
	calls, err := h.run(invocation, operations["PutItem"].do)
	if got := strings.Join(calls, " "); err != nil || got != "PutItem GetItem GetItem GetItem" {
		t.Errorf("the calls were %s, %v", got, err)
	}
}

// Nothing answers: each operation ends before the invocation does, and says
// whether it was perhaps done.
func TestDatabaseThatHangsLeavesTimeForTheAnswer(t *testing.T) {
	t.Parallel()
	for operation, want := range map[string]api.Code{
		"GetItem":            api.Unavailable,
		"Query":              api.Unavailable,
		"BatchGetItem":       api.Unavailable,
		"TransactWriteItems": api.Unavailable,
		"PutItem":            api.OutcomeUnknown,
		"UpdateItem":         api.OutcomeUnknown,
		"DeleteItem":         api.OutcomeUnknown,
		"BatchWriteItem":     api.OutcomeUnknown,
	} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			h := &hung{t: t, hangs: func(string, int) bool { return true }}
			// The four tries of a transaction take 6.25 s, and the pauses 0.35 s.
			calls, err := h.run(7*time.Second, operations[operation].do)
			var e *api.Error
			if !errors.As(err, &e) || e.Code != want || len(calls) < 2 {
				t.Errorf("the calls were %v, %v", calls, err)
			}
		})
	}
}
