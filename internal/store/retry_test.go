package store_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/uuid"

	"items-api/internal/api"
	"items-api/internal/client"
	"items-api/internal/store"
)

// script answers the calls of a store's client one after the other, and
// remembers their operations.
type script struct {
	answers []func(*http.Request) (*http.Response, error)
	calls   []string
}

func (s *script) Do(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	s.calls = append(s.calls, operation)
	if len(s.answers) == 0 {
		return nil, errors.New("the script has no more answers")
	}
	next := s.answers[0]
	s.answers = s.answers[1:]
	return next(r)
}

func (s *script) store() *store.Store {
	db := dynamodb.New(dynamodb.Options{
		Region:      "eu-central-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		HTTPClient:  s,
	})
	return store.New(db, "items", time.Now, uuid.NewString)
}

func notSent(*http.Request) (*http.Response, error) {
	return nil, &client.NotSentError{Err: &net.DNSError{
		Name:       "dynamodb",
		Err:        "no such host",
		IsNotFound: true,
	}}
}

func lost(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

func says(body string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK,
			Header:     http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
			Body:       io.NopCloser(strings.NewReader(body)),
			Request:    r,
		}, nil
	}
}

const row = `{"id":{"S":"` + rowID + `"},"name":{"S":"x"},"version":{"N":"2"}}`

const rowID = "01890a5d-ac96-774b-bcce-b302099a8057"

// operations are all calls of a store that answers what is asked.
var operations = map[string]struct {
	answer string
	do     func(context.Context, *store.Store) error
}{
	"PutItem": {`{}`, func(ctx context.Context, s *store.Store) error {
		_, err := s.Create(ctx, "alice", api.ItemInput{Name: "x"}, "")
		return err
	}},
	"TransactWriteItems": {`{}`, func(ctx context.Context, s *store.Store) error {
		_, err := s.Create(ctx, "alice", api.ItemInput{Name: "x"}, "key")
		return err
	}},
	"UpdateItem": {`{"Attributes":` + row + `}`, func(ctx context.Context, s *store.Store) error {
		_, err := s.Replace(ctx, "alice", rowID, api.ItemInput{Name: "x"}, store.Precondition{})
		return err
	}},
	"DeleteItem": {`{}`, func(ctx context.Context, s *store.Store) error {
		return s.Delete(ctx, "alice", rowID, store.Precondition{})
	}},
	"GetItem": {`{"Item":` + row + `}`, func(ctx context.Context, s *store.Store) error {
		_, err := s.Get(ctx, "alice", rowID)
		return err
	}},
	"Query": {`{"Items":[` + row + `]}`, func(ctx context.Context, s *store.Store) error {
		_, err := s.List(ctx, "alice", 10, "")
		return err
	}},
	"BatchGetItem": {
		`{"Responses":{"items":[` + row + `]}}`,
		func(ctx context.Context, s *store.Store) error {
			out, err := s.BatchGet(ctx, "alice", []string{rowID})
			if err == nil && len(out.Items) != 1 {
				err = errors.New("the item is missing")
			}
			return err
		},
	},
	"BatchWriteItem": {`{}`, func(ctx context.Context, s *store.Store) error {
		out, err := s.BatchWrite(ctx, "alice", []api.BatchWriteEntry{
			{Create: &api.ItemInput{Name: "x"}},
			{Delete: &api.ItemRef{ID: rowID}},
		})
		if err == nil && out.Failed > 0 {
			err = &api.Error{Code: out.Results[0].Code}
		}
		return err
	}},
}

// What DynamoDB cannot have got is sent again, writes too.
func TestRequestsThatWereNotSentAreSentAgain(t *testing.T) {
	t.Parallel()
	for operation, c := range operations {
		s := &script{}
		s.answers = append(s.answers, notSent, notSent, notSent, says(c.answer))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		err := c.do(ctx, s.store())
		cancel()
		if want := slices.Repeat([]string{operation}, 4); err != nil || !slices.Equal(s.calls, want) {
			t.Errorf("%s: the calls were %v, %v", operation, s.calls, err)
		}
	}
}

// If that does not help, nothing was done: the caller may repeat it.
func TestRequestsThatCannotBeSentAreUnavailable(t *testing.T) {
	t.Parallel()
	for operation, c := range operations {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			s := &script{}
			s.answers = slices.Repeat(append(s.answers, notSent), 1000)
			err := c.do(ctx, s.store())
			var e *api.Error
			if !errors.As(err, &e) || e.Code != api.Unavailable || len(slices.Compact(s.calls)) != 1 {
				t.Errorf("the calls were %v, %v", s.calls, err)
			}
		})
	}
}

// A write that was sent, and whose answer was lost, is looked up first.
func TestWritesThatWereSentAreNotSentAgain(t *testing.T) {
	t.Parallel()
	for operation, look := range map[string]string{
		"PutItem":        "GetItem",
		"UpdateItem":     "GetItem",
		"DeleteItem":     "GetItem",
		"BatchWriteItem": "BatchGetItem",
	} {
		s := &script{}
		s.answers = append(s.answers, notSent, lost, says(`{}`), says(`{}`))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_ = operations[operation].do(ctx, s.store())
		cancel()
		if want := []string{
			operation,
			operation,
			look,
		}; len(s.calls) < 3 ||
			!slices.Equal(s.calls[:3], want) {
			t.Errorf("the calls were %v", s.calls)
		}
	}
}

var _ dynamodb.HTTPClient = (*script)(nil)
