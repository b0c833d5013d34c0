package provider

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// AWS's API models, as they come with version 1 of its SDK for Go. Nothing of
// that module is linked into a program; it is a requirement of tools alone,
// whose go.sum says what it has to be.
const modelsModule = "github.com/aws/aws-sdk-go"

// modelFiles are the models by service.
var modelFiles = map[string]string{
	"acm":          "acm/2015-12-08",
	"apigatewayv2": "apigatewayv2/2018-11-29",
	"cloudtrail":   "cloudtrail/2013-11-01",
	"cloudwatch":   "monitoring/2010-08-01",
	"codedeploy":   "codedeploy/2014-10-06",
	"cognito-idp":  "cognito-idp/2016-04-18",
	"dynamodb":     "dynamodb/2012-08-10",
	"ec2":          "ec2/2016-11-15",
	"iam":          "iam/2010-05-08",
	"kms":          "kms/2014-11-01",
	"lambda":       "lambda/2015-03-31",
	"logs":         "logs/2014-03-28",
	"route53":      "route53/2013-04-01",
	"s3":           "s3/2006-03-01",
}

type apiModel struct {
	Operations map[string]struct{ Input shapeRef }
	Shapes     map[string]shape
}

type shapeRef struct{ Shape string }

type shape struct {
	Type    string
	Members map[string]shapeRef
	Member  shapeRef
	Key     shapeRef
	Value   shapeRef
	Min     *float64
	Max     *float64
	Pattern string
	Enum    []string
}

// readModels reads the models of all services, from Go's module cache or else
// from the module proxy.
func readModels(t *testing.T) map[string]apiModel {
	t.Helper()
	download := exec.Command("go", "mod", "download", "-json", modelsModule)
	download.Dir = filepath.Join("..", "..", "..", "tools")
	download.Stderr = os.Stderr
	answer, err := download.Output()
	if err != nil {
		t.Fatalf("fetching %s: %v: %s", modelsModule, err, answer)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(answer, &module); err != nil {
		t.Fatal(err)
	}
	models := map[string]apiModel{}
	for service, folder := range modelFiles {
		data, err := os.ReadFile(filepath.Join(module.Dir, "models", "apis", folder, "api-2.json"))
		if err != nil {
			t.Fatal(err)
		}
		var m apiModel
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatalf("reading the model of %s: %v", service, err)
		}
		models[service] = m
	}
	return models
}

// find returns the shape of a member of an operation's input. A part of the
// path is also found in the elements of a list, in another case, and in the
// plural or the singular.
func (m apiModel) find(operation string, path []string) (name string, at []string, found bool) {
	name = m.Operations[operation].Input.Shape
	for _, part := range path {
		member, ref, ok := m.member(name, part)
		if !ok {
			return "", nil, false
		}
		name, at = ref, append(at, member)
	}
	return name, at, name != ""
}

func (m apiModel) member(of, name string) (member, shapeName string, found bool) {
	s := m.Shapes[of]
	for s.Type == "list" {
		s = m.Shapes[s.Member.Shape]
	}
	names := make([]string, 0, len(s.Members))
	for n := range s.Members {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, same := range []func(string) string{strings.ToLower, singular} {
		for _, n := range names {
			if same(n) == same(name) {
				return n, s.Members[n].Shape, true
			}
		}
	}
	return "", "", false
}

func singular(name string) string { return strings.TrimSuffix(strings.ToLower(name), "s") }

// between is how the model of API Gateway bounds texts: in the names of shapes.
var between1And2 = regexp.MustCompile(`^(?:String|Uri)WithLengthBetween(\d+)And(\d+)(K?)$`)

// constraintOf returns what a shape says, and whether that is anything.
func (m apiModel) constraintOf(name, from string) (constraint, bool) {
	s := m.Shapes[name]
	c := constraint{From: from, Min: s.Min, Max: s.Max, Pattern: portable(s.Pattern)}
	if named := between1And2.FindStringSubmatch(name); named != nil {
		c.Min, c.Max = number(named[1]), number(named[2])
		if named[3] == "K" {
			*c.Max *= 1024
		}
	}
	if s.Type == "integer" && c.Max == nil {
		c.Max = number("2147483647")
	}
	if c.Min != nil && *c.Min == 0 && s.Type != "integer" && s.Type != "long" && s.Type != "double" {
		c.Min = nil
	}
	c.Enum = slices.Clone(s.Enum)
	slices.Sort(c.Enum)
	return c, c.Min != nil || c.Max != nil || c.Pattern != "" || len(c.Enum) > 0
}

func number(s string) *float64 {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(err)
	}
	return &n
}

