// Command local deploys the stack to the local cloud and runs it. The real
// Pulumi engine deploys; no AWS account is involved.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	_ "items-api/internal/terminal" // does not ask it for its colours
)

// options are the flags that all commands share.
type options struct {
	dir, tools, region, stack string
	port, concurrency         int
	children                  children
}

const defaultStack = "local"

func main() {
	o := &options{}
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go o.interrupted(signals, cancel)
	err := command(o).ExecuteContext(ctx)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// interrupted lets the command end in order at the first signal, and ends the
// process at the second whatever it waits for. Functions and database end with
// the process, and with the next start where the system has no way to do that.
func (o *options) interrupted(signals <-chan os.Signal, cancel func()) {
	<-signals
	cancel()
	<-signals
	o.children.kill()
	fmt.Fprintln(os.Stderr, "error: ended at once; the next start brings everything together again")
	os.Exit(128 + int(syscall.SIGINT))
}

func command(o *options) *cobra.Command {
	root := &cobra.Command{
		Use:               "local",
		Short:             "Run the stack on the local cloud",
		SilenceUsage:      true,
		SilenceErrors:     true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return o.enter() },
	}
	f := root.PersistentFlags()
	f.StringVar(&o.dir, "dir", ".local", "directory of all state and data")
	f.StringVar(&o.tools, "tools", ".tools", "directory of the tools that `make tools` puts there")
	f.StringVar(&o.region, "region", "us-east-1", "region of the local cloud")
	f.StringVar(&o.stack, "stack", defaultStack, "stack, with its configuration in Pulumi.<stack>.yaml")
	f.IntVar(
		&o.port,
		"port",
		0,
		"port of the stack's API, with up and deploy, or of new APIs, with serve (default: where it is, "+
			"or the first free from 8080 on)",
	)
	f.IntVar(&o.concurrency, "account-concurrency", 1000, "the account's limit of concurrent executions")
	add := func(use, short string, run func(context.Context, *options) error) {
		root.AddCommand(&cobra.Command{
			Use:   use,
			Short: short,
			Args:  cobra.NoArgs,
			RunE:  func(c *cobra.Command, _ []string) error { return run(c.Context(), o) },
		})
	}
	add("up", "Start the local cloud, deploy, and serve until Ctrl-C", up)
	add("deploy", "Deploy to the local cloud that runs, or to one that is started for it", deploy)
	add("serve", "Start the local cloud alone, for any pulumi command of any program", serve)
	add("preview", "Show what up would change", preview)
	add("destroy", "Remove the stack's resources and its data", destroy)
	root.AddCommand(tokenCommand(o), keysCommand(o), rolesCommand(o), faultsCommand(o))
	root.AddCommand(pluginCommand(), cleanCommand(o))
	add("outputs", "Print the stack's outputs as JSON", outputs)
	return root
}
