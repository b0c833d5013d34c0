package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
)

// asFunction makes the test's binary be the function.
const asFunction = "TEST_BINARY_IS_THE_FUNCTION"

func TestMain(m *testing.M) {
	if os.Getenv(asFunction) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// Lambda's filter by level reads the lines that the function itself writes.
func TestFunctionThatCannotStartLogsAnError(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = []string{asFunction + "=1", "AWS_LAMBDA_LOG_LEVEL=ERROR"}
	out, err := cmd.Output()
	var failed *exec.ExitError
	if !errors.As(err, &failed) || failed.ExitCode() != 1 {
		t.Errorf("it ended with %v", err)
	}
	var line struct{ Timestamp, Level, Error string }
	if err := json.Unmarshal(out, &line); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_, err = time.Parse(time.RFC3339, line.Timestamp)
	if err != nil || line.Level != "ERROR" || line.Error == "" {
		t.Errorf("the log is %s, %v", out, err)
	}
}
