package field

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Problem is what is wrong with a field.
type Problem struct {
	Path    string // a JSON pointer (RFC 6901)
	Message string
}

const (
	// maxDepth bounds how deep a body may be nested.
	maxDepth = 32
	// maxProblems bounds how many problems are reported, and maxSegment how
	// many bytes of a name stand in their paths: an answer must not be larger
	// than its request.
	maxProblems = 100
	maxSegment  = 64
)

// Decode reads JSON into the struct that v points to, strictly: unknown fields,
// wrong kinds, duplicate fields, text that is not Unicode, text after the object
// and broken constraints are problems. All are reported at once, up to 100,
// sorted by their paths. An error means that the type of v cannot be read.
func Decode(data []byte, v any) ([]Problem, error) {
	out := reflect.ValueOf(v).Elem()
	t, err := Of(out.Type())
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(data) {
		return []Problem{{"", "the body is not UTF-8"}}, nil
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return []Problem{{"", "the body is missing; it must be a JSON object"}}, nil
	}
	d := &decoder{}
	tree, err := d.read(data)
	if err != nil {
		return []Problem{{"", "the body is no JSON: " + err.Error()}}, nil
	}
	if len(d.broken) > 0 {
		return d.broken, nil // names may be equal only now
	}
	object, ok := tree.(map[string]any)
	if !ok {
		return []Problem{{"", "the body must be a JSON object"}}, nil
	}
	d.object("", object, t, out)
	return d.sorted(), nil
}

// DecodeText reads texts by name, such as the parameters of a request, into the
// struct that v points to, as Decode does. The problems have names as paths.
func DecodeText(texts map[string]string, v any) ([]Problem, error) {
	out := reflect.ValueOf(v).Elem()
	t, err := Of(out.Type())
	if err != nil {
		return nil, err
	}
	in := make(map[string]any, len(texts))
	for name, text := range texts {
		in[name] = text
	}
	for _, f := range t.Fields {
		if text, given := texts[f.Name]; given {
			in[f.Name] = fromText(text, f.Type.Kind)
		}
	}
	d := &decoder{noun: "parameter"}
	d.object("", in, t, out)
	for i, p := range d.problems {
		d.problems[i].Path = unescaper.Replace(strings.TrimPrefix(p.Path, "/"))
	}
	return d.sorted(), nil
}

// fromText returns what a text means for a kind; the text itself if it is no
// value of it.
func fromText(text string, kind Kind) any {
	switch kind {
	case Integer, Number:
		if _, ok := parseDecimal(text); ok {
			return json.Number(text)
		}
	case Boolean:
		if text == "true" || text == "false" {
			return text == "true"
		}
	}
	return text
}

type decoder struct {
	json     *json.Decoder
	data     []byte
	at       []string // where the value that is read stands
	noun     string   // what a field is called at the top; "field" if empty
	problems []Problem
	broken   []Problem // texts that are not Unicode
}

func (d *decoder) sorted() []Problem {
	slices.SortFunc(d.problems, func(a, b Problem) int {
		return strings.Compare(a.Path+a.Message, b.Path+b.Message)
	})
	return d.problems
}

func (d *decoder) fail(path, format string, args ...any) {
	if !d.full() {
		d.problems = append(d.problems, Problem{path, fmt.Sprintf(format, args...)})
	}
}

func (d *decoder) full() bool { return len(d.problems) >= maxProblems }

var (
	escaper   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// segment is a name in a JSON pointer, shortened if it is long.
func segment(name string) string {
	if len(name) > maxSegment {
		name = strings.ToValidUTF8(name[:maxSegment], "") + "..."
	}
	return "/" + escaper.Replace(name)
}

// path is where the value that is read stands.
func (d *decoder) path() string {
	var b strings.Builder
	for _, name := range d.at {
		b.WriteString(segment(name))
	}
	return b.String()
}

// read reads one value and nothing after it. Numbers stay as they are written.
func (d *decoder) read(data []byte) (any, error) {
	d.data = data
	d.json = json.NewDecoder(bytes.NewReader(data))
	d.json.UseNumber()
	tree, err := d.next()
	if err != nil {
		return nil, err
	}
	if _, err = d.json.Token(); err == nil {
		return nil, errors.New("there is more after the JSON object")
	} else if err != io.EOF {
		return nil, err
	}
	return tree, nil
}

// token reads one token. A text that is not Unicode is a problem at its place:
// the decoder would put U+FFFD there, and make one text of two.
func (d *decoder) token() (json.Token, error) {
	from := d.json.InputOffset()
	token, err := d.json.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && unpaired(d.data[from:d.json.InputOffset()]) {
		p := Problem{d.path(), "it has half of a surrogate pair, which is no Unicode text"}
		if len(d.broken) < maxProblems && !slices.Contains(d.broken, p) {
			d.broken = append(d.broken, p)
		}
	}
	return token, err
}

// next reads one value, and notes fields that stand twice.
func (d *decoder) next() (any, error) {
	if len(d.at) > maxDepth {
		return nil, fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	}
	token, err := d.token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return d.readObject()
	case json.Delim('['):
		out := []any{}
		for d.json.More() {
			v, err := d.below(strconv.Itoa(len(out)))
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		_, err := d.token()
		return out, err
	}
	return token, nil
}

func (d *decoder) below(name string) (any, error) {
	d.at = append(d.at, name)
	v, err := d.next()
	d.at = d.at[:len(d.at)-1]
	return v, err
}

func (d *decoder) readObject() (any, error) {
	out := map[string]any{}
	for d.json.More() {
		name, err := d.token()
		if err != nil {
			return nil, err
		}
		key, _ := name.(string)
		v, err := d.below(key)
		if err != nil {
			return nil, err
		}
		if _, twice := out[key]; twice && !d.full() {
			d.fail(d.path()+segment(key), "the field stands twice")
		}
		out[key] = v
	}
	_, err := d.token()
	return out, err
}

// unpaired reports whether a piece of JSON that is one token has an escape of a
// surrogate without its other half.
func unpaired(token []byte) bool {
	for {
		i := bytes.IndexByte(token, '\\')
		if i < 0 || i+1 >= len(token) {
			return false
		}
		r := escaped(token[i:])
		switch {
		case r < 0:
			token = token[i+2:]
		case !isSurrogate(r):
			token = token[i+6:]
		case r >= lowSurrogates || !isLow(escaped(token[i+6:])):
			return true
		default:
			token = token[i+12:]
		}
	}
}

const highSurrogates, lowSurrogates, endOfSurrogates = 0xd800, 0xdc00, 0xe000

func isSurrogate(r int64) bool { return r >= highSurrogates && r < endOfSurrogates }

func isLow(r int64) bool { return r >= lowSurrogates && r < endOfSurrogates }

// escaped returns what an escape such as \u00e4 at the beginning stands for, -1
// if there is none.
func escaped(text []byte) int64 {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return int64(n)
}