// lookarounds are the patterns that Go's regular expressions cannot say, and
// the same said without looking ahead.
var lookarounds = map[string]string{
	// A name of an alias that is not a number.
	`(?!^[0-9]+$)([a-zA-Z0-9-_]+)`: `[a-zA-Z0-9_-]*[a-zA-Z_-][a-zA-Z0-9_-]*`,
	// A domain name, no label of which begins with '-'.
	`^(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])$`: `(\*\.)?` +
		`([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]`,
}

var (
	codeUnit = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)
	anchored = regexp.MustCompile(`^\^(.*)\$$`)
)

// portable returns a pattern in Go's syntax. A pattern of a model holds for a
// whole value, with and without anchors.
func portable(pattern string) string {
	pattern = cmp.Or(lookarounds[pattern], pattern)
	if m := anchored.FindStringSubmatch(pattern); m != nil && !strings.Contains(m[1], "|") {
		pattern = m[1]
	}
	pattern = strings.ReplaceAll(pattern, oldRegions, regions)
	return codeUnit.ReplaceAllString(pattern, `\x{$1}`)
}

// collect adds the constraints of a property, and of its elements, keys and
// values, to those of a type.
func (m apiModel) collect(into map[string]constraint, p Property, path, shapeName, from string) {
	add := func(suffix, name, from string) {
		if c, some := m.constraintOf(name, from); some {
			into[path+suffix] = c
		}
	}
	s := m.Shapes[shapeName]
	switch p.Kind {
	case List, Set:
		add("", shapeName, from)
		if len(p.Fields) == 0 {
			add(elementOf, m.only(s.Member.Shape), from)
		}
	case Map:
		add("", shapeName, from)
		key, value := m.entry(s)
		add(keyOf, key, from)
		add(valueOf, value, from)
	case Object:
	default:
		for s.Type == "list" {
			shapeName = s.Member.Shape
			s = m.Shapes[shapeName]
		}
		add("", shapeName, from)
	}
}

// only returns the shape of the member of a structure that has one, such as
// the value of a DNS record; of all else the shape itself.
func (m apiModel) only(name string) string {
	if members := m.Shapes[name].Members; len(members) == 1 {
		for _, ref := range members {
			return ref.Shape
		}
	}
	return name
}

// entry returns the shapes of keys and values of a map, which in many APIs is a
// list of pairs.
func (m apiModel) entry(s shape) (key, value string) {
	if s.Type != "list" {
		return s.Key.Shape, s.Value.Shape
	}
	for name, ref := range m.Shapes[s.Member.Shape].Members {
		switch {
		case strings.HasSuffix(name, "Key"), name == "Name":
			key = ref.Shape
		case strings.HasSuffix(name, "Value"):
			value = ref.Shape
		}
	}
	return key, value
}

// mapped is what the models say of the types, and what the table lacks.
type mapped struct {
	constraints map[string]map[string]constraint
	problems    []string
}

