package dynamodb

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// order notes in which order calls to the database begin and end.
type order struct {
	next http.RoundTripper
	fail string // the operation that the database does not answer

	mu     sync.Mutex
	events []string
}

func (o *order) note(event string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, event)
}

func (o *order) RoundTrip(r *http.Request) (*http.Response, error) {
	operation := r.Header.Get("X-Amz-Target")
	operation = operation[strings.Index(operation, ".")+1:]
	o.note("begin " + operation)
	if operation == o.fail {
		return nil, errors.New("the database is gone")
	}
	resp, err := o.next.RoundTrip(r)
	if err == nil {
		resp.Body = ending{resp.Body, func() { o.note("end " + operation) }}
	}
	return resp, err
}

// ending tells when a body is closed.
type ending struct {
	io.ReadCloser
	closed func()
}

func (e ending) Close() error {
	e.closed()
	return e.ReadCloser.Close()
}

// transact writes one item in a transaction.
func transact(t *testing.T, c *dynamodb.Client, table, key string) error {
	t.Helper()
	_, err := c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
		TransactItems: []types.TransactWriteItem{{Put: &types.Put{
			TableName: &table,
			Item:      attrs{"PK": s(key)},
		}}},
	})
	return err
}

func TestTransactionIsAcknowledgedAfterAFurtherCall(t *testing.T) {
	t.Parallel()
	d := own(t)
	makeTable(t, d, "ordered")
	o := &order{next: d.transport}
	d.transport = o
	c := administrator(d)
	if err := transact(t, c, "ordered", "a"); err != nil {
		t.Fatal(err)
	}
	_, err := c.ExecuteTransaction(t.Context(), &dynamodb.ExecuteTransactionInput{
		TransactStatements: []types.ParameterizedStatement{
			{Statement: aws.String(`INSERT INTO "ordered" VALUE {'PK':'b'}`)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("ordered"),
		Key:       attrs{"PK": s("a")},
	}); err != nil {
		t.Fatal(err)
	}
	want := "begin TransactWriteItems, begin ListTables, end ListTables, end TransactWriteItems, " +
		"begin ExecuteTransaction, begin ListTables, end ListTables, end ExecuteTransaction, " +
		"begin GetItem, end GetItem"
	o.mu.Lock()
	got := strings.Join(o.events, ", ")
	o.mu.Unlock()
	if got != want {
		t.Errorf("the database was called in the order %s, want %s", got, want)
	}

	o.fail = "ListTables"
	if err := transact(t, c, "ordered", "c"); code(err) != "InternalServerError" {
		t.Errorf("a transaction that may be lost got %v", err)
	}
}

// One who comes while the database is being asked cannot know that his own
// transaction is part of the answer.
func TestBarrierAsksAgainForWhoComesLate(t *testing.T) {
	t.Parallel()
	var b barrier
	asked, answer := make(chan int), make(chan struct{})
	count := 0
	ask := func() error {
		count++
		asked <- count
		<-answer
		return nil
	}
	done := make(chan error)
	go func() { done <- b.wait(ask) }()
	<-asked
	for range 5 {
		go func() { done <- b.wait(ask) }()
	}
	answer <- struct{}{}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	// Those five wait for one further call, or for several if some of them come
	// when it has begun; none of them returns without.
	began := 1
	for left := 5; left > 0; {
		select {
		case began = <-asked:
		case answer <- struct{}{}:
		case err := <-done:
			if began < 2 || err != nil {
				t.Fatalf("one returned after %d calls, %v", began, err)
			}
			left--
		}
	}
}
