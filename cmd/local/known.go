package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// outputsOf returns the outputs of the stack, as JSON too: those of the last
// deployment by this command, or else those that the plain pulumi command
// knows, which a program uses with `serve`. For that it must be logged in where
// the stack is.
func (o *options) outputsOf(ctx context.Context) (map[string]any, []byte, error) {
	data, err := os.ReadFile(o.outputsFile())
	if errors.Is(err, os.ErrNotExist) {
		data, err = o.plainOutputs(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	out := map[string]any{}
	return out, data, json.Unmarshal(data, &out)
}

// plainOutputs asks the pulumi command in the environment of the user.
func (o *options) plainOutputs(ctx context.Context) ([]byte, error) {
	cli, err := o.pulumi()
	if err != nil {
		return nil, err
	}
	stdout, stderr, code, err := o.run(ctx, cli, "stack", "output", "--json", "--stack", o.stack)
	if err == nil && code == 0 && strings.TrimSpace(stdout) != "{}" {
		return []byte(stdout), nil
	}
	why := "it has no outputs there"
	if text := strings.TrimSpace(stderr); text != "" {
		why = strings.TrimPrefix(text, "error: ")
	} else if err != nil {
		why = err.Error()
	}
	return nil, fmt.Errorf(
		"the stack %s has not been deployed here (run `make up`), "+
			"nor does the plain pulumi command know it: %s",
		o.stack,
		why,
	)
}

func (o *options) run(
	ctx context.Context,
	cli auto.PulumiCommand,
	args ...string,
) (stdout, stderr string, code int, err error) {
	env := []string{"PULUMI_SKIP_UPDATE_CHECK=true"}
	return cli.Run(ctx, ".", nil, nil, nil, env, append(args, "--non-interactive", "--color", "never")...)
}
