package provider

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const schemaFile = "schema.json"

// schemaDocument is a package as Pulumi's schema language describes it. Source:
// pkg/codegen/schema/schema.go of github.com/pulumi/pulumi.
type schemaDocument struct {
	Name        string                  `json:"name"`
	Version     string                  `json:"version"`
	Description string                  `json:"description"`
	Meta        map[string]any          `json:"meta"`
	Language    map[string]any          `json:"language"`
	Types       map[string]schemaObject `json:"types"`
	Provider    schemaObject            `json:"provider"`
	Resources   map[string]schemaObject `json:"resources"`
}

type schemaObject struct {
	Type            string                    `json:"type,omitempty"`
	Properties      map[string]map[string]any `json:"properties,omitempty"`
	Required        []string                  `json:"required,omitempty"`
	InputProperties map[string]map[string]any `json:"inputProperties,omitempty"`
	RequiredInputs  []string                  `json:"requiredInputs,omitempty"`
}

// schemaOf describes the supported types as Pulumi's SDK has them.
func schemaOf(t *testing.T) *schemaDocument {
	t.Helper()
	text := map[string]any{"type": "string"}
	d := &schemaDocument{
		Name:        "aws",
		Version:     Version,
		Description: "The types of the aws package that the local cloud supports.",
		Meta:        map[string]any{"moduleFormat": "(.*)(?:/[^/]*)"},
		Language: map[string]any{
			"go":     map[string]any{"importBasePath": "github.com/pulumi/pulumi-aws/sdk/v6/go/aws"},
			"nodejs": map[string]any{"packageName": "@pulumi/aws"},
			"python": map[string]any{"packageName": "pulumi_aws"},
		},
		Types:     map[string]schemaObject{},
		Provider:  schemaObject{InputProperties: map[string]map[string]any{"region": text}},
		Resources: map[string]schemaObject{},
	}
	for _, typ := range Types() {
		s := sdk[typ.Token]
		r := schemaObject{
			InputProperties: d.properties(s[0].(described).ElementType(), typ.Properties),
			Properties:      d.properties(reflect.TypeOf(s[1]), typ.Properties),
			RequiredInputs:  required(typ.Properties),
		}
		d.Resources[typ.Token] = r
	}
	return d
}

func required(props []Property) []string {
	var out []string
	for _, p := range props {
		if p.Required {
			out = append(out, p.Name)
		}
	}
	slices.Sort(out)
	return out
}

func (d *schemaDocument) properties(t reflect.Type, props []Property) map[string]map[string]any {
	out := map[string]map[string]any{}
	for i := range t.NumField() {
		f := t.Field(i)
		name := f.Tag.Get("pulumi")
		if name == "" {
			continue
		}
		var p Property
		if j := slices.IndexFunc(props, func(p Property) bool { return p.Name == name }); j >= 0 {
			p = props[j]
		}
		out[name] = d.kind(plainType(f.Type), p)
	}
	return out
}

// plainType returns the type of the value of an output.
func plainType(t reflect.Type) reflect.Type {
	if o, ok := reflect.Zero(t).Interface().(pulumi.Output); ok {
		return o.ElementType()
	}
	return t
}

func (d *schemaDocument) kind(t reflect.Type, p Property) map[string]any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[pulumi.Archive]():
		return map[string]any{"$ref": "pulumi.json#/Archive"}
	case t.Kind() == reflect.String, t.Kind() == reflect.Interface && p.Kind == Document:
		return map[string]any{"type": "string"}
	case t.Kind() == reflect.Interface:
		return map[string]any{"$ref": "pulumi.json#/Any"}
	case t.Kind() == reflect.Bool:
		return map[string]any{"type": "boolean"}
	case t.Kind() == reflect.Int:
		return map[string]any{"type": "integer"}
	case t.Kind() == reflect.Float64:
		return map[string]any{"type": "number"}
	case t.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "items": d.kind(t.Elem(), p)}
	case t.Kind() == reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": d.kind(t.Elem(), p)}
	}
	return map[string]any{"$ref": "#/types/" + d.object(t, p)}
}

// object describes an object of a property and returns its token.
func (d *schemaDocument) object(t reflect.Type, p Property) string {
	_, module, _ := strings.Cut(t.PkgPath(), "/go/aws/")
	token := "aws:" + module + "/" + t.Name() + ":" + t.Name()
	if _, done := d.Types[token]; !done {
		d.Types[token] = schemaObject{} // it may hold itself
		d.Types[token] = schemaObject{
			Type:       "object",
			Properties: d.properties(t, p.Fields),
			Required:   required(p.Fields),
		}
	}
	return token
}

func TestSchemaIsMadeFromTheSDK(t *testing.T) {
	d := schemaOf(t)
	want, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	// A line for each resource and each type.
	text := strings.NewReplacer(`"aws:`, "\n\"aws:", `},"`, "},\n\"").Replace(string(want)) + "\n"
	if *update {
		if err := os.WriteFile(schemaFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if schemaText != text {
		t.Error(
			schemaFile + " is out of date: run " +
				"go test ./internal/localcloud/provider -run TestSchemaIsMade -update",
		)
	}
	if got := slices.Sorted(maps.Keys(d.Resources)); len(got) != len(Types()) {
		t.Errorf("the schema has %d types of %d", len(got), len(Types()))
	}
}
