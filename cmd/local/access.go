package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"items-api/internal/api"
	"items-api/internal/apikey"
	"items-api/internal/apikey/cli"
	"items-api/internal/client"
	"items-api/internal/localcloud"
	"items-api/internal/localcloud/oidc"
)

// tokenCommand prints a token of the stack's user pool.
func tokenCommand(o *options) *cobra.Command {
	var subject string
	var scopes []string
	var lifetime time.Duration
	c := &cobra.Command{
		Use:   "token",
		Short: "Print an access token of the stack's user pool (auth.mode cognito)",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			out, _, err := o.outputsOf(c.Context())
			if err != nil {
				return err
			}
			switch mode := out["authMode"]; mode {
			case string(api.AuthCognito):
			case string(api.AuthLambda):
				return errors.New(
					"this stack asks for API keys: make one with `go run ./cmd/local keys issue --owner " + subject + "`",
				)
			case string(api.AuthJWT):
				return errors.New(
					"the tokens of this stack come from the issuer in auth.issuer of its " +
						"configuration: ask that one",
				)
			default:
				return fmt.Errorf("this stack (auth.mode %v) asks for no token", mode)
			}
			g := oidc.Grant{
				Pool:     fmt.Sprint(out["userPoolId"]),
				Client:   fmt.Sprint(out["userPoolClientId"]),
				Subject:  subject,
				Now:      time.Now(),
				Lifetime: lifetime,
			}
			for _, s := range scopes {
				if !slices.Contains([]api.Scope{api.ScopeRead, api.ScopeWrite}, api.Scope(s)) &&
					!strings.Contains(s, "/") &&
					!strings.HasPrefix(s, "aws.cognito.") &&
					s != "openid" {
					return fmt.Errorf(
						"there is no scope %q; the API's are %s and %s",
						s,
						api.ScopeRead,
						api.ScopeWrite,
					)
				}
				// As a user pool writes it: with the resource server's name.
				if _, own := api.Scopes()[api.Scope(s)]; own {
					s = api.ResourceServer + "/" + s
				}
				g.Scopes = append(g.Scopes, s)
			}
			token, err := localcloud.Token(o.dir, g)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), token)
			return err
		},
	}
	c.Flags().StringVar(
		&subject,
		"sub",
		"alice",
		"whom the token is for: the owner of the items that it reaches",
	)
	c.Flags().StringArrayVar(
		&scopes,
		"scope",
		[]string{string(api.ScopeRead), string(api.ScopeWrite)},
		"what the token permits; may be repeated",
	)
	c.Flags().DurationVar(
		&lifetime,
		"lifetime",
		time.Hour,
		"how long the token is good; negative for one that has expired",
	)
	return c
}

// keysCommand manages the API keys of the stack.
func keysCommand(o *options) *cobra.Command {
	c := &cobra.Command{Use: "keys", Short: "Manage the stack's API keys (auth.mode lambda)"}
	c.AddCommand(cli.Commands(func(ctx context.Context) (apikey.Writer, string, error) {
		out, _, err := o.outputsOf(ctx)
		if err != nil {
			return nil, "", err
		}
		if out["authMode"] != string(api.AuthLambda) {
			return nil, "", fmt.Errorf(
				"this stack (auth.mode %v) has no API keys: set auth.mode to lambda",
				out["authMode"],
			)
		}
		instance, ok := localcloud.Running(o.dir)
		if !ok {
			return nil, "", errors.New("the local cloud is not running: start it with `make up`")
		}
		env, err := localcloud.AdminEnvironment(o.dir, instance)
		if err != nil {
			return nil, "", err
		}
		db, err := client.FromEnvironment(func(name string) string { return env[name] })
		return db, fmt.Sprint(out["tableName"]), err
	})...)
	return c
}
