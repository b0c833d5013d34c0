// Command handler is the Lambda function behind the API. It reads its
// environment, builds the client and starts; everything else is in the other
// files. It must not import anything of Pulumi.
package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/uuid"

	"items-api/internal/api"
	"items-api/internal/store"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	h, err := fromEnvironment(os.Getenv, log)
	if err != nil {
		log.Error("the function cannot start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(h.Handle)
}

// fromEnvironment builds the handler. The configuration is built by hand: the
// SDK's loader takes a third of the time that the function needs to start.
func fromEnvironment(env func(string) string, log *slog.Logger) (*Handler, error) {
	for _, name := range []string{api.EnvTableName, "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if env(name) == "" {
			return nil, fmt.Errorf("the environment variable %s is not set", name)
		}
	}
	options := dynamodb.Options{
		Region:           env("AWS_REGION"),
		Credentials:      credentials.NewStaticCredentialsProvider(env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY"), env("AWS_SESSION_TOKEN")),
		HTTPClient:       &http.Client{Transport: keepBody{transport()}},
		RetryMaxAttempts: 4,
	}
	if endpoint := env("AWS_ENDPOINT_URL_DYNAMODB"); endpoint != "" {
		options.BaseEndpoint = aws.String(endpoint)
	}
	newID := func() string { return uuid.Must(uuid.NewV7()).String() }
	return NewHandler(store.New(dynamodb.New(options), env(api.EnvTableName), time.Now, newID), log)
}

func transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	t.MaxIdleConnsPerHost = 8
	t.ResponseHeaderTimeout = 10 * time.Second
	return t
}

// keepBody hides the Close method of request bodies from the transport:
// smithy-go closes the body when Do returns, and net/http then drops the
// connection if the server answered before it had read the end.
type keepBody struct{ next http.RoundTripper }

func (k keepBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return k.next.RoundTrip(r)
}
