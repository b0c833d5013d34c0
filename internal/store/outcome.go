package store

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"items-api/internal/api"
)

// A write whose answer never came, or is an error of the server, may have been
// applied. Sending it again could apply it twice, over what others wrote in
// between. So the SDK repeats writes only when DynamoDB says that it did
// nothing, or cannot have got the request; whether another write was applied is
// found out by one read, and if that does not tell, the caller is told so.

// attempts is how often a write is tried, or a read of what became of it.
const attempts = 4

// cautious retries what was not applied for certain.
var cautious aws.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
	o.MaxAttempts = attempts
	o.Backoff = retry.BackoffDelayerFunc(backoff)
	o.Retryables = []retry.IsErrorRetryable{
		retry.NoRetryCanceledError{},
		retryNotSent,
		retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes},
	}
})

// eager retries whatever may pass: for reads, and for writes that DynamoDB
// itself applies once only.
var eager aws.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
	o.MaxAttempts = attempts
	o.Backoff = retry.BackoffDelayerFunc(backoff)
	o.Retryables = slices.Concat(
		[]retry.IsErrorRetryable{retry.NoRetryCanceledError{}, retryNotSent},
		retry.DefaultRetryables,
	)
})

// retryNotSent retries what DynamoDB cannot have got.
var retryNotSent = retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
	if notSent(err) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
})

func backoff(attempt int, _ error) (time.Duration, error) {
	return jitter(min(firstPause<<min(attempt, 10), lastPause))
}

func once(o *dynamodb.Options) { o.Retryer = cautious }

func again(o *dynamodb.Options) { o.Retryer = eager }

// alone leaves retries to the caller, who goes on as long as there is time; the
// SDK's quota of retries stays for others.
func alone(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// notSent reports whether the client says that DynamoDB cannot have got the
// request.
func notSent(err error) bool {
	var said interface{ NotSent() bool }
	return errors.As(err, &said) && said.NotSent()
}

// unclear reports whether a call that failed may have been applied.
func unclear(err error) bool {
	if notSent(err) {
		return false
	}
	var said smithy.APIError
	if !errors.As(err, &said) {
		return true // no answer came
	}
	var status interface{ HTTPStatusCode() int }
	return said.ErrorFault() == smithy.FaultServer ||
		errors.As(err, &status) && status.HTTPStatusCode() >= http.StatusInternalServerError
}

// unknown is the answer when nobody can tell whether a write was applied.
func unknown(detail string, cause error) error {
	return &api.Error{
		Code:   api.OutcomeUnknown,
		Detail: detail,
		Cause:  cause,
	}
}

const (
	lookFirst     = "It was perhaps done. Read the item before trying again."
	createUnknown = "The item was perhaps created. List the items before trying again; with an " +
		"Idempotency-Key a retry is safe."
)

// peek reads an item as it is, nil if there is none.
func (s *Store) peek(ctx context.Context, owner, id string) (attributes, error) {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &s.table,
		Key:            itemKey(owner, id),
		ConsistentRead: aws.Bool(true),
	}, again)
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}

// timedOut reports whether a call was given up. DynamoDB may still be at it.
func timedOut(err error) bool {
	var said interface{ Timeout() bool }
	return errors.As(err, &said) && said.Timeout()
}

const (
	// firstLook and lastLook are the pauses between looks at what became of a
	// call that was given up.
	firstLook = 200 * time.Millisecond
	lastLook  = 800 * time.Millisecond
)

// look reads an item to see what became of a write that failed with a cause. A
// call that was given up may be applied a little later, so that it is looked
// for several times while there is time, unless shows says that the item tells.
func (s *Store) look(
	ctx context.Context,
	owner, id string,
	cause error,
	shows func(current attributes) bool,
) (attributes, error) {
	for pause := firstLook; ; pause *= 2 {
		current, err := s.peek(ctx, owner, id)
		if err != nil || shows(current) || !timedOut(cause) || pause > lastLook || wait(ctx, pause) != nil {
			return current, err
		}
	}
}

// throttled reports whether DynamoDB refused a call for the time being.
func throttled(err error) bool {
	var said smithy.APIError
	if !errors.As(err, &said) {
		return false
	}
	_, ok := retry.DefaultThrottleErrorCodes[said.ErrorCode()]
	return ok
}

// deferred reports whether a call that failed was not applied for certain, and
// may be if it is made again.
func deferred(err error) bool { return throttled(err) || notSent(err) }

// failed turns an error of the SDK into one for the caller. What is worth
// another try is "unavailable"; the rest is "internal".
func failed(doing string, err error) error {
	var own *api.Error
	if errors.As(err, &own) {
		return err
	}
	cause := wrap(doing, err)
	var conflict *types.TransactionConflictException
	if deferred(err) || errors.As(err, &conflict) || unclear(err) {
		return &api.Error{
			Code:   api.Unavailable,
			Detail: "Try again.",
			Cause:  cause,
		}
	}
	return &api.Error{Code: api.Internal, Cause: cause}
}

// Precondition is what a caller asks of the item that it changes; the zero
// value asks nothing.
type Precondition struct {
	// Match holds the versions of which the item must have one, None those of
	// which it must have none; nil asks nothing.
	Match, None *Versions
}

// Versions are versions of an item.
type Versions struct {
	Any bool
	Of  []int64
}

// Holds reports whether a version is among them.
func (v Versions) Holds(version int64) bool { return v.Any || slices.Contains(v.Of, version) }

// MaxVersions is how many versions a precondition may name.
const MaxVersions = 100

// met reports whether an item with this version fulfils the precondition.
func (p Precondition) met(version int64) bool {
	return (p.Match == nil || p.Match.Holds(version)) && (p.None == nil || !p.None.Holds(version))
}

// metAfter reports whether a version above this one can fulfil the
// precondition. Versions only grow.
func (p Precondition) metAfter(version int64) bool {
	switch {
	case p.None != nil && p.None.Any:
		return false
	case p.Match == nil || p.Match.Any:
		return true // some version is not among those that None names
	}
	return slices.ContainsFunc(p.Match.Of, func(v int64) bool { return v > version && p.met(v) })
}