// mapTypes takes the constraints of all types out of the models.
func mapTypes(models map[string]apiModel) mapped {
	out := mapped{constraints: map[string]map[string]constraint{}}
	for _, t := range Types() {
		source, ok := modelMap[t.Token]
		if !ok {
			out.problem("%s is in no model", t.Token)
			continue
		}
		of := map[string]constraint{}
		used := map[string]bool{}
		each(t.Properties, "", func(path string, p Property) {
			out.property(models, source, used, of, t.Token, path, p)
		})
		for name := range source.names {
			if !used[name] {
				out.problem(
					"%s: the property %s of the table does not exist, or its name needs no entry",
					t.Token,
					name,
				)
			}
		}
		for name := range source.free {
			if !used[name] {
				out.problem(
					"%s: the property %s of the table does not exist or is in the model",
					t.Token,
					name,
				)
			}
		}
		if len(of) > 0 {
			out.constraints[t.Token] = of
		}
	}
	for _, e := range exceptions {
		out.except(e)
	}
	slices.Sort(out.problems)
	return out
}

func (m *mapped) problem(format string, args ...any) {
	m.problems = append(m.problems, fmt.Sprintf(format, args...))
}

// bounded reports whether a property has values that a model could bound and
// that are not refused or listed here.
func bounded(p Property) bool {
	switch p.Kind {
	case Bool, Archive, Object:
		return false
	}
	return p.Level != Refused && len(p.Only) == 0
}

func (m *mapped) property(
	models map[string]apiModel, source model, used map[string]bool,
	of map[string]constraint, token, path string, p Property,
) {
	if !bounded(p) {
		return
	}
	if source.free[path] != "" {
		used[path] = true
		return
	}
	service, operations, at := source.locate(path, used)
	for _, operation := range operations {
		api := models[service]
		if api.Operations[operation].Input.Shape == "" {
			m.problem("%s: the model of %s has no operation %s", token, service, operation)
			continue
		}
		if name, names, ok := api.find(operation, at); ok {
			from := service + "." + operation + " " + strings.Join(names, ".")
			api.collect(of, p, path, name, from)
			return
		}
	}
	m.problem(
		"%s: the property %s is no member of %s %v: name the member in modelMap, or say why there is none",
		token,
		path,
		service,
		operations,
	)
}

// locate returns where a property is looked for.
func (s model) locate(path string, used map[string]bool) (service string, operations, at []string) {
	at = strings.Split(path, ".")
	for n := len(at); n > 0; n-- {
		head := strings.Join(at[:n], ".")
		member, ok := s.names[head]
		if !ok {
			continue
		}
		used[head] = true
		operation, inside, other := strings.Cut(member, ":")
		if !other {
			return s.service, s.inputs, append(strings.Split(member, "."), at[n:]...)
		}
		return s.service, []string{operation}, append(strings.Split(inside, "."), at[n:]...)
	}
	return s.service, s.inputs, at
}

// except applies an exception, which must make a difference.
func (m *mapped) except(e exception) {
	c, ok := m.constraints[e.token][e.property]
	if !ok {
		m.problem("%s: the exception for %s is for nothing: no model bounds it", e.token, e.property)
		return
	}
	for _, value := range e.values {
		if c.Enum == nil || slices.Contains(c.Enum, value) {
			m.problem("%s: the exception for %s is for nothing: the model has %s", e.token, e.property, value)
		}
		c.Enum = append(c.Enum, value)
	}
	slices.Sort(c.Enum)
	for _, n := range e.numbers {
		if c.within(n) {
			m.problem("%s: the exception for %s is for nothing: the model has %v", e.token, e.property, n)
		}
		c.Also = append(c.Also, n)
	}
	if e.anyText {
		if c.Pattern == "" {
			m.problem("%s: the exception for %s is for nothing: there is no pattern", e.token, e.property)
		}
		c.Pattern = ""
	}
	if e.empty {
		if c.Min == nil {
			m.problem(
				"%s: the exception for %s is for nothing: the model has no minimum",
				e.token,
				e.property,
			)
		}
		c.Min = nil
	}
	m.constraints[e.token][e.property] = c
}

// each calls f for every property, also those of objects.
func each(props []Property, path string, f func(path string, p Property)) {
	for _, p := range props {
		if p.Level == Refused && len(p.Only) == 0 {
			continue
		}
		where := join(path, p.Name)
		f(where, p)
		each(p.Fields, where, f)
	}
}
