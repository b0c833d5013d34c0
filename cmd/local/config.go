package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"

	"items-api/internal/localcloud/state"
	"items-api/stack"
)

// prepare checks the stack's configuration and puts copies of the project's
// files into a directory of the stack's own, so that the engine, which writes
// into them, leaves the committed ones alone.
func (o *options) prepare() (work string, err error) {
	file := "Pulumi." + o.stack + ".yaml"
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf(
			"there is no %s here: run this in the project's directory, and copy Pulumi.local.yaml "+
				"for a new stack",
			file,
		)
	}
	if err != nil {
		return "", err
	}
	var doc map[string]any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return "", fmt.Errorf("reading %s: %w", file, err)
	}
	if err := check(o.stack, file, doc); err != nil {
		return "", err
	}
	work = filepath.Join(o.stackDir(), workDir)
	if work, err = filepath.Abs(work); err != nil {
		return "", err
	}
	keepSalt(filepath.Join(work, file), doc)
	if data, err = yaml.Marshal(doc); err != nil {
		return "", err
	}
	project, err := os.ReadFile("Pulumi.yaml")
	if err != nil {
		return "", fmt.Errorf("reading the project: %w", err)
	}
	if err := state.WriteFile(filepath.Join(work, "Pulumi.yaml"), project, 0o600); err != nil {
		return "", err
	}
	return work, state.WriteFile(filepath.Join(work, file), data, 0o600)
}

// check reports every problem of the configuration before the engine starts,
// which would name the first only.
func check(name, file string, doc map[string]any) error {
	config, _ := doc["config"].(map[string]any)
	flat := map[string]string{}
	for k, v := range config {
		if m, ok := v.(map[string]any); ok && m["secure"] != nil {
			return fmt.Errorf(
				"%s: %s is encrypted, which the local cloud cannot read: put a plain value into a stack "+
					"for local use",
				file,
				k,
			)
		}
		switch v := v.(type) {
		case string:
			flat[k] = v
		default:
			data, err := json.Marshal(v)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", file, k, err)
			}
			flat[k] = string(data)
		}
	}
	s, err := stack.Parse(flat)
	if err == nil {
		err = s.Check(name)
	}
	if err != nil {
		return fmt.Errorf("%s is invalid, and nothing was deployed:\n%w", file, err)
	}
	return nil
}

// keepSalt takes over the salt that the engine wrote into the copy before.
func keepSalt(copied string, doc map[string]any) {
	data, err := os.ReadFile(copied)
	var old map[string]any
	if err != nil || yaml.Unmarshal(data, &old) != nil || old["encryptionsalt"] == nil {
		return
	}
	doc["encryptionsalt"] = old["encryptionsalt"]
}
