// Command keys manages the API keys of a deployment on AWS; it uses the
// credentials that the AWS tools use.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/spf13/cobra"

	"items-api/internal/apikey"
	"items-api/internal/apikey/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var table, region string
	root := &cobra.Command{
		Use:           "keys",
		Short:         "Manage API keys of a deployment with auth.mode lambda",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(
		&table,
		"table",
		"",
		"name of the table: `pulumi stack output tableName`",
	)
	root.PersistentFlags().StringVar(
		&region,
		"region",
		"",
		"region of the table, if the AWS configuration does not say it",
	)
	root.AddCommand(cli.Commands(func(ctx context.Context) (apikey.Writer, string, error) {
		if table == "" {
			return nil, "", errors.New("which table? Give --table $(pulumi stack output tableName)")
		}
		var options []func(*config.LoadOptions) error
		if region != "" {
			options = append(options, config.WithRegion(region))
		}
		c, err := config.LoadDefaultConfig(ctx, options...)
		if err != nil {
			return nil, "", fmt.Errorf("reading the AWS configuration: %w", err)
		}
		return dynamodb.NewFromConfig(c), table, nil
	})...)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		stop()
		os.Exit(1)
	}
}
