package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

var javaVersion = regexp.MustCompile(`version "(\d+)`)

func checkJava(ctx context.Context, c *Config) error {
	if c.Java == "" {
		c.Java = "java"
	}
	out, err := exec.CommandContext(ctx, c.Java, "-version").CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf(
			"the local database needs Java 17 or later, and there is no %s in PATH: install a Java runtime",
			c.Java,
		)
	}
	m := javaVersion.FindSubmatch(out)
	if err != nil || m == nil {
		return fmt.Errorf(
			"the local database needs Java 17 or later, and `%s -version` says %q",
			c.Java,
			strings.TrimSpace(string(out)),
		)
	}
	if n, _ := strconv.Atoi(string(m[1])); n < 17 {
		return fmt.Errorf(
			"the local database needs Java 17 or later, and %s is Java %d: install a newer one",
			c.Java,
			n,
		)
	}
	return nil
}
