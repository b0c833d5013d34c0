package main

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"testing"
)

// The event with which docs/releases.md wakes a version is answered, and asks
// nothing of the database.
func TestEventThatWakesAVersionIsAnswered(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../docs/releases.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`lambda invoke .*--payload '([^']*)'`).FindSubmatch(data)
	if found == nil {
		t.Fatal("docs/releases.md has no line that wakes a version")
	}
	var event request
	if err := json.Unmarshal(found[1], &event); err != nil {
		t.Fatal(err)
	}
	// A call of the database that is missing here would panic.
	if out := handle(t, nil, event); out.StatusCode != http.StatusOK {
		t.Errorf("the event %s gets %d %s", found[1], out.StatusCode, out.Body)
	}
}
