// Package cli holds the commands that manage API keys, on AWS and locally.
package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"items-api/internal/api"
	"items-api/internal/apikey"
)

// Open returns the table that the commands work on.
type Open func(ctx context.Context) (db apikey.Writer, table string, err error)

// Commands returns issue, list and revoke.
func Commands(open Open) []*cobra.Command {
	return []*cobra.Command{issue(open), list(open), revoke(open)}
}

func issue(open Open) *cobra.Command {
	var owner, note string
	var scopes []string
	c := &cobra.Command{
		Use:   "issue",
		Short: "Make a key and print it, once",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			db, table, err := open(c.Context())
			if err != nil {
				return err
			}
			k := apikey.Key{
				Owner:     owner,
				Note:      note,
				CreatedAt: time.Now(),
			}
			for _, s := range scopes {
				k.Scopes = append(k.Scopes, api.Scope(s))
			}
			key, k, err := apikey.Issue(c.Context(), db, table, k)
			if err != nil {
				return err
			}
			fmt.Fprintf(
				c.ErrOrStderr(),
				"The key %s of %s; it cannot be shown again. Send it as the header %s.\n",
				k.ID,
				k.Owner,
				api.APIKeyHeader,
			)
			_, err = fmt.Fprintln(c.OutOrStdout(), key)
			return err
		},
	}
	c.Flags().StringVar(
		&owner,
		"owner",
		"",
		"whom the key belongs to: the owner of the items that it reaches",
	)
	c.Flags().StringArrayVar(
		&scopes,
		"scope",
		[]string{string(api.ScopeRead), string(api.ScopeWrite)},
		"what the key permits; may be repeated",
	)
	c.Flags().StringVar(&note, "note", "", "what the key is for")
	if err := c.MarkFlagRequired("owner"); err != nil {
		panic(err) // the flag stands above
	}
	return c
}

func list(open Open) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List all keys, without their secrets",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			db, table, err := open(c.Context())
			if err != nil {
				return err
			}
			keys, err := apikey.List(c.Context(), db, table)
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(keys)
			}
			return show(c.OutOrStdout(), keys)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func show(to io.Writer, keys []apikey.Key) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tOWNER\tSCOPES\tCREATED\tREVOKED\tNOTE")
	for _, k := range keys {
		revoked := "-"
		if !k.RevokedAt.IsZero() {
			revoked = k.RevokedAt.Format(time.RFC3339)
		}
		fmt.Fprintf(
			w,
			"%s\t%q\t%v\t%s\t%s\t%q\n",
			k.ID,
			k.Owner,
			k.Scopes,
			k.CreatedAt.Format(time.RFC3339),
			revoked,
			k.Note,
		)
	}
	return w.Flush()
}

func revoke(open Open) *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "Make a key worthless",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			db, table, err := open(c.Context())
			if err != nil {
				return err
			}
			if err := apikey.Revoke(c.Context(), db, table, args[0], time.Now()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(
				c.OutOrStdout(),
				"%s is revoked; the gateway may let it in for as long as auth.cacheSeconds says\n",
				args[0],
			)
			return err
		},
	}
}
