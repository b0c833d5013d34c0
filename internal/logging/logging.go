// Package logging makes the functions' logger, whose lines Lambda's filter by
// level can read. It must not import anything of Pulumi.
package logging

import (
	"io"
	"log/slog"
)

// EnvLevel is where Lambda says which level the function's log has at least.
// It is unset if the function has no such setting. Source: aws-lambda-go,
// lambdacontext/logger.go.
const EnvLevel = "AWS_LAMBDA_LOG_LEVEL"

// Levels besides those of slog.
const (
	LevelTrace = slog.LevelDebug - 4
	LevelFatal = slog.LevelError + 4
)

// levels are the names that Lambda reads, the lowest first; each is for levels
// from its own to the next. Source: Lambda developer guide, "Log-level
// filtering".
var levels = []struct {
	name string
	from slog.Level
}{
	{"TRACE", LevelTrace},
	{"DEBUG", slog.LevelDebug},
	{"INFO", slog.LevelInfo},
	{"WARN", slog.LevelWarn},
	{"ERROR", slog.LevelError},
	{"FATAL", LevelFatal},
}

// New returns a logger that writes a JSON object for each record, from the
// level that the environment names or INFO. Lambda takes a line without a valid
// timestamp or level for one of level INFO, and drops it with others of that
// level: so the time is in RFC 3339 under "timestamp", and the level is one of
// the six names, which slog's own "ERROR+1" is not. Source: as of levels.
func New(w io.Writer, env func(string) string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level:       lowest(env(EnvLevel)),
		ReplaceAttr: replace,
	}))
}

// lowest returns the level with a name, INFO if there is none.
func lowest(name string) slog.Level {
	for _, l := range levels {
		if l.name == name {
			return l.from
		}
	}
	return slog.LevelInfo
}

func replace(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	level, isLevel := a.Value.Any().(slog.Level)
	switch {
	case a.Key == slog.LevelKey && isLevel:
		a.Value = slog.StringValue(nameOf(level))
	case a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime:
		a = slog.Time("timestamp", a.Value.Time().UTC())
	}
	return a
}

func nameOf(level slog.Level) string {
	name := levels[0].name
	for _, l := range levels {
		if level >= l.from {
			name = l.name
		}
	}
	return name
}
