// Command density measures how much a reader meets on a line of Go code, so that
// this project can be held against others: `go run ./density [folder ...]` in
// tools/style, or `make density`. Generated files and testdata are left out. A tab counts as 4 columns.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// generated is the line that generated code has. Source: go.dev/s/generatedcode.
var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// skipped are folders without code of the project's own.
var skipped = []string{"testdata", "vendor", "node_modules"}

// limits are the widths, in columns, above which lines are counted.
var limits = []int{110, 120, 160, 200}

// figures are what is measured of a set of files.
type figures struct {
	files, code, tokens int // code: lines with at least one token
	dense               int // lines with three and more keyed fields
	widths              []int
}

func (f *figures) add(src []byte) error {
	f.files++
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, "", src, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	lines := f.scan(src)
	for i, line := range strings.Split(string(src), "\n") {
		if !lines[i+1] {
			continue
		}
		f.code++
		f.widths = append(f.widths, utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")))
	}
	keyed := map[int]int{}
	ast.Inspect(tree, func(n ast.Node) bool {
		if kv, ok := n.(*ast.KeyValueExpr); ok {
			if _, ok := kv.Key.(*ast.Ident); ok {
				keyed[set.Position(kv.Pos()).Line]++
			}
		}
		return true
	})
	for _, n := range keyed {
		if n >= 3 {
			f.dense++
		}
	}
	return nil
}

// scan counts tokens, and returns the lines that have one.
func (f *figures) scan(src []byte) map[int]bool {
	set := token.NewFileSet()
	file := set.AddFile("", set.Base(), len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0)
	lines := map[int]bool{}
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			return lines
		}
		if tok == token.SEMICOLON && text == "\n" {
			continue
		}
		f.tokens++
		lines[file.Line(pos)] = true
	}
}

func (f *figures) over(limit int) int {
	n := 0
	for _, w := range f.widths {
		if w > limit {
			n++
		}
	}
	return n
}

// percentile returns the width that p hundredths of the lines do not exceed.
func (f *figures) percentile(p int) int {
	if len(f.widths) == 0 {
		return 0
	}
	slices.Sort(f.widths)
	return f.widths[(len(f.widths)-1)*p/100]
}

func head() []string {
	out := []string{
		"",
		"files",
		"lines of code",
		"tokens a line",
		"lines with 3 and more keyed fields, per 1,000",
		"95th percentile of width",
	}
	for _, l := range limits {
		out = append(out, fmt.Sprintf("over %d", l))
	}
	return out
}

func (f *figures) row(name string) string {
	lines := max(f.code, 1)
	cells := []string{
		name,
		fmt.Sprint(f.files),
		fmt.Sprint(f.code),
		fmt.Sprintf("%.1f", float64(f.tokens)/float64(lines)),
		fmt.Sprintf("%.1f", 1000*float64(f.dense)/float64(lines)),
		fmt.Sprint(f.percentile(95)),
	}
	for _, l := range limits {
		cells = append(cells, fmt.Sprint(f.over(l)))
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

func measure(root string) (code, tests figures, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (d.Name()[0] == '.' || slices.Contains(skipped, d.Name())) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil || generated.Match(src[:min(len(src), 2000)]) {
			return err
		}
		if strings.HasSuffix(path, "_test.go") {
			return tests.add(src)
		}
		return code.add(src)
	})
	return code, tests, err
}

func main() {
	roots := os.Args[1:]
	if len(roots) == 0 {
		roots = []string{".."}
	}
	fmt.Println("| " + strings.Join(head(), " | ") + " |")
	fmt.Println("|" + strings.Repeat(" --- |", len(head())))
	for _, root := range roots {
		code, tests, err := measure(root)
		if err != nil {
			fmt.Fprintln(os.Stderr, "density:", err)
			os.Exit(1)
		}
		fmt.Println(code.row(root))
		fmt.Println(tests.row(root + ", tests"))
	}
}
