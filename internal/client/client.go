// Package client builds the functions' DynamoDB client from their environment,
// and knows of a request that failed whether DynamoDB can have applied it. It
// must not import anything of Pulumi.
package client

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// FromEnvironment builds the client by hand: the SDK's loader takes a third of
// the time that a function needs to start. The variables named in also must be
// set too.
func FromEnvironment(env func(string) string, also ...string) (*dynamodb.Client, error) {
	for _, name := range append(also, "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") {
		if env(name) == "" {
			return nil, fmt.Errorf("the environment variable %s is not set", name)
		}
	}
	options := dynamodb.Options{
		Region: env("AWS_REGION"),
		Credentials: credentials.NewStaticCredentialsProvider(
			env("AWS_ACCESS_KEY_ID"),
			env("AWS_SECRET_ACCESS_KEY"),
			env("AWS_SESSION_TOKEN"),
		),
		HTTPClient: newTransport(wallClock),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = 4
			// A function has seconds, and not the 20 that the SDK may wait.
			o.Backoff = retry.NewExponentialJitterBackoff(maxBackoff)
			o.Retryables = slices.Concat(
				[]retry.IsErrorRetryable{retry.NoRetryCanceledError{}, retryNotSent},
				retry.DefaultRetryables,
			)
		}),
	}
	if endpoint := env("AWS_ENDPOINT_URL_DYNAMODB"); endpoint != "" {
		options.BaseEndpoint = aws.String(endpoint)
	}
	return dynamodb.New(options), nil
}

// maxBackoff bounds the pause between two tries.
const maxBackoff = 500 * time.Millisecond

// retryNotSent retries what was not sent, also if the SDK would not: a name that
// is not found may be found in a moment.
var retryNotSent = retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
	var notSent *NotSentError
	if errors.As(err, &notSent) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
})
