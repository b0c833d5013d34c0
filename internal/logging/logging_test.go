package logging

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func level(name string) func(string) string {
	return func(variable string) string {
		if variable != EnvLevel {
			return ""
		}
		return name
	}
}

// What Lambda cannot read is of level INFO to it, errors too.
func TestLambdaReadsTimeAndLevel(t *testing.T) {
	t.Parallel()
	for want, levels := range map[string][]slog.Level{
		"TRACE": {LevelTrace, LevelTrace + 1},
		"DEBUG": {slog.LevelDebug, slog.LevelDebug + 1},
		"INFO":  {slog.LevelInfo, slog.LevelInfo + 3},
		"WARN":  {slog.LevelWarn},
		"ERROR": {slog.LevelError, slog.LevelError + 1},
		"FATAL": {LevelFatal, LevelFatal + 10},
	} {
		for _, l := range levels {
			var out bytes.Buffer
			log := New(&out, level("TRACE"))
			before := time.Now()
			log.With("requestId", "1").Log(t.Context(), l, "text", "error", "bad")
			var line struct {
				Timestamp             string
				Level, Msg, RequestID string
				Error                 string
				Time                  any
			}
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatalf("%v: %s", err, &out)
			}
			at, err := time.Parse(time.RFC3339, line.Timestamp)
			old := at.Before(before.Truncate(time.Millisecond))
			if err != nil || old || !strings.HasSuffix(line.Timestamp, "Z") {
				t.Errorf("the timestamp is %q, %v", line.Timestamp, err)
			}
			if line.Level != want || line.Time != nil {
				t.Errorf("the level %v is written as %s", l, &out)
			}
			if line.Msg != "text" || line.RequestID != "1" || line.Error != "bad" {
				t.Errorf("got %s", &out)
			}
		}
	}
}

func TestAttributesOfTheCallerStay(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	New(&out, level("")).WithGroup("g").Info("x", "time", "noon", "level", slog.LevelError+1)
	New(&out, level("")).Info("x", "time", "noon")
	if n := strings.Count(
		out.String(),
		`"time":"noon"`,
	); n != 2 ||
		!strings.Contains(out.String(), `"ERROR+1"`) {
		t.Errorf("got %s", &out)
	}
}

func TestLevelIsTheOneThatLambdaSets(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{
		"":         4,
		"nonsense": 4,
		"TRACE":    6,
		"DEBUG":    5,
		"INFO":     4,
		"WARN":     3,
		"ERROR":    2,
		"FATAL":    1,
	} {
		var out bytes.Buffer
		log := New(&out, level(name))
		for _, l := range levels {
			log.Log(t.Context(), l.from, "x")
		}
		if n := strings.Count(out.String(), "\n"); n != want {
			t.Errorf("with the level %q there are %d lines, want %d: %s", name, n, want, &out)
		}
	}
}
