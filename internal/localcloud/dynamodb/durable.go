package dynamodb

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"items-api/internal/localcloud/process"
)

// transactions are the operations that DynamoDB Local answers when it has
// queued their COMMIT, not when it has carried it out: a kill within the next
// milliseconds loses them. It carries out everything that concerns one file in
// the order in which it came, so that any call that begins after such an answer
// is answered after the COMMIT.
var transactions = []string{"TransactWriteItems", "ExecuteTransaction"}

// barrier lets calls that end at the same time share one further call to the
// database. The zero value is ready for use.
type barrier struct {
	turn sync.Mutex // held while the database is asked

	mu   sync.Mutex
	next *round // has not begun to ask
}

// round is one further call, for all that wait for it.
type round struct {
	done chan struct{}
	err  error
}

// wait returns when a call to ask that began after wait has ended.
func (b *barrier) wait(ask func() error) error {
	b.mu.Lock()
	if r := b.next; r != nil {
		b.mu.Unlock()
		<-r.done
		return r.err
	}
	r := &round{done: make(chan struct{})}
	b.next = r
	b.mu.Unlock()

	b.turn.Lock()
	defer b.turn.Unlock()
	b.mu.Lock()
	b.next = nil // who comes from here on needs another round
	b.mu.Unlock()
	defer close(r.done)
	r.err = ask()
	return r.err
}

// settle makes sure that a transaction which the process answered is in the
// database's file. An error means that it may be lost; a client that tries it
// again with its token does not apply it twice.
func (d *Database) settle(ctx context.Context, answeredBy *process.Process) error {
	err := d.barrier.wait(func() error {
		_, err := d.direct().ListTables(
			context.WithoutCancel(ctx),
			&dynamodb.ListTablesInput{Limit: aws.Int32(1)},
		)
		return err
	})
	if err == nil && d.running() != answeredBy {
		err = fmt.Errorf("the database was started again in the meantime")
	}
	return err
}

// running returns the database's process.
func (d *Database) running() *process.Process {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.process
}

// unsettled reports whether an answer must not be given before settle.
func unsettled(operation string, status int) bool {
	return status == http.StatusOK && slices.Contains(transactions, operation)
}
