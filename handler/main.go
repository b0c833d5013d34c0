// Command handler is the Lambda function behind the API. It reads its
// environment, builds the client and starts; everything else is in the other
// files. It must not import anything of Pulumi.
package main

import (
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/uuid"

	"items-api/internal/api"
	"items-api/internal/client"
	"items-api/internal/logging"
	"items-api/internal/store"
)

func main() {
	log := logging.New(os.Stdout, os.Getenv)
	h, err := fromEnvironment(os.Getenv, log)
	if err != nil {
		log.Error("the function cannot start", "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(h.Handle)
}

func fromEnvironment(env func(string) string, log *slog.Logger) (*Handler, error) {
	db, err := client.FromEnvironment(env, api.EnvTableName, api.EnvAuthMode)
	if err != nil {
		return nil, err
	}
	newID := func() string { return uuid.Must(uuid.NewV7()).String() }
	h, err := NewHandler(
		store.New(db, env(api.EnvTableName), time.Now, newID),
		api.AuthMode(env(api.EnvAuthMode)),
		log,
	)
	if err == nil {
		h.base = env(api.EnvBasePath)
	}
	return h, err
}
