package sqlitefile

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The kinds of pages of a tree.
const (
	indexInterior = 2
	tableInterior = 5
	indexLeaf     = 10
	tableLeaf     = 13
)

var errCell = errors.New("a record does not fit its page")

// node is a page of a tree.
type node struct {
	number uint32
	data   []byte
	head   int // where its header begins
	kind   byte
	cells  int
}

func (n node) leaf() bool { return n.kind == indexLeaf || n.kind == tableLeaf }

// pointers is where the list of the cells begins.
func (n node) pointers() int {
	if n.leaf() {
		return n.head + 8
	}
	return n.head + 12
}

// tree visits a tree from its root on. It hands each record of a table to
// read, unless that is nil.
func (w *walker) tree(root uint32, read func(payload []byte) error) error {
	for open := []uint32{root}; len(open) > 0; {
		number := open[len(open)-1]
		open = open[:len(open)-1]
		n, err := w.node(number)
		if err != nil {
			return err
		}
		if !n.leaf() {
			open = append(open, binary.BigEndian.Uint32(n.data[n.head+8:]))
		}
		for i := range n.cells {
			at := int(binary.BigEndian.Uint16(n.data[n.pointers()+2*i:]))
			child, err := w.cell(n, at, read)
			if err != nil {
				return fmt.Errorf("page %d: %w", number, err)
			}
			if child != 0 {
				open = append(open, child)
			}
		}
	}
	return nil
}

// node reads a page of a tree and notes which parts of it are not used: what is
// between the list of cells and the first of them, and what is between cells.
func (w *walker) node(number uint32) (node, error) {
	data, err := w.page(number)
	if err != nil {
		return node{}, err
	}
	n := node{number: number, data: data}
	if number == 1 {
		n.head = headerSize
	}
	n.kind, n.cells = data[n.head], int(binary.BigEndian.Uint16(data[n.head+3:]))
	switch n.kind {
	case indexInterior, tableInterior, indexLeaf, tableLeaf:
	default:
		return n, fmt.Errorf("the page %d is of the kind %d", number, n.kind)
	}
	end, begin := n.pointers()+2*n.cells, int(binary.BigEndian.Uint16(data[n.head+5:]))
	if begin == 0 {
		begin = 1 << 16
	}
	if end > begin || begin > w.usable {
		return n, fmt.Errorf("the page %d has its content at %d", number, begin)
	}
	w.blank(number, data, end, begin)
	return n, w.freeBlocks(n, begin)
}

// freeBlocks notes the blocks between cells, which begin with the next one and
// their own size.
func (w *walker) freeBlocks(n node, begin int) error {
	before := begin
	for at := int(binary.BigEndian.Uint16(n.data[n.head+1:])); at != 0; {
		if at < before || at+4 > w.usable {
			return fmt.Errorf("the page %d has a free block at %d", n.number, at)
		}
		size := int(binary.BigEndian.Uint16(n.data[at+2:]))
		if size < 4 || at+size > w.usable {
			return fmt.Errorf("the page %d has a free block of %d bytes at %d", n.number, size, at)
		}
		w.blank(n.number, n.data, at+4, at+size)
		before, at = at+size, int(binary.BigEndian.Uint16(n.data[at:]))
	}
	return nil
}

// cell visits a cell and returns the page below it, or 0.
func (w *walker) cell(n node, at int, read func([]byte) error) (child uint32, err error) {
	if at < n.pointers() || at+4 > w.usable {
		return 0, errCell
	}
	if !n.leaf() {
		child = binary.BigEndian.Uint32(n.data[at:])
		at += 4
	}
	if n.kind == tableInterior {
		return child, nil
	}
	length, at, err := varint(n.data, at)
	if err == nil && n.kind == tableLeaf {
		_, at, err = varint(n.data, at) // the row's id
	}
	if err != nil {
		return 0, err
	}
	local, rest := w.split(n.kind, int(length))
	if local < 0 || at+local > w.usable || rest > 0 && at+local+4 > w.usable {
		return 0, errCell
	}
	payload := n.data[at : at+local : at+local]
	if rest > 0 {
		more, err := w.overflow(binary.BigEndian.Uint32(n.data[at+local:]), rest)
		if err != nil {
			return 0, err
		}
		if read != nil {
			payload = append(payload, more...)
		}
	}
	if read != nil && n.kind == tableLeaf {
		err = read(payload)
	}
	return child, err
}

// split returns how much of a payload is in its cell and how much is in pages
// of overflow.
func (w *walker) split(kind byte, length int) (local, rest int) {
	most := w.usable - 35
	if kind != tableLeaf {
		most = (w.usable-12)*64/255 - 23
	}
	if length <= most {
		return length, 0
	}
	least := (w.usable-12)*32/255 - 23
	if local = least + (length-least)%(w.usable-4); local > most {
		local = least
	}
	return local, length - local
}

// overflow visits a chain of pages of overflow and returns what they hold.
func (w *walker) overflow(next uint32, length int) ([]byte, error) {
	var out []byte
	for length > 0 {
		number := next
		data, err := w.page(number)
		if err != nil {
			return nil, err
		}
		part := min(length, w.usable-4)
		out = append(out, data[4:4+part]...)
		w.blank(number, data, 4+part, w.usable)
		length, next = length-part, binary.BigEndian.Uint32(data)
	}
	if next != 0 {
		return nil, errCell
	}
	return out, nil
}

// schema visits the table of tables, whose tree begins on the first page, and
// returns where the other trees begin.
func (w *walker) schema() ([]uint32, error) {
	var roots []uint32
	err := w.tree(1, func(payload []byte) error {
		root, err := rootOf(payload)
		if err == nil && root != 0 {
			roots = append(roots, root)
		}
		return err
	})
	return roots, err
}

// rootOf returns the fourth column of a record of the table of tables: the
// number of the page where a tree begins, 0 for what has none.
func rootOf(record []byte) (uint32, error) {
	const column = 3
	length, at, err := varint(record, 0)
	if err != nil || length > uint64(len(record)) {
		return 0, errCell
	}
	body := int(length)
	for i := 0; ; i++ {
		var kind uint64
		if kind, at, err = varint(record[:length], at); err != nil {
			return 0, err
		}
		size := sizeOf(kind)
		if size < 0 || size > len(record)-body {
			return 0, errCell
		}
		if i < column {
			body += size
			continue
		}
		if kind == 9 {
			return 1, nil
		}
		var root uint32
		if kind >= 1 && kind <= 6 {
			for _, b := range record[body : body+size] {
				root = root<<8 | uint32(b)
			}
		}
		return root, nil
	}
}

// sizeOf returns how many bytes a value of a serial type takes.
func sizeOf(kind uint64) int {
	switch {
	case kind >= 12:
		return int((kind - 12) / 2)
	case kind > 9:
		return 0
	}
	return []int{0, 1, 2, 3, 4, 6, 8, 8, 0, 0}[kind]
}

// varint reads an integer of 1 to 9 bytes and returns where it ends.
func varint(data []byte, at int) (v uint64, end int, err error) {
	for i := range 9 {
		if at+i >= len(data) {
			return 0, 0, errCell
		}
		b := data[at+i]
		if i == 8 {
			return v<<8 | uint64(b), at + 9, nil
		}
		v = v<<7 | uint64(b&0x7f)
		if b < 0x80 {
			return v, at + i + 1, nil
		}
	}
	return 0, 0, errCell
}
