// Package state keeps the control plane of the local cloud on disk: one JSON
// file for each resource, replaced as a whole, so that a process killed at any
// moment leaves either the old record or the new one. It knows neither Pulumi
// nor any AWS service; records are plain maps.
package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Record is one resource of the local cloud.
type Record struct {
	// Type is the resource type, such as "aws:dynamodb/table:Table".
	Type string `json:"type"`
	// Key identifies the record among those of its type. It is the resource's
	// own id, preceded by its parent's where ids are unique only within that
	// parent (a stage "$default" exists once for each API).
	Key string `json:"key"`
	// ID is the id that the Pulumi engine knows.
	ID string `json:"id"`
	// Properties are the resource's inputs with defaults applied, and its
	// computed outputs.
	Properties map[string]any `json:"properties"`
	// Private holds what the cloud alone needs, such as the path of a package.
	Private map[string]string `json:"private,omitempty"`
	Created time.Time         `json:"created"`
	Updated time.Time         `json:"updated"`
}

// Clone returns a deep copy of r.
func (r Record) Clone() Record {
	r.Properties = cloneMap(r.Properties)
	r.Private = maps.Clone(r.Private)
	return r
}

func cloneMap(m map[string]any) map[string]any {
	if m == nil {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = cloneValue(v)
	}
	return out
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return cloneMap(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = cloneValue(v[i])
		}
		return out
	default:
		return v
	}
}

// ErrNotFound is returned by Get for a record that does not exist.
var ErrNotFound = errors.New("no such record")

// Store is a set of records in a directory. It is safe for concurrent use by
// one process; the caller holds the lock that keeps a second process away.
type Store struct {
	dir string
	now func() time.Time

	mu      sync.RWMutex
	records map[string]map[string]Record // by type, by key
}

// Open reads the records under dir, which is created if it does not exist. A
// file left half-written by a killed process has a temporary name and is
// removed; a record that cannot be read is an error that names its file.
func Open(dir string, now func() time.Time) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating the state directory: %w", err)
	}
	s := &Store{
		dir:     dir,
		now:     now,
		records: map[string]map[string]Record{},
	}
	files, err := fs.Glob(os.DirFS(dir), "*/*")
	if err != nil {
		return nil, fmt.Errorf("listing the state directory %s: %w", dir, err)
	}
	for _, name := range files {
		file := filepath.Join(dir, name)
		if strings.HasSuffix(file, temporary) {
			if err := os.Remove(file); err != nil {
				return nil, fmt.Errorf("removing the unfinished record %s: %w", file, err)
			}
			continue
		}
		if err := s.load(file); err != nil {
			return nil, err
		}
	}
	return s, nil
}

const (
	temporary = ".tmp"
	extension = ".json"
)

func (s *Store) load(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the record %s: %w", file, err)
	}
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return fmt.Errorf(
			"the record %s is damaged (%w): restore it from a copy, or remove it and deploy again",
			file,
			err,
		)
	}
	s.set(r)
	return nil
}

func (s *Store) set(r Record) {
	if s.records[r.Type] == nil {
		s.records[r.Type] = map[string]Record{}
	}
	s.records[r.Type][r.Key] = r
}

func (s *Store) path(typ, key string) string {
	return filepath.Join(s.dir, url.PathEscape(typ), url.PathEscape(key)+extension)
}

// Put writes r, and returns once it is on the disk.
func (s *Store) Put(r Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r = r.Clone()
	r.Updated = s.now().UTC()
	if old, ok := s.records[r.Type][r.Key]; ok {
		r.Created = old.Created
	} else {
		r.Created = r.Updated
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the record %s %s: %w", r.Type, r.Key, err)
	}
	if err := WriteFile(s.path(r.Type, r.Key), data, 0o600); err != nil {
		return fmt.Errorf("writing the record %s %s: %w", r.Type, r.Key, err)
	}
	s.set(r)
	return nil
}

// Get returns a copy of a record, or ErrNotFound.
func (s *Store) Get(typ, key string) (Record, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.records[typ][key]
	if !ok {
		return Record{}, fmt.Errorf("%s %s: %w", typ, key, ErrNotFound)
	}
	return r.Clone(), nil
}

// List returns copies of all records of a type, by key.
func (s *Store) List(typ string) []Record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Record, 0, len(s.records[typ]))
	for _, key := range slices.Sorted(maps.Keys(s.records[typ])) {
		out = append(out, s.records[typ][key].Clone())
	}
	return out
}

// Delete removes a record; removing one that does not exist is no error.
func (s *Store) Delete(typ, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.records[typ][key]; !ok {
		return nil
	}
	path := s.path(typ, key)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the record %s %s: %w", typ, key, err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return err
	}
	delete(s.records[typ], key)
	return nil
}

// WriteFile replaces the file at path as a whole: a reader, or a process that
// starts after a crash, sees the old content or the new, never a part of it.
func WriteFile(path string, data []byte, mode os.FileMode) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*"+temporary)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("flushing the directory %s: %w", dir, err)
	}
	return nil
}
