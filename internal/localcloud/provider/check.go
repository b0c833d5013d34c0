package provider

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// defaultsKey is where the AWS provider notes which inputs it made up itself,
// so that a made-up name stays when the program still gives none.
const defaultsKey = "__defaults"

// autonaming is the engine's wish for a made-up name.
type autonaming struct {
	proposed string // "" if the engine proposes none
	enforce  bool
	disabled bool
	random   string // hexadecimal digits from the engine's random seed
	resource string // the resource's name in the program
	urn      string
}

// check validates the inputs of a resource and applies defaults. Problems come
// back all at once.
func (t *Type) check(p *Provider, olds, news values, naming autonaming) (values, []Failure) {
	news = news.clone()
	delete(news, defaultsKey)
	c := &checker{token: t.Token, named: t.Name}
	out := c.object("", t.Properties, news)
	if out == nil {
		out = values{}
	}
	made := c.name(t, olds, out, naming)
	if t.Check != nil {
		c.failures = append(c.failures, unrelated(c.failures, t.Check(p, out))...)
	}
	if t.CheckNew != nil && len(olds) == 0 {
		c.failures = append(c.failures, t.CheckNew(p, naming.urn, out)...)
	}
	out[defaultsKey] = made
	return out, c.failures
}

// unrelated drops problems with properties that were refused already, and
// therefore seem to be missing.
func unrelated(before, found []Failure) []Failure {
	return slices.DeleteFunc(found, func(f Failure) bool {
		return slices.ContainsFunc(before, func(b Failure) bool { return b.Property == f.Property })
	})
}

// longestReason is in characters: what is wrong with a long policy may quote it.
const longestReason = 1000

type checker struct {
	token    string // of the resource's type
	named    string // the property that is the resource's name, or ""
	failures []Failure
}

