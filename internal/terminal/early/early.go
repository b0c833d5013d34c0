// Package early makes the initialization of every package that asks the
// terminal for its colours believe that nobody would see them. It imports
// nothing but os, so that it is initialized before all packages that import
// os/signal or os/exec, as those do: of the packages whose imports are
// initialized, Go takes the first by import path. Source: The Go Programming
// Language Specification, "Package initialization".
package early

import "os"

// Variable is looked at by termenv: where it is set, output is not to a
// terminal.
const Variable = "CI"

// Hidden reports whether Variable was set here, and not by the user.
var Hidden = hide()

func hide() bool {
	if os.Getenv(Variable) != "" {
		return false
	}
	return os.Setenv(Variable, "true") == nil
}
