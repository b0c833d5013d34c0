package provider

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

// life is what a resource goes through: it is previewed, created, compared,
// updated, read and deleted.
type life struct {
	token string
	in    map[string]any
	// change are inputs that are updated in place.
	change map[string]any
	// replaced are inputs that each replace the resource.
	replaced map[string]any
}

func (l life) run(t *testing.T, s *Server) {
	t.Helper()
	typ := s.p.types[l.token]
	planned := previewed(t, s, l.token, l.in)
	for _, name := range typ.Outputs {
		if planned[name] != (Unknown{}) {
			t.Errorf("the output %s is %v in a preview", name, planned[name])
		}
	}
	id, out, inputs := create(t, s, l.token, "x", props(l.in))
	for _, name := range typ.Outputs {
		if !out.has(name) {
			t.Errorf("the output %s is missing from %v", name, out)
		}
	}
	if d := diff(
		t,
		s,
		l.token,
		id,
		inputs,
		checked(t, s, l.token, "x", inputs, props(l.in)),
	); d.Changes != pulumirpc.DiffResponse_DIFF_NONE {
		t.Errorf("the same inputs differ: %v", d)
	}
	for name, v := range l.replaced {
		news := checked(t, s, l.token, "x", inputs, props(with(l.in, name, v)))
		if d := diff(t, s, l.token, id, inputs, news); !slices.Contains(d.Replaces, name) {
			t.Errorf("another %s does not replace: %v", name, d)
		}
	}
	if l.change != nil {
		l.update(t, s, id, out, inputs)
	}
	remove := func() error { return deleted(t, s, l.token, id, out) }
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	if r := reading(t, s, l.token, id, out, inputs); r.Id != "" {
		t.Errorf("it can be read after it was deleted: %v", r)
	}
	if err := remove(); err != nil {
		t.Errorf("a second deletion gave %v", err)
	}
}

func (l life) update(t *testing.T, s *Server, id string, out values, inputs *structpb.Struct) {
	t.Helper()
	changed := maps.Clone(l.in)
	maps.Copy(changed, l.change)
	news := checked(t, s, l.token, "x", inputs, props(changed))
	if d := diff(
		t,
		s,
		l.token,
		id,
		inputs,
		news,
	); d.Changes != pulumirpc.DiffResponse_DIFF_SOME ||
		len(d.Replaces) > 0 {
		t.Errorf("the change gave %v", d)
	}
	update := func(preview bool) values {
		r, err := s.Update(t.Context(), &pulumirpc.UpdateRequest{
			Urn:     urn(l.token, "x"),
			Id:      id,
			Olds:    encode(t, toPulumi(out)),
			News:    news,
			Preview: preview,
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(r.Properties)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	planned, after := update(true), update(false)
	volatile := []string{"tagsAll", "targetKeyArn"}
	for _, name := range s.p.types[l.token].Outputs {
		if !slices.Contains(volatile, name) && !cmp.Equal(after[name], out[name]) {
			t.Errorf("the update changed %s from %v to %v", name, out[name], after[name])
		}
		if planned[name] != (Unknown{}) && !cmp.Equal(planned[name], after[name]) {
			t.Errorf("the preview promised %s %v, and the update gave %v", name, planned[name], after[name])
		}
	}
	if tags := after.object("tags"); len(tags) > 0 && !cmp.Equal(after.object("tagsAll"), tags) {
		t.Errorf("all tags are %v, want %v", after["tagsAll"], tags)
	}
	current := reading(t, s, l.token, id, after, news)
	seen, err := read(current.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(
		t,
		s,
		l.token,
		id,
		encode(t, toPulumi(seen)),
		news,
	); d.Changes != pulumirpc.DiffResponse_DIFF_NONE {
		t.Errorf("what is read after the update differs from what was asked for: %v", d)
	}
}

func previewed(t *testing.T, s *Server, token string, in map[string]any) values {
	t.Helper()
	r, err := s.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn:        urn(token, "x"),
		Preview:    true,
		Properties: checked(t, s, token, "x", nil, props(in)),
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := read(r.Properties)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func diff(t *testing.T, s *Server, token, id string, olds, news *structpb.Struct) *pulumirpc.DiffResponse {
	t.Helper()
	r, err := s.Diff(t.Context(), &pulumirpc.DiffRequest{
		Urn:       urn(token, "x"),
		Id:        id,
		OldInputs: olds,
		News:      news,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func reading(
	t *testing.T,
	s *Server,
	token, id string,
	out values,
	inputs *structpb.Struct,
) *pulumirpc.ReadResponse {
	t.Helper()
	r, err := s.Read(t.Context(), &pulumirpc.ReadRequest{
		Urn:        urn(token, "x"),
		Id:         id,
		Properties: encode(t, toPulumi(out)),
		Inputs:     inputs,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func deleted(t *testing.T, s *Server, token, id string, out values) error {
	t.Helper()
	_, err := s.Delete(t.Context(), &pulumirpc.DeleteRequest{
		Urn:        urn(token, "x"),
		Id:         id,
		Properties: encode(t, toPulumi(out)),
	})
	return err
}

// refusal returns why inputs are refused by the check or by the creation, or "".
func refusal(t *testing.T, s *Server, token string, in map[string]any) string {
	t.Helper()
	inputs, problems := check(t, s, token, "y", nil, props(in))
	if len(problems) > 0 {
		return strings.Join(problems, "\n")
	}
	if _, err := s.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn:        urn(token, "y"),
		Properties: inputs,
	}); err != nil {
		return err.Error()
	}
	return ""
}

// with returns a copy of m with further members; nil takes one away.
func with(m map[string]any, pairs ...any) map[string]any {
	out := map[string]any{}
	maps.Copy(out, m)
	for i := 0; i < len(pairs); i += 2 {
		if out[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
			delete(out, pairs[i].(string))
		}
	}
	return out
}