func (c *checker) fail(path, format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	if cut := []rune(reason); len(cut) > longestReason {
		reason = string(cut[:longestReason]) + "..."
	}
	c.failures = append(c.failures, Failure{path, reason})
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// object checks the properties of the resource or of a nested object.
func (c *checker) object(path string, props []Property, in map[string]any) values {
	out := values{}
	for name, v := range in {
		if strings.HasPrefix(name, "__") || v == nil {
			continue
		}
		i := slices.IndexFunc(props, func(p Property) bool { return p.Name == name })
		if i < 0 {
			c.fail(
				join(path, name),
				"the local cloud does not know the property %q; take it away, or deploy this resource to AWS",
				join(path, name),
			)
			continue
		}
		if v, ok := c.value(join(path, name), props[i], v); ok {
			out[name] = v
		}
	}
	for _, p := range props {
		switch {
		case out.has(p.Name) || in[p.Name] != nil:
		case p.Required:
			c.fail(join(path, p.Name), "missing required property %q", join(path, p.Name))
		case p.Default != nil:
			if v, ok := c.value(join(path, p.Name), p, clone(p.Default)); ok {
				out[p.Name] = v
			}
		}
	}
	return out
}

// value checks one value, and converts it as the AWS provider does. It
// reports false when there is no usable value.
func (c *checker) value(path string, p Property, v any) (any, bool) {
	if _, ok := v.(Unknown); ok {
		if p.Level == Refused {
			c.refuse(path, p)
			return nil, false
		}
		return v, true
	}
	if p.Level == Refused && len(p.Only) == 0 && p.compound() && !empty(v) {
		c.refuse(path, p)
		return nil, false
	}
	before := len(c.failures)
	if err := c.counted(path, p, v); err != nil {
		c.fail(path, "%s is invalid: %v", path, err)
	}
	out := c.convert(path, p, v)
	if len(c.failures) > before {
		return nil, false
	}
	if len(p.Only) > 0 &&
		!slices.ContainsFunc(p.Only, func(o any) bool { return reflect.DeepEqual(o, out) }) {
		c.fail(
			path,
			"the local cloud supports only %s for %q, not %s%s",
			quoted(p.Only),
			path,
			text(out),
			note(p),
		)
		return nil, false
	}
	if p.Level == Refused && len(p.Only) == 0 {
		if empty(out) {
			return nil, false
		}
		c.refuse(path, p)
		return nil, false
	}
	if p.Check != nil && known(out) {
		if err := p.Check(out); err != nil {
			c.fail(path, "%s is invalid: %v; got %s", path, err, text(out))
			return nil, false
		}
	}
	if err := c.constrain(path, p, out); err != nil {
		c.fail(path, "%s is invalid: %v; got %s", path, err, text(out))
	}
	if l, ok := out.([]any); ok {
		c.elements(path, p, l)
	}
	return out, len(c.failures) == before
}

func (c *checker) refuse(path string, p Property) {
	c.fail(
		path,
		"the local cloud does not support the property %q%s; take it away for local stacks, or deploy "+
			"this resource to AWS",
		path,
		note(p),
	)
}

func note(p Property) string {
	if p.Note == "" {
		return ""
	}
	return " (" + p.Note + ")"
}

func empty(v any) bool {
	switch v := v.(type) {
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	case bool:
		return !v
	case string:
		return v == ""
	}
	return false
}

// text returns a value as JSON for a message, at most 200 bytes of it. An
// archive is its name.
func text(v any) string {
	data, err := json.Marshal(named(v))
	if err != nil {
		return fmt.Sprintf("%v", v)
	}
	if len(data) > 200 {
		return string(data[:200]) + "..."
	}
	return string(data)
}

// named returns a value with the names of archives in their places.
func named(v any) any {
	switch v := v.(type) {
	case *bundle:
		return v.String()
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = named(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = named(e)
		}
		return out
	}
	return v
}

func quoted(only []any) string {
	var out []string
	for _, o := range only {
		out = append(out, text(o))
	}
	return strings.Join(out, " or ")
}

func (c *checker) convert(path string, p Property, v any) any {
	switch p.Kind {
	case List, Set:
		l, ok := v.([]any)
		if !ok {
			c.fail(path, "%q must be a list, not %s", path, text(v))
			return nil
		}
		out := make([]any, 0, len(l))
		for i, e := range l {
			out = append(out, c.element(fmt.Sprintf("%s[%d]", path, i), p, e))
		}
		return out
	case Map:
		m, ok := v.(map[string]any)
		if !ok {
			c.fail(path, "%q must be a map, not %s", path, text(v))
			return nil
		}
		out := map[string]any{}
		for k, e := range m {
			if e != nil {
				out[k] = c.element(join(path, k), p, e)
			}
		}
		return out
	case Object:
		m, ok := v.(map[string]any)
		if !ok {
			c.fail(path, "%q must be an object, not %s", path, text(v))
			return nil
		}
		return map[string]any(c.object(path, p.Fields, m))
	default:
		return c.scalar(path, p.Kind, v)
	}
}

func (c *checker) element(path string, p Property, e any) any {
	if _, ok := e.(Unknown); ok {
		return e
	}
	if len(p.Fields) > 0 {
		m, ok := e.(map[string]any)
		if !ok {
			c.fail(path, "%q must be an object, not %s", path, text(e))
			return nil
		}
		return map[string]any(c.object(path, p.Fields, m))
	}
	return c.scalar(path, p.Elem, e)
}

// scalar converts between strings, numbers and booleans where the AWS
// provider does: Pulumi configuration arrives as text.
func (c *checker) scalar(path string, kind Kind, v any) any {
	switch kind {
	case String:
		switch v := v.(type) {
		case string:
			return v
		case bool:
			return strconv.FormatBool(v)
		case float64:
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
		c.fail(path, "%q must be a string, not %s", path, text(v))
	case Bool:
		if b, ok := v.(bool); ok {
			return b
		}
		if s, ok := v.(string); ok && (s == "true" || s == "false") {
			return s == "true"
		}
		c.fail(path, "%q must be true or false, not %s", path, text(v))
	case Int, Number:
		n, ok := v.(float64)
		if s, text := v.(string); text {
			parsed, err := strconv.ParseFloat(s, 64)
			n, ok = parsed, err == nil
		}
		if !ok || math.IsNaN(n) || math.IsInf(n, 0) || kind == Int && n != math.Trunc(n) {
			c.fail(path, "%q must be %s, not %s", path, map[Kind]string{
				Int:    "a whole number",
				Number: "a number",
			}[kind], text(v))
			return nil
		}
		return n
	case Archive:
		if a, ok := v.(*bundle); ok {
			return a
		}
		c.fail(path, "%q must be an archive, not %s", path, text(v))
	case Document:
		if !known(v) {
			return Unknown{}
		}
		s, err := document(v)
		if err != nil {
			c.fail(path, "%q: %v", path, err)
			return nil
		}
		return s
	}
	return nil
}

// name fills in a made-up name, and returns the list of made-up properties.
func (c *checker) name(t *Type, olds, out values, naming autonaming) []any {
	if t.Name == "" || out.has(t.Name) {
		return []any{}
	}
	made := []any{t.Name}
	if old := olds.str(t.Name); old != "" && slices.Contains(olds.list(defaultsKey), any(t.Name)) &&
		(t.NamePrefix == "" || strings.HasPrefix(old, out.str(t.NamePrefix))) {
		out[t.Name] = old
		return made
	}
	prefix := out.str(t.NamePrefix)
	switch {
	case prefix != "":
		out[t.Name] = prefix + naming.random
	case naming.disabled:
		c.fail(t.Name, "%q must be given, because automatic naming is switched off", t.Name)
		return []any{}
	case naming.proposed != "":
		out[t.Name] = naming.proposed
	default:
		out[t.Name] = naming.resource + "-" + naming.random[:min(7, len(naming.random))]
	}
	name := out.str(t.Name)
	if t.NameMax > 0 && len(name) > t.NameMax {
		keep := max(0, t.NameMax-8)
		out[t.Name] = name[:min(keep, len(name))] + "-" + naming.random[:min(7, len(naming.random))]
	}
	if t.NameLower {
		out[t.Name] = strings.ToLower(out.str(t.Name))
	}
	p := *t.property(t.Name)
	err := c.constrain(t.Name, p, out[t.Name])
	if p.Check != nil {
		err = cmp.Or(p.Check(out[t.Name]), err)
	}
	if err != nil {
		c.fail(t.Name, "the name %q made from the resource's name is invalid: %v; give %q explicitly",
			out.str(t.Name), err, t.Name)
	}
	return made
}
