package data

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
	"items-api/stack"
)

// files returns the files under a directory that contain a text.
func files(t *testing.T, dir, text string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it is a file of a process that has ended
		}
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if bytes.Contains(data, []byte(text)) {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDestroyLeavesNoItemInTheFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.caller(t, "alice")
	const marker = "marker-of-this-test"
	for i := range 20 {
		in := api.ItemInput{Name: fmt.Sprint(marker, i), Description: new(marker)}
		c.send("POST", "/items", in).want(t, 201)
		c.send("POST", "/items", in, "Idempotency-Key", fmt.Sprint("key", i)).want(t, 201)
	}
	if len(files(t, s.Dir, marker)) == 0 {
		t.Fatal("the test cannot fail: no file has the items")
	}
	table := s.outputs["tableName"]
	s.set = func(settings *stack.Settings) { settings.Schema.Allow = "delete " + table }
	settings := s.settings()
	st, err := s.Stack(
		t.Context(),
		"data",
		func(ctx *pulumi.Context) error { return stack.Compose(ctx, settings, s.zips) },
	)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Destroy(
		t.Context(),
		optdestroy.SuppressProgress(),
		optdestroy.RunProgram(true),
	); err != nil {
		t.Fatal(err)
	}
	if left := files(t, s.Dir, marker); len(left) > 0 {
		t.Errorf("after destroy the items are in %v", left)
	}
}
