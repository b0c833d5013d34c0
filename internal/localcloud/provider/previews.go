package provider

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"google.golang.org/protobuf/types/known/structpb"
)

// The engine ends a preview with the first resource that Check refuses, so that
// a program with three mistakes takes three previews. A violation of a policy
// is different: a preview goes on, shows all of them, and fails. So where the
// cloud's Analyzer watches a preview, Check takes what it refuses and keeps the
// reasons, which the analyzer reports at once: the engine asks it right after
// Check, for the same resource. Where none watches, and in every update, Check
// itself refuses. Source: step_generator.go in pkg/resource/deploy of
// github.com/pulumi/pulumi, issueCheckErrors and analyzeAll.

// previews are the previews that the analyzer watches, by the addresses of
// their engines.
type previews struct {
	mu sync.Mutex
	of map[string]*preview
}

// preview holds the reasons for which resources were refused and which the
// analyzer has not reported yet, by URN.
type preview struct{ refused map[string][]Failure }

// watch begins a preview and returns the function that ends it.
func (p *previews) watch(engine string) (end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		p.of = map[string]*preview{}
	}
	watched := &preview{refused: map[string][]Failure{}}
	p.of[engine] = watched
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		// Another engine may have the address by now.
		if p.of[engine] == watched {
			delete(p.of, engine)
		}
	}
}

// leave keeps what is wrong with a resource, if anything is, for the analyzer,
// and reports whether one watches the engine's preview.
func (p *previews) leave(engine, urn string, problems []Failure) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	watched := p.of[engine]
	if watched == nil {
		return false
	}
	delete(watched.refused, urn)
	if len(problems) > 0 {
		watched.refused[urn] = problems
	}
	return true
}

// take returns what is wrong with a resource, and forgets it.
func (p *previews) take(engine, urn string) []Failure {
	p.mu.Lock()
	defer p.mu.Unlock()
	watched := p.of[engine]
	if watched == nil {
		return nil
	}
	defer delete(watched.refused, urn)
	return watched.refused[urn]
}

// presentable returns problems as the engine prints them well: it prints the
// value of the property as well, which of an object, a list or an archive is a
// dump.
func presentable(problems []Failure, news *structpb.Struct) []Failure {
	out := slices.Clone(problems)
	for i, f := range out {
		switch news.GetFields()[f.Property].GetKind().(type) {
		case *structpb.Value_StructValue, *structpb.Value_ListValue:
			out[i] = Failure{Reason: explain(f)}
		}
	}
	return out
}

// explain returns what is wrong as a sentence that names the property.
func explain(f Failure) string {
	if strings.HasPrefix(f.Reason, f.Property) || strings.Contains(f.Reason, strconv.Quote(f.Property)) {
		return f.Reason
	}
	return f.Property + ": " + f.Reason
}

// explained returns what is wrong with a resource, sorted, each once.
func explained(problems []Failure) []string {
	var out []string
	for _, f := range problems {
		out = append(out, explain(f))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
