package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"

	"items-api/internal/localcloud"
	"items-api/internal/localcloud/provider"
	"items-api/stack"
)

const project = "items-api"

// executablePacks is a version of the engine that takes an executable for a
// policy pack. One before it shows the first refusal of a program only.
var executablePacks = semver.Version{Major: 3, Minor: 259}

// open returns the stack as the engine sees it, attached to a running cloud.
func (o *options) open(ctx context.Context, cloud localcloud.Instance) (auto.Stack, error) {
	work, err := o.prepare()
	if err != nil {
		return auto.Stack{}, err
	}
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return auto.Stack{}, err
	}
	cli, err := o.pulumi()
	if err != nil {
		return auto.Stack{}, err
	}
	backend := filepath.Join(dir, "pulumi")
	if err := os.MkdirAll(backend, 0o700); err != nil {
		return auto.Stack{}, err
	}
	env := map[string]string{
		"PULUMI_BACKEND_URL":                            backendURL(backend),
		"PULUMI_CONFIG_PASSPHRASE":                      "",
		"PULUMI_SKIP_UPDATE_CHECK":                      "true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION":   "true",
		"PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
	}
	maps.Copy(env, stateLayout())
	maps.Copy(env, cloud.OwnEnvironment(dir))
	if cli.Version().LT(executablePacks) {
		delete(env, localcloud.PolicyPackVariable)
	}
	s, err := auto.UpsertStackInlineSource(
		ctx,
		o.stack,
		project,
		stack.Deploy,
		auto.WorkDir(work),
		auto.Pulumi(cli),
		auto.PulumiHome(filepath.Join(dir, "pulumi-home")),
		auto.EnvVars(env),
	)
	if err != nil {
		return s, fmt.Errorf("opening the stack %s: %w", o.stack, err)
	}
	return s, nil
}

const lockWait = 30 * time.Second

// releaseLocks removes the engine's locks that a killed deployment left. The
// caller alone runs the cloud, so that only its own predecessors can hold them;
// one that is still ending is waited for.
func (o *options) releaseLocks(ctx context.Context) error {
	dir := filepath.Join(o.dir, "pulumi", ".pulumi", "locks")
	locks, err := fs.Glob(os.DirFS(dir), path.Join("*", "*", o.stack, "*.json"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	for _, lock := range locks {
		file := filepath.Join(dir, lock)
		var holder struct{ PID int }
		data, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(data, &holder)
		}
		for err == nil && holder.PID > 0 && syscall.Kill(holder.PID, 0) == nil {
			select {
			case <-ctx.Done():
				return fmt.Errorf(
					"the process %d still deploys the stack %s: wait for its end, or stop it",
					holder.PID,
					o.stack,
				)
			case <-time.After(100 * time.Millisecond):
			}
		}
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing the lock %s: %w", file, err)
		}
	}
	return nil
}

// repair brings the engine's state and the cloud together after a deployment
// that was killed: operations that never ended are dropped, and resources that
// the engine does not know of are removed, as nobody has their addresses.
func (o *options) repair(ctx context.Context, s auto.Stack, cloud *localcloud.Cloud) error {
	exported, err := s.Export(ctx)
	if err != nil {
		return fmt.Errorf("reading the state of the stack %s: %w", o.stack, err)
	}
	var deployment map[string]any
	if len(exported.Deployment) > 0 {
		if err := json.Unmarshal(exported.Deployment, &deployment); err != nil {
			return fmt.Errorf("reading the state of the stack %s: %w", o.stack, err)
		}
	}
	var held []provider.Held
	resources, _ := deployment["resources"].([]any)
	for _, r := range resources {
		m, _ := r.(map[string]any)
		id, _ := m["id"].(string) // components have none
		held = append(held, provider.Held{URN: fmt.Sprint(m["urn"]), ID: id})
	}
	if err := cloud.Forget(ctx, fmt.Sprintf("urn:pulumi:%s::%s::", o.stack, project), held); err != nil {
		return err
	}
	if pending, _ := deployment["pending_operations"].([]any); len(pending) == 0 {
		return nil
	}
	delete(deployment, "pending_operations")
	if exported.Deployment, err = json.Marshal(deployment); err != nil {
		return err
	}
	return s.Import(ctx, exported)
}
