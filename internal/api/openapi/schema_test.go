package openapi

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"items-api/internal/api"
	"items-api/internal/field"
	"items-api/internal/field/fieldtest"
)

// compiled is the schema that the document has for a type, as other programs
// understand it.
func compiled(t testing.TB, v any, d direction) *jsonschema.Schema {
	t.Helper()
	s := newSchemas()
	root, err := s.of(v, d)
	if err != nil {
		t.Fatal(err)
	}
	doc := map[string]any{"$ref": root.Ref, "components": map[string]any{"schemas": s.all}}
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("mem:///document.json", tree); err != nil {
		t.Fatal(err)
	}
	out, err := c.Compile("mem:///document.json")
	if err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return out
}

// unsaid are reasons to refuse a value for which JSON Schema has no words.
var unsaid = []string{
	"bytes as JSON",
	"stands twice",
	"than a number of",
	"than a whole number of",
	"surrogate",
	"nested deeper",
}

func unsayable(problems []field.Problem) bool {
	for _, p := range problems {
		for _, reason := range unsaid {
			if strings.Contains(p.Message, reason) {
				return true
			}
		}
	}
	return false
}

// agree tests that the document's schema and the decoder say the same of a body.
func agree(t *testing.T, s *jsonschema.Schema, data []byte) {
	t.Helper()
	tree, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil || fieldtest.Incomparable(data) {
		return
	}
	var v fieldtest.Every
	problems, err := field.Decode(data, &v)
	if err != nil {
		t.Fatal(err)
	}
	valid := s.Validate(tree)
	switch {
	case len(problems) == 0 && valid != nil:
		t.Errorf("%s is accepted, and the document refuses it: %v", data, valid)
	case valid == nil && len(problems) > 0 && !unsayable(problems):
		t.Errorf("%s is refused, and the document accepts it: %v", data, problems)
	}
}

func TestEveryConstraintOfTheDocumentIsEnforcedAndNoOther(t *testing.T) {
	t.Parallel()
	s := compiled(t, fieldtest.Every{}, inRequest)
	of, err := field.Of(reflect.TypeFor[fieldtest.Every]())
	if err != nil {
		t.Fatal(err)
	}
	values := []string{
		`null`,
		`0`,
		`-6`,
		`1e3`,
		`0.5`,
		`1e30`,
		`""`,
		`"x"`,
		`"` + strings.Repeat(
			"ä",
			301,
		) + `"`,
		`true`,
		`[]`,
		`[null]`,
		`[1,2,3,4]`,
		`[[]]`,
		`[[10]]`,
		`["abc"]`,
		`{}`,
		`{"a":""}`,
		`{"a":[1,2,3]}`,
		`{"city":"x","zip":"1"}`,
		`{"city":"x","town":1}`,
		`[{"city":""}]`,
		`"2024-02-30"`,
		`"2024-02-30T00:00:00Z"`,
	}
	for _, sample := range fieldtest.Objects(of) {
		agree(t, s, []byte(sample.JSON))
		values = append(values, sample.Value)
	}
	const edges = "5 -5 3 -3 1.5 100.5 101 127 128 -128 -129 255 256 32768 65536 2147483648 4294967296"
	values = append(values, strings.Fields(edges)...)
	n := 0
	// Each field takes the values of all others.
	for _, f := range append(of.Fields, field.Field{Name: "unknown"}) {
		for _, v := range values {
			for _, required := range []string{`"text":"x","needed":[],`, `"text":"x",`, ``} {
				if strings.Contains(required, `"`+f.Name+`"`) {
					required = ``
				}
				agree(t, s, []byte(`{`+required+`"`+f.Name+`":`+v+`}`))
				n++
			}
		}
	}
	t.Logf("%d bodies", n)
}

// What is returned fits the document too.
func TestAnswersFitTheirSchema(t *testing.T) {
	t.Parallel()
	s := compiled(t, fieldtest.Every{}, inResponse)
	of, err := field.Of(reflect.TypeFor[fieldtest.Every]())
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range fieldtest.Objects(of) {
		var v fieldtest.Every
		if _, err := field.Decode([]byte(sample.JSON), &v); err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(tree); err != nil {
			t.Errorf("%s: %v", data, err)
		}
	}
}

func TestTypeInBothDirectionsIsDescribedTwice(t *testing.T) {
	t.Parallel()
	s := newSchemas()
	out, err := s.of(api.ItemRef{}, inResponse)
	if err != nil {
		t.Fatal(err)
	}
	in, err := s.of(api.ItemRef{}, inRequest)
	if err != nil || out.Ref != "#/components/schemas/ItemRef" ||
		in.Ref != "#/components/schemas/ItemRefInput" {
		t.Errorf("got %s and %s, %v", out.Ref, in.Ref, err)
	}
	if s.all["ItemRef"].AdditionalProperties != nil || s.all["ItemRefInput"].AdditionalProperties != false {
		t.Errorf("got %+v", s.all)
	}
	type ItemRef struct {
		Other string `json:"other"`
	}
	if _, err := s.of(ItemRef{}, inResponse); err == nil {
		t.Error("two types have one name")
	}
}

// FuzzSchema looks for bodies of which the document and the decoder say
// different things.
func FuzzSchema(f *testing.F) {
	s := compiled(f, fieldtest.Every{}, inRequest)
	f.Add(
		[]byte(
			`{"text":"x","needed":[1],"place":{"city":"c"},"labels":{"a":"b"},"percent":100.0,"any":null}`,
		),
	)
	f.Fuzz(func(t *testing.T, data []byte) { agree(t, s, data) })
}
