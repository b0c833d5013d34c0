package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"items-api/internal/localcloud"
	"items-api/internal/localcloud/dynamodb"
	"items-api/internal/localcloud/gateway"
	"items-api/internal/localcloud/state"
)

// rolesCommand tells what the functions' roles grant and what was used of it.
func rolesCommand(o *options) *cobra.Command {
	var asJSON, check bool
	c := &cobra.Command{
		Use:   "roles",
		Short: "Show which actions of the roles the functions used",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			instance, ok := localcloud.Running(o.dir)
			if !ok {
				return errors.New("the local cloud is not running: start it with `make up`")
			}
			roles, err := instance.Roles()
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				err = e.Encode(roles)
			} else {
				w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, r := range roles {
					for _, part := range []struct {
						what    string
						actions []string
					}{
						{"used", r.Used},
						{"granted and never used", r.Unused},
						{"tried and not granted", r.Denied},
						{"granted, and not judged by the local cloud", r.Unproven},
					} {
						for _, a := range part.actions {
							fmt.Fprintf(w, "%s\t%s\t%s\n", r.Function, a, part.what)
						}
					}
				}
				err = w.Flush()
			}
			if err == nil && check {
				err = exact(roles)
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&check, "check", false, "fail unless each role grants exactly what was used")
	return c
}

// exact returns an error that names what roles grant too much or too little.
// What they grant of services that the local cloud does not judge is no error:
// nothing here could use it.
func exact(roles []localcloud.RoleUse) error {
	var errs []error
	for _, r := range roles {
		for _, a := range r.Unused {
			errs = append(
				errs,
				fmt.Errorf(
					"the role of %s grants %s, which was never used: take it away, or use it in a test",
					r.Function,
					a,
				),
			)
		}
		for _, a := range r.Denied {
			errs = append(
				errs,
				fmt.Errorf(
					"the role of %s does not grant %s, which the function tried: grant it, or do not call it",
					r.Function,
					a,
				),
			)
		}
	}
	return errors.Join(errs...)
}

// faultsCommand shows and sets the standing faults.
func faultsCommand(o *options) *cobra.Command {
	c := &cobra.Command{
		Use:   "faults",
		Short: "Make calls of the functions to the database fail on purpose",
		Long: "Faults hit the calls that functions make, for as long as they are set. A single HTTP " +
			"request carries its own in the header " + gateway.FaultsHeader + `, as the same JSON:

  [{"kind":"ThrottlingException","rate":0.1},{"kind":"Latency","delayMs":50,"operations":["GetItem"]},{"kind":"DropAfter","times":1}]

Kinds: ` + strings.Join(
			dynamodb.Kinds(),
			", ",
		) + ".",
	}
	show := &cobra.Command{
		Use:   "show",
		Short: "Print the standing faults",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			data, err := os.ReadFile(localcloud.FaultsFile(o.dir))
			if errors.Is(err, fs.ErrNotExist) {
				data, err = []byte("[]"), nil
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), strings.TrimSpace(string(data)))
			return err
		},
	}
	set := &cobra.Command{
		Use:   "set JSON",
		Short: "Replace the standing faults",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := dynamodb.ParseFaults([]byte(args[0])); err != nil {
				return err
			}
			return state.WriteFile(
				localcloud.FaultsFile(o.dir),
				slices.Concat([]byte(args[0]), []byte("\n")),
				0o600,
			)
		},
	}
	unset := &cobra.Command{
		Use:   "clear",
		Short: "Take all standing faults away",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := os.Remove(localcloud.FaultsFile(o.dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		},
	}
	c.AddCommand(show, set, unset)
	return c
}
