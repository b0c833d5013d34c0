package client

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func environment(name string) string {
	return map[string]string{
		"AWS_REGION":            "eu-central-1",
		"AWS_ACCESS_KEY_ID":     "AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY": "secret",
		"TABLE":                 "items",
	}[name]
}

func TestVariablesThatAreNotSetAreNamed(t *testing.T) {
	t.Parallel()
	if _, err := FromEnvironment(environment, "TABLE"); err != nil {
		t.Error(err)
	}
	_, err := FromEnvironment(environment, "TABLE", "OTHER")
	if err == nil || !strings.Contains(err.Error(), "OTHER") {
		t.Errorf("got %v", err)
	}
}

// Who brings no retryer of his own gets one that sends again what was not sent.
func TestClientRetriesWhatWasNotSent(t *testing.T) {
	t.Parallel()
	db, err := FromEnvironment(environment)
	if err != nil {
		t.Fatal(err)
	}
	missing := &net.DNSError{Err: "no such host", IsNotFound: true}
	for want, errs := range map[bool][]error{
		true:  {&NotSentError{missing}, &timeoutError{}, &smithyhttp.RequestSendError{Err: io.ErrUnexpectedEOF}},
		false: {&smithy.CanceledError{Err: context.Canceled}, errors.New("something else")},
	} {
		for _, err := range errs {
			if got := db.Options().Retryer.IsErrorRetryable(err); got != want {
				t.Errorf("%v is retried: %v", err, got)
			}
		}
	}
}
