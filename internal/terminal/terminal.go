// Package terminal keeps programs from asking their terminal for its background
// colour, which takes 5 seconds where the terminal does not answer. The Pulumi
// SDK imports bubbletea, whose initialization asks, whether or not anything is
// to be drawn. A program that imports this package for its effect does not ask.
package terminal

import (
	"os"

	// Initialized before this package, and bubbletea before it.
	_ "github.com/pulumi/pulumi/sdk/v3/go/common/util/cmdutil"

	"items-api/internal/terminal/early"
)

func init() {
	if early.Hidden {
		// Nobody must take this machine for a build server. It fails for
		// malformed names only.
		_ = os.Unsetenv(early.Variable)
	}
}
