package provider

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// change is one difference between the inputs of two deployments.
type change struct {
	path    string
	kind    changeKind
	replace bool
}

type changeKind int

const (
	added changeKind = iota
	removed
	updated
)

// diff compares checked inputs. A value that is not known yet differs from
// any other.
func (t *Type) diff(old, in values) []change {
	return diffObject("", t.Properties, old, in, false)
}

func diffObject(path string, props []Property, old, in values, replace bool) []change {
	var out []change
	for _, p := range props {
		where := join(path, p.Name)
		replace := replace || p.Replace
		a, b := old[p.Name], in[p.Name]
		switch {
		case a == nil && b == nil:
		case b == nil && p.Computed:
			// AWS keeps the value that it chose or was once given.
		case a == nil:
			if !empty(b) {
				out = append(out, change{where, added, replace})
			}
		case b == nil:
			if !empty(a) {
				out = append(out, change{where, removed, replace})
			}
		case p.Kind == Object:
			ao, aok := a.(map[string]any)
			bo, bok := b.(map[string]any)
			if aok && bok {
				out = append(out, diffObject(where, p.Fields, ao, bo, replace)...)
			} else {
				out = append(out, change{where, updated, replace})
			}
		case !same(p, a, b):
			out = append(out, change{where, updated, replace})
		}
	}
	return out
}

// same compares two values as the AWS provider does.
func same(p Property, a, b any) bool {
	if !known(a) || !known(b) {
		return false
	}
	switch p.Kind {
	case Archive:
		x, xok := a.(*bundle)
		y, yok := b.(*bundle)
		return xok && yok && x.Hash == y.Hash && x.Hash != ""
	case Document:
		return equivalent(a, b)
	case Set:
		x, xok := a.([]any)
		y, yok := b.([]any)
		return xok && yok && slices.Equal(members(p, x), members(p, y))
	}
	return reflect.DeepEqual(a, b)
}

// members returns the elements of a set in a fixed order, without duplicates.
func members(p Property, l []any) []string {
	out := make([]string, 0, len(l))
	for _, e := range l {
		s := text(e)
		if data, err := json.Marshal(e); err == nil {
			s = string(data)
		}
		if p.Fold {
			s = strings.ToLower(s)
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// equivalent compares JSON documents by meaning: white space and the order of
// members do not matter.
func equivalent(a, b any) bool {
	x, xok := a.(string)
	y, yok := b.(string)
	if !xok || !yok {
		return false
	}
	var m, n any
	if json.Unmarshal([]byte(x), &m) != nil || json.Unmarshal([]byte(y), &n) != nil {
		return x == y
	}
	return reflect.DeepEqual(m, n)
}
