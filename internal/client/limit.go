package client

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	// itemTime bounds a try of a call about one item, connection and answer
	// included. DynamoDB answers within some 10 ms.
	itemTime = time.Second
	// transactionTime leaves a function of 10 s a try after 5 s, by which
	// DynamoDB completes a transaction that got stuck. Source: DynamoDB API
	// reference, TransactionInProgressException.
	transactionTime = 2 * time.Second
	// manyTime is for calls about many items, of up to 16 MB.
	manyTime = 3 * time.Second
	// unhurriedTime is for callers who have all the time, such as commands.
	unhurriedTime = 10 * time.Second
)

// limit returns how long a try may take. It leaves half of the time of the
// invocation: for another try, or for looking what became of a write.
func limit(ctx context.Context, operation string) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return unhurriedTime
	}
	most := manyTime
	switch operation {
	case "GetItem", "PutItem", "UpdateItem", "DeleteItem":
		most = itemTime
	case "TransactWriteItems":
		most = transactionTime
	}
	return min(most, time.Until(deadline)/2)
}

// operationOf returns the operation that a request is for, such as GetItem.
func operationOf(r *http.Request) string {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return operation
}

// timeoutError is a try that took too long.
type timeoutError struct {
	operation string
	after     time.Duration
}

func (e *timeoutError) Error() string {
	return fmt.Sprintf("there was no answer to %s within %v", e.operation, e.after)
}

// Timeout reports true, as the method of net.Error.
func (e *timeoutError) Timeout() bool { return true }
