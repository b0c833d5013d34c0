package dynamodb

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"sync"
	"time"

	"items-api/internal/localcloud/state"
)

// Notes are what is known of a table beside the database, which has neither
// tags nor backups.
type Notes struct {
	Tags map[string]string `json:"tags,omitempty"`
	// RecoveryDays is for how many days back the table could be restored on
	// AWS; 0 if point-in-time recovery is off.
	RecoveryDays int `json:"recoveryDays,omitempty"`
	// RecoverySince is when that was switched on.
	RecoverySince time.Time `json:"recoverySince,omitzero"`
}

// Records keep the notes of tables that the control plane made.
type Records interface {
	// Notes reports false for a table that it does not know.
	Notes(table string) (Notes, bool)
	SetNotes(table string, n Notes) error
}

// notebook keeps the notes of all other tables, which were made through the
// gate, in a file.
type notebook struct {
	file string

	mu  sync.Mutex
	all map[string]Notes // by table
}

func openNotebook(file string) (*notebook, error) {
	b := &notebook{file: file, all: map[string]Notes{}}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &b.all)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the tags of tables: %s: %w; remove it to begin anew", file, err)
	}
	return b, nil
}

func (b *notebook) get(table string) Notes {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all[table]
}

func (b *notebook) has(table string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.all[table]
	return ok
}

// set writes the notes of a table; nil removes them.
func (b *notebook) set(table string, n *Notes) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := maps.Clone(b.all)
	delete(all, table)
	if n != nil {
		all[table] = *n
	}
	data, err := json.Marshal(all)
	if err == nil {
		err = state.WriteFile(b.file, data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("writing the tags of the table %s: %w", table, err)
	}
	b.all = all
	return nil
}

// clear removes all notes.
func (b *notebook) clear() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = map[string]Notes{}
	return removeAll(b.file)
}

// notes returns what is known of a table.
func (d *Database) notes(table string) Notes {
	if d.Records != nil {
		if n, ok := d.Records.Notes(table); ok {
			return n
		}
	}
	return d.notebook.get(table)
}

func (d *Database) setNotes(table string, n Notes) error {
	if d.Records != nil {
		if _, ok := d.Records.Notes(table); ok {
			return d.Records.SetNotes(table, n)
		}
	}
	return d.notebook.set(table, &n)
}
