package provider

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestValuesOutsideOfTheModelsAreRefusedInThePreview checks a value just
// outside of every constraint of every type, and that what is not known yet
// passes.
func TestValuesOutsideOfTheModelsAreRefusedInThePreview(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	values, accepted := 0, 0
	for _, typ := range Types() {
		of := constraints()[typ.Token]
		for _, name := range slices.Sorted(maps.Keys(of)) {
			place := placeOf(t, typ, name)
			for _, v := range place.outside(of[name]) {
				values++
				if !refusedAt(s.p, typ, place, v) {
					accepted++
					t.Errorf("%s: %s takes %s, which %s does not", typ.Token, name, text(v), of[name].From)
				}
			}
			if refusedAt(s.p, typ, place, Unknown{}) {
				t.Errorf("%s: %s is refused when it is not known yet", typ.Token, name)
			}
		}
	}
	t.Logf("of %d values of %d types that the models refuse, %d are accepted",
		values, len(constraints()), accepted)
	if values < 400 {
		t.Errorf("only %d values were tried", values)
	}
}

// needed are inputs without which a property is refused whatever it is.
var needed = map[string]values{keyType: {"enableKeyRotation": true}}

// refusedAt reports whether a value at a place is refused with the name of the
// property.
func refusedAt(p *Provider, typ *Type, at place, v any) bool {
	in := at.input(v)
	maps.Copy(in, needed[typ.Token])
	_, failures := typ.check(p, nil, in, autonaming{resource: "x", random: "0123456789ab"})
	return slices.ContainsFunc(failures, func(f Failure) bool {
		return schemaPath(f.Property) == at.property && !strings.HasPrefix(f.Reason, "missing")
	})
}

// A place is where a value of a constraint goes.
type place struct {
	typ              *Type
	property, suffix string
	path             []Property
}

func placeOf(t *testing.T, typ *Type, name string) place {
	t.Helper()
	out := place{typ: typ, property: name}
	for _, suffix := range []string{elementOf, keyOf, valueOf} {
		if property, ok := strings.CutSuffix(name, suffix); ok {
			out.property, out.suffix = property, suffix
		}
	}
	props := typ.Properties
	for _, part := range strings.Split(out.property, ".") {
		i := slices.IndexFunc(props, func(p Property) bool { return p.Name == part })
		if i < 0 {
			t.Fatalf("%s has no property %s", typ.Token, out.property)
		}
		out.path = append(out.path, props[i])
		props = props[i].Fields
	}
	return out
}

func (p place) last() Property { return p.path[len(p.path)-1] }

// outside returns values just outside of the place's constraint.
func (p place) outside(c constraint) []any {
	kind := p.last().Kind
	if p.suffix != "" {
		kind = p.last().Elem
	}
	numeric := (kind == Int || kind == Number) && p.suffix != keyOf
	counted := p.suffix == "" && p.last().compound()
	return outside(c, numeric, counted, p.suffix != "" || p.last().Required || p.property == p.typ.Name)
}

// input returns inputs that have a value at the place and nothing else.
func (p place) input(v any) values {
	last := p.last()
	switch {
	case v == Unknown{}:
	case p.suffix == elementOf:
		v = []any{v}
	case p.suffix == keyOf:
		v = map[string]any{fmt.Sprint(v): map[Kind]any{String: "a", Number: 0.5}[last.Elem]}
	case p.suffix == valueOf:
		v = map[string]any{"aa": v}
	case last.Kind == Map:
		v = manyKeys(v, func(m map[string]any, i int) { m[fmt.Sprint("key", i)] = "a" })
	case last.compound():
		v = elements(last, v.(int))
	}
	for i := len(p.path) - 1; i >= 0; i-- {
		v = map[string]any{p.path[i].Name: v}
		if i > 0 && p.path[i-1].Kind != Object {
			v = []any{v}
		}
	}
	return v.(map[string]any)
}

func manyKeys(n any, add func(m map[string]any, i int)) map[string]any {
	out := map[string]any{}
	for i := range n.(int) {
		add(out, i)
	}
	return out
}

func elements(p Property, n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = fmt.Sprint("element", i)
		if len(p.Fields) > 0 {
			out[i] = map[string]any{}
		}
	}
	return out
}

func typeOf(t *testing.T, token string) *Type {
	t.Helper()
	all := Types()
	i := slices.IndexFunc(all, func(typ *Type) bool { return typ.Token == token })
	if i < 0 {
		t.Fatalf("there is no type %s", token)
	}
	return all[i]
}

func TestExceptionsSayWhy(t *testing.T) {
	t.Parallel()
	for _, e := range exceptions {
		if !strings.Contains(e.why, ": ") {
			t.Errorf("the exception for %s of %s has no reason with a source: %q", e.property, e.token, e.why)
		}
	}
	for token, m := range modelMap {
		for property, why := range m.free {
			at := placeOf(t, typeOf(t, token), property)
			if why == newer && at.last().Check == nil && at.last().Each == nil {
				t.Errorf("%s: %s is bounded neither by a model nor by hand", token, property)
			}
		}
	}
}
