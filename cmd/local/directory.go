package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	// stacksName is the directory that has one directory per stack, so that no
	// stack's name can be that of a directory of the cloud itself.
	stacksName = "stacks"
	// workDir has copies of the project's files, for the engine to write into.
	workDir     = "work"
	outputsName = "outputs.json"
)

// stackName is what the engine accepts as the name of a stack. Source:
// tokens.ParseStackName of the Pulumi SDK.
var stackName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,100}$`)

// checkStackName returns an error for a name that the engine refuses, and for
// the two that are names of directories elsewhere.
func checkStackName(name string) error {
	if !stackName.MatchString(name) || name == "." || name == ".." {
		return fmt.Errorf("%q is not a valid stack name: use 1 to 100 letters, digits, '-', '_' and '.', "+
			"but not \".\" or \"..\" alone, for --stack", name)
	}
	return nil
}

// enter prepares the directory for any command.
func (o *options) enter() error {
	if err := checkStackName(o.stack); err != nil {
		return err
	}
	if o.port < 0 || o.port > 65535 {
		return fmt.Errorf("--port must be from 1 to 65535, not %d", o.port)
	}
	return o.migrateStacks()
}

// stackDir is where everything is that belongs to the stack alone.
func (o *options) stackDir() string { return filepath.Join(o.dir, stacksName, o.stack) }

// migrateStacks moves the stacks' directories to where they are now: earlier
// versions had them beside the directories of the cloud. A stack that was
// called like one of these shares it with the cloud, so that only what is the
// stack's own is moved. The work directory, by which a stack is recognised, goes
// last: a migration that was killed is completed by the next.
func (o *options) migrateStacks() error {
	found, err := filepath.Glob(filepath.Join(escapeGlob(o.dir), "*", workDir, "Pulumi.*.yaml"))
	if err != nil {
		return err
	}
	for _, file := range found {
		from := filepath.Dir(filepath.Dir(file))
		name := filepath.Base(from)
		if filepath.Base(file) != "Pulumi."+name+".yaml" {
			continue
		}
		if err := moveStack(from, filepath.Join(o.dir, stacksName, name)); err != nil {
			return fmt.Errorf(
				"moving the files of the stack %s to %s: %w",
				name,
				filepath.Join(o.dir, stacksName),
				err,
			)
		}
	}
	return nil
}

func moveStack(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, name := range []string{outputsName, workDir} {
		source, target := filepath.Join(from, name), filepath.Join(to, name)
		if _, err := os.Lstat(source); errors.Is(err, fs.ErrNotExist) {
			continue // not deployed yet, or moved before a kill
		}
		if err := errors.Join(os.RemoveAll(target), os.Rename(source, target)); err != nil {
			return err
		}
	}
	// What is not empty is the cloud's.
	_ = os.Remove(from)
	return nil
}

// escapeGlob returns a pattern that matches a path literally.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// engineLog is the name of a log of the engine's without the stack: the engine
// puts it after the organization, the project and the stack.
var engineLog = regexp.MustCompile(`^-[0-9]{8}T[0-9]{6}\.log$`)

// forget removes all files of the stack, also those that the engine keeps when
// a stack is removed: the state before the last one, the history, and logs.
func (o *options) forget() error {
	engine := filepath.Join(o.dir, "pulumi", ".pulumi")
	left := []string{
		o.stackDir(),
		filepath.Join(engine, "stacks", project, o.stack+".json.bak"),
		filepath.Join(engine, "history", project, o.stack),
		filepath.Join(engine, "backups", project, o.stack),
		filepath.Join(engine, "locks", "organization", project, o.stack),
	}
	logs := filepath.Join(o.dir, "pulumi-home", "logs")
	entries, err := os.ReadDir(logs)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("looking for the engine's logs: %w", err)
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), "organization+"+project+"+"+o.stack)
		if ok && engineLog.MatchString(rest) {
			left = append(left, filepath.Join(logs, e.Name()))
		}
	}
	var errs []error
	for _, path := range left {
		errs = append(errs, os.RemoveAll(path))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("removing the files of the stack %s: %w", o.stack, err)
	}
	return nil
}
