// Package sqlitefile overwrites what a SQLite database file keeps of records
// that were deleted. It knows the file format and nothing of what is in it, and
// imports nothing of the local cloud. Source of the format: "Database File
// Format", sqlite.org/fileformat2.html.
package sqlitefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

const (
	headerSize = 100
	// lockByte is where SQLite locks files; the page around it is not used.
	lockByte = 1 << 30
)

// ErrBusy means that the file was left in the middle of a change, which SQLite
// takes back when it opens the file the next time.
var ErrBusy = errors.New("the database file has a journal: it was left in the middle of a change")

// Scrub overwrites with zeros all bytes of a database file in which nothing is
// kept any more: free pages, and the unused parts of the others. Nobody may have
// the file open. What is written over has no meaning, so that the file is the
// same database at any moment, also if the process is killed. A file that is not
// understood to its last page is an error, and is left as it is.
func Scrub(path string) error {
	for _, journal := range []string{path + "-journal", path + "-wal"} {
		info, err := os.Stat(journal)
		if err == nil && info.Size() > 0 {
			return ErrBusy
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = scrub(f)
	return errors.Join(err, f.Close())
}

func scrub(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	w, err := open(f, info.Size())
	if err == nil {
		err = w.all()
	}
	if err != nil {
		return fmt.Errorf("reading the database file %s: %w", f.Name(), err)
	}
	for _, s := range w.unused {
		if _, err := f.WriteAt(make([]byte, s.length), s.offset); err != nil {
			return fmt.Errorf("overwriting what was deleted in %s: %w", f.Name(), err)
		}
	}
	if len(w.unused) == 0 {
		return nil
	}
	return f.Sync()
}

// span is a part of the file in which nothing is kept, and which is not zero.
type span struct {
	offset int64
	length int
}

// walker reads each page once and collects what is not used.
type walker struct {
	f      *os.File
	size   int // of a page in bytes
	usable int // the part of it that SQLite uses
	pages  uint32
	free   uint32 // the first page of the list of free ones
	seen   []bool // by number, from 1 on
	unused []span
}

func open(f *os.File, size int64) (*walker, error) {
	head := make([]byte, headerSize)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(head, []byte("SQLite format 3\x00")) {
		return nil, errors.New("it is not a SQLite database")
	}
	w := &walker{
		f:    f,
		size: int(binary.BigEndian.Uint16(head[16:])),
		free: binary.BigEndian.Uint32(head[32:]),
	}
	if w.size == 1 {
		w.size = 1 << 16
	}
	w.usable = w.size - int(head[20])
	if w.size < 512 || w.usable < 480 || size%int64(w.size) != 0 {
		return nil, fmt.Errorf("it has %d bytes and pages of %d", size, w.size)
	}
	if binary.BigEndian.Uint32(head[52:]) != 0 {
		return nil, errors.New("it is one with auto-vacuum, which is not supported")
	}
	w.pages = uint32(size / int64(w.size))
	w.seen = make([]bool, w.pages+1)
	return w, nil
}

// all visits the trees of all tables and indexes and the free pages, which must
// be all pages that there are.
func (w *walker) all() error {
	roots, err := w.schema()
	if err != nil {
		return err
	}
	for _, root := range roots {
		if err := w.tree(root, nil); err != nil {
			return err
		}
	}
	if err := w.freeList(); err != nil {
		return err
	}
	for n := uint32(1); n <= w.pages; n++ {
		if !w.seen[n] && n != uint32(lockByte/w.size)+1 {
			return fmt.Errorf("the page %d belongs to nothing", n)
		}
	}
	return nil
}

// freeList visits the free pages: those of a chain, which list the others.
func (w *walker) freeList() error {
	for next := w.free; next != 0; {
		trunk, err := w.page(next)
		if err != nil {
			return err
		}
		leaves := int(binary.BigEndian.Uint32(trunk[4:]))
		if leaves < 0 || 8+4*leaves > w.usable {
			return fmt.Errorf("the page %d lists %d free pages", next, leaves)
		}
		w.blank(next, trunk, 8+4*leaves, w.size)
		for i := range leaves {
			n := binary.BigEndian.Uint32(trunk[8+4*i:])
			leaf, err := w.page(n)
			if err != nil {
				return err
			}
			w.blank(n, leaf, 0, w.size)
		}
		next = binary.BigEndian.Uint32(trunk)
	}
	return nil
}

// page reads a page that was not read before.
func (w *walker) page(n uint32) ([]byte, error) {
	if n == 0 || n > w.pages {
		return nil, fmt.Errorf("there is no page %d", n)
	}
	if w.seen[n] {
		return nil, fmt.Errorf("the page %d belongs to two", n)
	}
	w.seen[n] = true
	data := make([]byte, w.size)
	_, err := w.f.ReadAt(data, int64(n-1)*int64(w.size))
	return data, err
}

// blank notes that nothing is kept in a part of a page.
func (w *walker) blank(n uint32, page []byte, from, to int) {
	part := page[from:to]
	if bytes.Count(part, []byte{0}) < len(part) {
		w.unused = append(w.unused, span{int64(n-1)*int64(w.size) + int64(from), to - from})
	}
}
