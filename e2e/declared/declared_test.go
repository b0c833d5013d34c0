// Package declared tests that a field needs no more than its declaration: the
// type that callers send gets a field of each kind in a copy of the project, and
// the function that is built from it checks, keeps and returns them all.
package declared

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"items-api/e2e/project"
	"items-api/e2e/rest"
	"items-api/internal/field"
	"items-api/internal/field/fieldtest"
)

var binary string

func TestMain(m *testing.M) { project.Main(m, &binary) }

// input is what callers send in the copy.
type input struct {
	Name string `json:"name" required:"true" minLength:"1" maxLength:"256"`
	fieldtest.Every
}

// declare adds the fields to the copy's declaration.
func declare(t *testing.T, dir string) {
	t.Helper()
	file := filepath.Join(dir, "internal", "api", "types.go")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, change := range [][2]string{
		{"package api\n", "package api\n\nimport \"items-api/internal/field/fieldtest\"\n"},
		{"type ItemInput struct {\n", "type ItemInput struct {\n\tfieldtest.Every\n"},
	} {
		if strings.Count(text, change[0]) != 1 {
			t.Fatalf("%q does not appear once in %s", change[0], file)
		}
		text = strings.Replace(text, change[0], change[1], 1)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFieldsOfEveryKindNeedOnlyTheirDeclaration(t *testing.T) {
	t.Parallel()
	p, err := project.Copy(binary, t.TempDir())
	if err == nil {
		err = p.Configure(map[string]any{"throttleRate": 10000, "throttleBurst": 5000})
	}
	if err != nil {
		t.Fatal(err)
	}
	declare(t, p.Dir)
	p.Serve(t)
	outputs, err := p.Outputs()
	if err != nil {
		t.Fatal(err)
	}
	url := fmt.Sprint(outputs["url"])
	of, err := field.Of(reflect.TypeFor[input]())
	if err != nil {
		t.Fatal(err)
	}
	samples := fieldtest.Objects(of)
	compare := func(by string, s fieldtest.Sample, body []byte) {
		t.Helper()
		if lost := s.Lost(body); lost != "" {
			t.Errorf("%s of %s gave %s: %s", by, s.JSON, body, lost)
		}
	}
	// One item takes all values in turn.
	last := ""
	for i, s := range samples {
		key := fmt.Sprint("key ", i)
		if last == "" {
			last = rest.Send(t, "POST", url+"/items", s.JSON).Want(t, 201).Header.Get("Location")
		}
		replaced := rest.Send(t, "PUT", url+last, s.JSON).Want(t, 200)
		compare("replace", s, replaced.Body)
		made := rest.Send(t, "POST", url+"/items", s.JSON, "Idempotency-Key", key).Want(t, 201)
		compare("create", s, made.Body)
		at := made.Header.Get("Location")
		again := rest.Send(t, "POST", url+"/items", s.JSON, "Idempotency-Key", key).Want(t, 201)
		compare("create again", s, again.Body)
		compare("get", s, rest.Send(t, "GET", url+at, nil).Want(t, 200).Body)
	}
	bad := rest.Send(
		t,
		"POST",
		url+"/items",
		`{"name":"x","text":"","needed":[-2],"int8":128,"flag":1}`,
	).Want(
		t,
		400,
	)
	for _, pointer := range []string{`"/text"`, `"/needed/0"`, `"/int8"`, `"/flag"`} {
		if !strings.Contains(string(bad.Body), pointer) {
			t.Errorf("%s is not refused: %s", pointer, bad.Body)
		}
	}
}
