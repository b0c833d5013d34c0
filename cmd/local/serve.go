package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"items-api/internal/localcloud"
	"items-api/internal/localcloud/plugin"
)

// serve runs the cloud for any pulumi command of any program, and says what
// that needs.
func serve(ctx context.Context, o *options) error {
	w := newWatcher(os.Stdout)
	cloud, err := o.start(ctx, w, "")
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(o.dir)
	if err == nil {
		err = inPath(localcloud.PluginDir(dir))
	}
	if err != nil {
		return errors.Join(err, cloud.Close())
	}
	instance, ok := localcloud.Running(o.dir)
	if !ok {
		return errors.Join(errors.New("the local cloud that was just started does not answer"), cloud.Close())
	}
	if err := printExports(os.Stdout, instance, dir); err != nil {
		return errors.Join(err, cloud.Close())
	}
	w.stream()
	<-ctx.Done()
	return cloud.Close()
}

// inPath returns an error for a directory that PATH cannot name: the engine
// would find no plug-in of the local cloud, and use the one for AWS.
func inPath(dir string) error {
	if strings.ContainsRune(dir, os.PathListSeparator) {
		return fmt.Errorf(
			"PATH cannot hold %s, since there is a %q in it: choose another directory with --dir",
			dir,
			os.PathListSeparator,
		)
	}
	return nil
}

// printExports prints the lines with which a shell uses the cloud.
func printExports(out io.Writer, instance localcloud.Instance, dir string) error {
	env := instance.PluginEnvironment(dir)
	text := ""
	for _, k := range slices.Sorted(maps.Keys(env)) {
		value := shellWord(env[k])
		if k == "PATH" {
			value += ":$PATH"
		}
		text += fmt.Sprintf("export %s=%s\n", k, value)
	}
	_, err := fmt.Fprint(out, text,
		"unset PULUMI_DEBUG_PROVIDERS PULUMI_IGNORE_AMBIENT_PLUGINS\n",
		"# Paste these lines where pulumi or an AWS tool runs; they stay good when this is started again.\n",
		"# Ctrl-C stops the local cloud.\n",
	)
	return err
}

// shellWord quotes a word for the shell if it has to be.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("/._-+,:@%", r)
	}
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// pluginCommand returns the command that the plug-ins of this cloud run.
func (o *options) pluginCommand() ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	dir, err := filepath.Abs(o.dir)
	return []string{self, "plugin", dir}, err
}

// pluginCommand is what the engine runs in place of a plug-in: it is given the
// directory of the cloud, a package, and what the engine adds, of which only
// the last matters: the engine's address.
func pluginCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "plugin DIR PACKAGE ...",
		Short:              "Pass the calls of an engine on to the local cloud",
		Hidden:             true,
		DisableFlagParsing: true,
		// It has no flags, and no directory but that of the cloud.
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) < 2 {
				return errors.New(
					"this is started by the Pulumi engine, through the files in the directory of plug-ins",
				)
			}
			instance, ok := localcloud.Running(args[0])
			if !ok {
				return fmt.Errorf("the local cloud on %s is not running: start it again", args[0])
			}
			here, err := os.Getwd()
			if err != nil {
				return err
			}
			engine := ""
			if len(args) > 2 {
				engine = args[len(args)-1]
			}
			target, err := instance.Plugin(args[1], here, engine)
			if err != nil {
				return err
			}
			return plugin.Serve(c.Context(), target, c.InOrStdin(), c.OutOrStdout())
		},
	}
}
