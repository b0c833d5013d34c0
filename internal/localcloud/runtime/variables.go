package runtime

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"strconv"
	"sync"
)

// changeable are what Lambda sets and a function's configuration may set anew.
// Source: Lambda Developer Guide, "Defined runtime environment variables".
var changeable = map[string]string{
	"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
	"AWS_XRAY_DAEMON_ADDRESS":  "169.254.100.1:2000",
	"LANG":                     "en_US.UTF-8",
	"LD_LIBRARY_PATH":          "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
	"PATH":                     "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
	"TZ":                       ":UTC",
}

// variables returns the environment of the process: what provided.al2023 has,
// the user's, and what the cloud adds. Nothing of the host's environment is
// passed on. TMPDIR is a difference from AWS: the host's /tmp is shared by all
// processes, so each environment has a directory of its own.
func (e *environment) variables(api string) []string {
	f := e.function
	vars := maps.Clone(changeable)
	maps.Copy(vars, f.Environment)
	for k, v := range map[string]string{
		"_HANDLER": f.Handler, "LAMBDA_TASK_ROOT": e.task, "LAMBDA_RUNTIME_DIR": "/var/runtime",
		"AWS_LAMBDA_RUNTIME_API":          api,
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     f.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       f.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME":      e.stream,
		"AWS_REGION":                      e.runtime.Region,
		"AWS_DEFAULT_REGION":              e.runtime.Region,
		"AWS_ACCESS_KEY_ID":               e.credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":           e.credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN":               e.credentials.SessionToken,
		"_AWS_XRAY_DAEMON_ADDRESS":        "169.254.100.1",
		"_AWS_XRAY_DAEMON_PORT":           "2000",
		"TMPDIR":                          e.tmp,
	} {
		vars[k] = v
	}
	if f.LogFormat == "JSON" {
		vars["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
		if f.ApplicationLogLevel != "" {
			vars["AWS_LAMBDA_LOG_LEVEL"] = f.ApplicationLogLevel
		}
	}
	for k, v := range e.runtime.Extra(f) {
		vars[k] = v
	}
	out := make([]string, 0, len(vars))
	for k, v := range vars {
		out = append(out, k+"="+v)
	}
	return out
}

func (e *environment) log(id string, platform bool, format string, args ...any) {
	e.runtime.Log(LogLine{
		Time:      e.runtime.Now().UTC(),
		Function:  e.function.Name,
		LogGroup:  e.function.LogGroup,
		LogStream: e.stream,
		RequestID: id,
		Platform:  platform,
		Text:      fmt.Sprintf(format, args...),
	})
}

// output returns a writer that turns what the process writes into lines.
func (e *environment) output() io.Writer { return &lines{environment: e} }

// maxLine is where a line without an end is cut, in bytes: the size of a
// CloudWatch Logs event.
const maxLine = 256 * 1024

type lines struct {
	environment *environment
	mu          sync.Mutex
	rest        []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		i := bytes.IndexByte(l.rest, '\n')
		if i < 0 && len(l.rest) < maxLine {
			return len(p), nil
		}
		if i < 0 {
			i = maxLine - 1
		}
		e := l.environment
		e.mu.Lock()
		id := ""
		if e.current != nil {
			id = e.current.id
		}
		e.mu.Unlock()
		e.log(id, false, "%s", l.rest[:i])
		l.rest = l.rest[i+1:]
	}
}
