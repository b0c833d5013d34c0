package sqlitefile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// deleted is a database of SQLite 3.40 with pages of 512 bytes: rows that begin
// with LIVE, and what is left of rows that began with DEAD, in a table that was
// dropped and in one of which every second row was deleted.
const deleted = "testdata/deleted.db"

// scrubbed scrubs a copy of a file.
func scrubbed(t testing.TB, data []byte) ([]byte, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	err := Scrub(path)
	out, readErr := os.ReadFile(path)
	if readErr != nil {
		t.Fatal(readErr)
	}
	return out, err
}

func original(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(deleted)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDeletedRowsAreOverwrittenAndOthersKept(t *testing.T) {
	t.Parallel()
	before := original(t)
	if n := bytes.Count(before, []byte("DEAD")); n < 100 {
		t.Fatalf("the test cannot fail: there are %d parts of deleted rows", n)
	}
	after, err := scrubbed(t, before)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(after, []byte("DEAD")); n > 0 {
		t.Errorf("%d parts of deleted rows are left", n)
	}
	// What is kept is where it was.
	changed := 0
	for i := range before {
		if before[i] == after[i] {
			continue
		}
		if changed++; after[i] != 0 {
			t.Fatalf("the byte %d became %d", i, after[i])
		}
	}
	if rows := bytes.Count(after, []byte("LIVE")); changed == 0 || rows < 200 {
		t.Errorf("%d bytes were overwritten, and %d parts of rows are left", changed, rows)
	}
	again, err := scrubbed(t, after)
	if err != nil || !bytes.Equal(again, after) {
		t.Errorf("the second time it changed, %v", err)
	}
}

func TestFileThatIsNotUnderstoodIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func([]byte){
		"another format":        func(b []byte) { b[0] = 'x' },
		"auto-vacuum":           func(b []byte) { b[55] = 2 },
		"a page twice":          func(b []byte) { copy(b[32:36], b[100+8:]) },
		"a list that ends":      func(b []byte) { copy(b[32:36], []byte{0, 0, 0, 0}) },
		"pages of another size": func(b []byte) { b[16], b[17] = 4, 0 },
		"another kind of page":  func(b []byte) { b[512] = 7 },
		"a page that is not there": func(b []byte) {
			b[32] = 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := original(t)
			change(before)
			if after, err := scrubbed(t, before); err == nil || !bytes.Equal(after, before) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFileWithAJournalIsBusy(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"-journal", "-wal"} {
		path := filepath.Join(t.TempDir(), "x.db")
		if err := errors.Join(
			os.WriteFile(path, original(t), 0o600),
			os.WriteFile(path+suffix, []byte("x"), 0o600),
		); err != nil {
			t.Fatal(err)
		}
		if err := Scrub(path); !errors.Is(err, ErrBusy) {
			t.Errorf("with %s got %v", suffix, err)
		}
		if err := os.Truncate(path+suffix, 0); err != nil {
			t.Fatal(err)
		}
		if err := Scrub(path); err != nil {
			t.Errorf("with an empty %s got %v", suffix, err)
		}
	}
}

func FuzzScrub(f *testing.F) {
	data, err := os.ReadFile(deleted)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(105), byte(1))
	f.Fuzz(func(t *testing.T, at uint32, b byte) {
		// One byte of a file is something else.
		changed := bytes.Clone(data)
		changed[int(at)%len(changed)] = b
		if after, err := scrubbed(t, changed); err != nil && !bytes.Equal(after, changed) {
			t.Errorf("a file that is not understood was changed: %v", err)
		}
	})
}
