package plugin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Packages are the packages that the local cloud speaks for.
var Packages = []string{"aws", "awsx"}

// script starts the command that serves as a plug-in. The engine shows what it
// prints when it ends at once.
const script = `#!/bin/sh
# The engine starts this instead of the plug-in of %[1]s. It passes everything
# on to the local cloud, which must be running.
if [ ! -x %[2]s ]; then
	echo %[3]s >&2
	exit 1
fi
exec %[2]s %[4]s %[1]s "$@"
`

// Write puts an executable for each of the Packages into a directory, for PATH.
// It runs command with args, the name of the package, and what the engine adds:
// flags, and its own address at the end.
func Write(dir, command string, args ...string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("creating the directory of plug-ins: %w", err)
	}
	quotedArgs := make([]string, len(args))
	for i, a := range args {
		quotedArgs[i] = quote(a)
	}
	gone := "the local cloud whose plug-ins are in " + dir + " is not running: start it again"
	for _, name := range Packages {
		text := fmt.Sprintf(script, name, quote(command), quote(gone), strings.Join(quotedArgs, " "))
		if err := replace(filepath.Join(dir, "pulumi-resource-"+name), text); err != nil {
			return fmt.Errorf("writing the plug-in for %s: %w", name, err)
		}
	}
	return nil
}

// replace writes an executable, which an engine may be starting at the moment.
func replace(file, text string) error {
	tmp := file + ".tmp"
	if err := os.WriteFile(tmp, []byte(text), 0o700); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}

// quote returns a word as the shell takes it, whatever is in it.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
