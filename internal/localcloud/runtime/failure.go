package runtime

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"
	"time"
)

type answer struct {
	payload []byte
	failed  bool
}

func failure(kind, message string) answer {
	data, err := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message})
	if err != nil {
		data = []byte(`{}`)
	}
	return answer{payload: data, failed: true}
}

func errorType(a answer) string {
	var v struct{ ErrorType string }
	if json.Unmarshal(a.payload, &v) != nil || v.ErrorType == "" {
		return "Runtime.Unknown"
	}
	return v.ErrorType
}

func exitFailure(id string, s *os.ProcessState) answer {
	text := "Runtime exited without providing a reason"
	if status, ok := s.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		text = "Runtime exited with error: signal: " + status.Signal().String()
	} else if s.ExitCode() != 0 {
		text = fmt.Sprintf("Runtime exited with error: exit status %d", s.ExitCode())
	}
	return failure("Runtime.ExitError", fmt.Sprintf("RequestId: %s Error: %s", id, text))
}

func timeout(id string, limit time.Duration) answer {
	return failure(
		"Sandbox.Timedout",
		fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", id, limit.Seconds()),
	)
}

// explain writes why an invocation failed before it began, in Lambda's words
// and, where they leave it open, in more.
func (e *environment) explain(id string, a answer) {
	var said struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(a.payload, &said) != nil || said.ErrorType != invalidEntrypoint {
		return // it has written for itself
	}
	e.log(id, true, "%s", said.ErrorMessage)
	e.log(id, true, "%s", said.ErrorType)
	if e.reason != "" {
		e.log(id, true, "%s", "The Error above, on this machine: "+e.reason)
	}
}
