package state_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"items-api/internal/localcloud/state"
)

const stageType = "aws:apigatewayv2/stage:Stage"

func TestRecordsSurviveReopening(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := open(t, dir, now)
	want := state.Record{
		Type: stageType, Key: "abc/$default", ID: "$default",
		Properties: map[string]any{"name": "$default", "autoDeploy": true, "list": []any{"a", 1.5}},
		Private:    map[string]string{"port": "8080"},
	}
	if err := s.Put(want); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, dir, now.Add(time.Hour)).Get(stageType, "abc/$default")
	if err != nil {
		t.Fatal(err)
	}
	want.Created, want.Updated = now, now
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record changed on the way through the disk (-want +got):\n%s", diff)
	}
}

func TestUnfinishedWriteIsForgottenAndOldRecordKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, time.Now())
	if err := s.Put(state.Record{
		Type:       "t",
		Key:        "k",
		ID:         "k",
		Properties: map[string]any{"v": "old"},
	}); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(dir, "t", "k.json.123.tmp")
	if err := os.WriteFile(half, []byte(`{"type":"t","ke`), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := open(t, dir, time.Now()).Get("t", "k")
	if err != nil || got.Properties["v"] != "old" {
		t.Errorf("got %v, %v, want the old record", got, err)
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the unfinished file is still there: %v", err)
	}
}

func TestDamagedRecordIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "t", "k.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := state.Open(dir, time.Now); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v, want an error that names %s", err, file)
	}
}

func TestCallersCannotChangeStoredRecords(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), time.Now())
	props := map[string]any{"tags": map[string]any{"a": "1"}}
	if err := s.Put(state.Record{Type: "t", Key: "k", Properties: props}); err != nil {
		t.Fatal(err)
	}
	props["tags"].(map[string]any)["a"] = "2"
	got, _ := s.Get("t", "k")
	got.Properties["tags"].(map[string]any)["a"] = "3"
	again, _ := s.Get("t", "k")
	if again.Properties["tags"].(map[string]any)["a"] != "1" {
		t.Errorf("the stored record was changed from outside: %v", again.Properties)
	}
}

func TestDeleteRemovesFromDiskAndIsIdempotent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir, time.Now())
	if err := s.Put(state.Record{Type: "t", Key: "k"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Delete("t", "k"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := open(t, dir, time.Now()).Get("t", "k"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if got := s.List("t"); len(got) != 0 {
		t.Errorf("list after delete: %v", got)
	}
}

func open(t *testing.T, dir string, now time.Time) *state.Store {
	t.Helper()
	s, err := state.Open(dir, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A record that is not found would be taken for one that nobody made.
func TestRecordsAreFoundInADirectoryThatLooksLikeAPattern(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"[work]", "a*b", `back\slash`} {
		dir := filepath.Join(t.TempDir(), name)
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		if err := open(t, dir, now).Put(state.Record{Type: stageType, Key: "a", ID: "a"}); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, dir, now).Get(stageType, "a"); err != nil {
			t.Errorf("in %s: %v", dir, err)
		}
	}
}
