package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"items-api/internal/localcloud/state"
)

// backendURL is where the engine keeps its state. It must not write metadata:
// that goes into a file of its own, which a kill leaves half-written, and
// without which the state cannot be read.
func backendURL(dir string) string {
	return "file://" + filepath.ToSlash(dir) + "?metadata=skip"
}

// stateLayout keeps the engine's state where checkpoint says, whatever the user
// has set for other backends.
func stateLayout() map[string]string {
	return map[string]string{
		"PULUMI_DIY_BACKEND_GZIP":          "false",
		"PULUMI_DIY_BACKEND_LEGACY_LAYOUT": "false",
	}
}

// otherLayout returns an error if there are states that an engine wrote without
// stateLayout: what reads the files itself would take their stacks for new.
func otherLayout(states fs.FS) error {
	for _, pattern := range []string{"*.json", "*.json.gz", "*/*.json.gz"} {
		found, err := fs.Glob(states, pattern)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return fmt.Errorf(
				"the engine's state %s is compressed or in the layout of old engines, as "+
					"PULUMI_DIY_BACKEND_* variables "+
					"asked for when it was written: `local deploy` of its stack writes it anew",
				found[0],
			)
		}
	}
	return nil
}

// checkpoint is the file of the engine's state of the stack.
func (o *options) checkpoint() string {
	return filepath.Join(o.dir, "pulumi", ".pulumi", "stacks", project, o.stack+".json")
}

// mend repairs what a kill, or a machine that lost its power, can have done to
// the engine's state: metadata, which may be half-written and on which nothing
// depends, and files that were not completed are removed, and a damaged
// checkpoint is replaced by the one before. The caller alone runs the cloud.
func (o *options) mend() error {
	root := filepath.Join(o.dir, "pulumi", ".pulumi")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".attrs") && !strings.HasSuffix(path, ".tmp") {
			return err
		}
		return os.Remove(path)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("repairing the engine's state: %w", err)
	}
	file := o.checkpoint()
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && json.Valid(data) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the engine's state: %w", err)
	}
	before, err := os.ReadFile(file + ".bak")
	if err != nil || !json.Valid(before) {
		return fmt.Errorf(
			"the engine's state of the stack %s is damaged, and so is the copy beside it: restore %s from "+
				"a backup; the data in the tables is not affected",
			o.stack,
			file,
		)
	}
	fmt.Fprintf(
		os.Stderr,
		"the engine's state of the stack %s was damaged; going on from the copy before\n",
		o.stack,
	)
	return state.WriteFile(file, before, 0o600)
}
