package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"

	"items-api/internal/localcloud"
)

const apiType = "aws:apigatewayv2/api:Api"

// urns is the prefix of the URNs of the stack's resources.
func (o *options) urns() string { return fmt.Sprintf("urn:pulumi:%s::%s::", o.stack, project) }

// place gives the stack's API the port that was asked for. It reports whether
// the API is served elsewhere than the engine's state says, which it corrects:
// the stack's outputs follow with the next deployment.
func (o *options) place(
	ctx context.Context,
	s auto.Stack,
	cloud localcloud.Instance,
) (moved bool, err error) {
	if o.port != 0 {
		if err := cloud.Place(o.urns(), o.port); err != nil {
			return false, fmt.Errorf("nothing was deployed: %w", err)
		}
	}
	if moved, err = o.moved(cloud); err != nil || !moved {
		return false, err
	}
	if _, err := s.Refresh(ctx, optrefresh.SuppressProgress(), optrefresh.SuppressOutputs()); err != nil {
		return true, fmt.Errorf("taking over the new address: %w", err)
	}
	return true, nil
}

// moved compares where the engine's state has the stack's APIs with where the
// cloud serves them. Comparing finds a move after which the deployment was
// killed, and those by which earlier versions moved other stacks.
func (o *options) moved(cloud localcloud.Instance) (bool, error) {
	data, err := os.ReadFile(o.checkpoint())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the engine's state: %w", err)
	}
	var state struct {
		Checkpoint struct {
			Latest struct {
				Resources []struct {
					Type    string         `json:"type"`
					ID      string         `json:"id"`
					Outputs map[string]any `json:"outputs"`
				} `json:"resources"`
			} `json:"latest"`
		} `json:"checkpoint"`
	}
	if err := json.Unmarshal(data, &state); err != nil {
		return false, fmt.Errorf("reading the engine's state: %w", err)
	}
	apis, err := cloud.APIs()
	if err != nil {
		return false, err
	}
	for _, r := range state.Checkpoint.Latest.Resources {
		if url, ok := apis[r.ID]; ok && r.Type == apiType && url != r.Outputs["apiEndpoint"] {
			return true, nil
		}
	}
	return false, nil
}
