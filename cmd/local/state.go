package main

import (
	"encoding/json"
	"errors"
	"time"

	"items-api/internal/localcloud/provider"
)

// engineState is what the engine knows of a stack.
type engineState struct {
	Resources         []provider.Held   `json:"resources"`
	PendingOperations []json.RawMessage `json:"pending_operations"`
}

// parseState reads a state as `pulumi stack export` prints it, or as a backend
// keeps it in a file. A stack that was never deployed has none.
func parseState(data []byte) (engineState, error) {
	var file struct {
		Version    int             `json:"version"`
		Deployment json.RawMessage `json:"deployment"`
		Checkpoint *struct {
			Latest json.RawMessage `json:"latest"`
		} `json:"checkpoint"`
	}
	var s engineState
	if err := json.Unmarshal(data, &file); err != nil {
		return s, err
	}
	latest := file.Deployment
	if file.Checkpoint != nil {
		latest = file.Checkpoint.Latest
	}
	if file.Version == 0 || latest == nil && file.Checkpoint == nil {
		return s, errors.New("it has no deployment")
	}
	if latest == nil {
		return s, nil
	}
	return s, json.Unmarshal(latest, &s)
}

// known returns the resources, and the stack that the first one names.
func (s engineState) known(o provider.Origin, taken time.Time) provider.Known {
	k := provider.Known{
		Origin:    o,
		Taken:     taken,
		Resources: s.Resources,
	}
	for _, r := range s.Resources {
		if k.Stack == "" {
			k.Project, k.Stack, _ = provider.StackOf(r.URN)
		}
	}
	return k
}
