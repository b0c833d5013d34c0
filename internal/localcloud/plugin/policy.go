package plugin

import (
	"fmt"
	"os"
	"path/filepath"
)

// policyRuntime names the executable that the engine looks for in PATH, as
// pulumi-analyzer-policy-NAME, to run a policy pack.
const policyRuntime = "local-cloud"

const policyProject = `description: What the local cloud does not take.
runtime: ` + policyRuntime + `
version: 1.0.0
`

// policyScript tells the engine the port, and ends with the engine, which closes
// its input then.
const policyScript = `#!/bin/sh
# The engine starts this for the policy pack of the local cloud, which shows all
# that the cloud does not take of a program in one preview.
if ! kill -0 %[1]d 2>/dev/null; then
	echo %[2]s >&2
	exit 1
fi
echo %[3]d
exec cat
`

// PolicyExecutable returns what runs the policy pack, in the directory of the
// plug-ins. Engines from 3.259 on take it for the pack itself.
func PolicyExecutable(plugins string) string {
	return filepath.Join(plugins, "pulumi-analyzer-policy-"+policyRuntime)
}

// WritePolicy puts a policy pack into a directory, and what runs it into that of
// the plug-ins. The pack is served on a port of loopback by the process pid.
func WritePolicy(plugins, pack string, pid, port int) error {
	for _, dir := range []string{plugins, pack} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("creating the directory of the policy pack: %w", err)
		}
	}
	project := filepath.Join(pack, "PulumiPolicy.yaml")
	if err := os.WriteFile(project, []byte(policyProject), 0o600); err != nil {
		return fmt.Errorf("writing the policy pack: %w", err)
	}
	gone := "the local cloud whose policy pack is in " + pack + " is not running: start it again"
	text := fmt.Sprintf(policyScript, pid, quote(gone), port)
	if err := replace(PolicyExecutable(plugins), text); err != nil {
		return fmt.Errorf("writing what runs the policy pack: %w", err)
	}
	return nil
}
