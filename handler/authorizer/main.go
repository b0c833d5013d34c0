// Command authorizer is the Lambda authorizer for API keys: it tells the
// gateway whom a key belongs to, and whether its scopes suffice for the route.
// It must not import anything of Pulumi.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"items-api/internal/api"
	"items-api/internal/apikey"
	"items-api/internal/client"
	"items-api/internal/logging"
)

func main() {
	log := logging.New(os.Stdout, os.Getenv)
	db, err := client.FromEnvironment(os.Getenv, api.EnvTableName)
	if err != nil {
		log.Error("the function cannot start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start((&authorizer{
		db:    db,
		table: os.Getenv(api.EnvTableName),
		log:   log,
	}).decide)
}

type (
	request  = events.APIGatewayV2CustomAuthorizerV2Request
	response = events.APIGatewayV2CustomAuthorizerSimpleResponse
)

type authorizer struct {
	db    apikey.Reader
	table string
	log   *slog.Logger
}

// answerTime is what is kept of the function's time for the answer.
const answerTime = 300 * time.Millisecond

// decide answers in the simple format. An error makes the gateway answer 500;
// it is returned only when the table cannot be read, so that a failure is not
// kept as a denial.
func (a *authorizer) decide(ctx context.Context, r request) (response, error) {
	log := a.log.With("requestId", r.RequestContext.RequestID, "routeKey", r.RouteKey)
	if deadline, ok := ctx.Deadline(); ok {
		// A table that does not answer is logged, and the function not cut off.
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-answerTime))
		defer cancel()
	}
	key, err := apikey.Check(ctx, a.db, a.table, r.Headers[api.APIKeyHeader])
	switch {
	case errors.Is(err, apikey.ErrInvalid):
		log.Info("denied", "reason", err.Error())
		return response{}, nil
	case err != nil:
		log.Error("the key could not be checked", "error", err.Error())
		return response{}, errors.New("the key could not be checked")
	}
	if reason := missing(r.RouteKey, key.Scopes); reason != "" {
		log.Info("denied", "keyId", key.ID, "reason", reason)
		return response{}, nil
	}
	log.Info("allowed", "keyId", key.ID)
	return response{
		IsAuthorized: true,
		Context:      map[string]any{api.ContextOwner: key.Owner, "keyId": key.ID},
	}, nil
}

// missing tells why scopes do not suffice for a route, or "".
func missing(routeKey string, scopes []api.Scope) string {
	for _, r := range api.Routes() {
		if r.Key() != routeKey {
			continue
		}
		if slices.Contains(scopes, r.Scope) {
			return ""
		}
		return fmt.Sprintf("the key lacks the scope %s", r.Scope)
	}
	return "the route is not declared"
}
