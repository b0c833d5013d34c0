// Package seeds gives fuzz targets the inputs that earlier fuzzing found worth
// keeping. They are in one file for each target, testdata/seeds/<target>.txt,
// since Go's own layout has a file for each input. It is for tests only, and
// imports nothing of the project.
package seeds

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Add adds the inputs of a target. The values of an input are lines as in Go's
// own corpus files, string("...") or []byte("..."), and inputs are divided by
// empty lines. To keep what fuzzing found, add the lines of the file that Go has
// written below testdata/fuzz, without its first one, and remove that file.
func Add(f *testing.F) {
	f.Helper()
	file := filepath.Join("testdata", "seeds", f.Name()+".txt")
	data, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	inputs, err := parse(string(data))
	if err != nil {
		f.Fatalf("%s: %v", file, err)
	}
	for _, in := range inputs {
		f.Add(in...)
	}
}

func parse(text string) ([][]any, error) {
	var out [][]any
	var input []any
	for number, line := range strings.Split(text+"\n", "\n") {
		if line == "" {
			if len(input) > 0 {
				out = append(out, input)
			}
			input = nil
			continue
		}
		v, err := value(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number+1, err)
		}
		input = append(input, v)
	}
	return out, nil
}

func value(line string) (any, error) {
	kind, rest, _ := strings.Cut(line, "(")
	quoted, ok := strings.CutSuffix(rest, ")")
	if !ok {
		return nil, fmt.Errorf("%q is not a value such as string(\"a\")", line)
	}
	s, err := strconv.Unquote(quoted)
	if err != nil {
		return nil, fmt.Errorf("the value %q: %w", quoted, err)
	}
	switch kind {
	case "string":
		return s, nil
	case "[]byte":
		return []byte(s), nil
	default:
		return nil, fmt.Errorf("%q is not string or []byte", kind)
	}
}
