package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"

	"items-api/internal/localcloud/state"
)

// privateURN is where a record notes which resource of which stack it is.
const privateURN = "urn"

// Create makes a resource, or in a preview tells what it would be.
func (s *Server) Create(ctx context.Context, r *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	urn := resource.URN(r.Urn)
	t, err := s.p.resourceType(string(urn.Type()))
	if err != nil && r.Preview {
		// The preview goes on with what was refused.
		return &pulumirpc.CreateResponse{Properties: r.Properties}, nil
	}
	if err != nil {
		return nil, err
	}
	in, err := readNew(ctx, r.Properties)
	if err != nil {
		return nil, err
	}
	if r.Preview {
		out, err := write(t.planned(s.p, in))
		return &pulumirpc.CreateResponse{Properties: out}, err
	}
	rec, err := s.p.create(ctx, t, urn, in, s.origin)
	if err != nil {
		return nil, fmt.Errorf("creating %s %q: %w", t.Token, urn.Name(), err)
	}
	props, err := write(outputs(t, rec, in))
	return &pulumirpc.CreateResponse{Id: rec.ID, Properties: props}, err
}

// planned returns the outputs of a resource that does not exist yet.
func (t *Type) planned(p *Provider, in values) values {
	out := in.clone()
	delete(out, defaultsKey)
	for _, name := range t.Outputs {
		out[name] = Unknown{}
	}
	for _, prop := range t.Properties {
		if prop.Computed && !out.has(prop.Name) {
			out[prop.Name] = Unknown{}
		}
	}
	if t.Preview != nil {
		t.Preview(p, out)
	}
	return out
}

type creatingKey struct{}

// creating returns the URN of the resource that is being created.
func creating(ctx context.Context) string {
	urn, _ := ctx.Value(creatingKey{}).(string)
	return urn
}

func (p *Provider) create(
	ctx context.Context,
	t *Type,
	urn resource.URN,
	in values,
	o Origin,
) (state.Record, error) {
	p.mutate.Lock()
	defer p.mutate.Unlock()
	rec, err := t.Create(context.WithValue(ctx, creatingKey{}, string(urn)), p, in)
	if err != nil {
		return rec, err
	}
	rec.Type = t.Token
	rec.Key = t.key(rec.ID, rec.Properties)
	if rec.Private == nil {
		rec.Private = map[string]string{}
	}
	rec.Private[privateURN], rec.Private[privateOrigin] = string(urn), string(o)
	if err := p.Store.Put(rec); err != nil {
		return rec, err
	}
	if t.Apply == nil {
		return rec, nil
	}
	if err := t.Apply(ctx, p, rec); err != nil {
		return rec, errors.Join(err, p.undo(ctx, t, rec))
	}
	return rec, nil
}

// undo removes what a failed creation left.
func (p *Provider) undo(ctx context.Context, t *Type, rec state.Record) error {
	if t.Delete != nil {
		if err := t.Delete(ctx, p, rec); err != nil {
			return err
		}
	}
	if err := p.Store.Delete(t.Token, rec.Key); err != nil {
		return err
	}
	if t.Removed != nil {
		return t.Removed(ctx, p, rec)
	}
	return nil
}

// outputs returns what the engine keeps of a resource. Archives are not part
// of the record; they come from the inputs.
func outputs(t *Type, rec state.Record, in values) values {
	out := values(rec.Clone().Properties)
	if out == nil {
		out = values{}
	}
	for _, p := range t.Properties {
		if p.Kind == Archive && in.has(p.Name) {
			out[p.Name] = in[p.Name]
		}
	}
	out["id"] = rec.ID
	return out
}

// Update changes a resource in place.
func (s *Server) Update(ctx context.Context, r *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	urn := resource.URN(r.Urn)
	t, err := s.p.resourceType(string(urn.Type()))
	if err != nil && r.Preview {
		return &pulumirpc.UpdateResponse{Properties: r.News}, nil
	}
	if err != nil {
		return nil, err
	}
	in, err := readNew(ctx, r.News)
	if err != nil {
		return nil, err
	}
	olds, err := read(r.Olds)
	if err != nil {
		return nil, err
	}
	if r.Preview {
		out, err := write(t.replanned(olds, in))
		return &pulumirpc.UpdateResponse{Properties: out}, err
	}
	rec, err := s.p.update(ctx, t, r.Id, olds, in)
	if err == nil {
		err = s.p.claim(&rec, urn, s.origin)
	}
	if err != nil {
		return nil, fmt.Errorf("updating %s %q: %w", t.Token, urn.Name(), err)
	}
	props, err := write(outputs(t, rec, in))
	return &pulumirpc.UpdateResponse{Properties: props}, err
}

// replanned returns the outputs that a resource will have after an update.
func (t *Type) replanned(olds, in values) values {
	out := in.clone()
	delete(out, defaultsKey)
	for _, name := range append([]string{"id"}, t.Outputs...) {
		if olds.has(name) {
			out[name] = olds[name]
		}
	}
	for _, p := range t.Properties {
		if p.Computed && !out.has(p.Name) && olds.has(p.Name) {
			out[p.Name] = olds[p.Name]
		}
	}
	keepComputed(t.Properties, olds, out)
	if t.Volatile != nil {
		for _, name := range t.Volatile(olds, in) {
			out[name] = Unknown{}
		}
	}
	return out
}

func (p *Provider) update(ctx context.Context, t *Type, id string, olds, in values) (state.Record, error) {
	p.mutate.Lock()
	defer p.mutate.Unlock()
	old, err := p.Store.Get(t.Token, t.key(id, olds))
	if notFound(err) {
		return old, fmt.Errorf("the local cloud has no %s with the id %q: deploy with a refresh", t.Token, id)
	}
	if err != nil {
		return old, err
	}
	for _, prop := range t.Properties {
		if v := old.Properties[prop.Name]; prop.Computed && !in.has(prop.Name) && v != nil {
			in[prop.Name] = v
		}
	}
	rec, err := t.Update(ctx, p, old.Clone(), in)
	if err != nil {
		return rec, err
	}
	rec.Type, rec.Key, rec.ID = t.Token, old.Key, old.ID
	if err := p.Store.Put(rec); err != nil {
		return rec, err
	}
	if t.Apply == nil {
		return rec, nil
	}
	if err := t.Apply(ctx, p, rec); err != nil {
		err = errors.Join(err, p.Store.Put(old))
		return rec, errors.Join(err, t.Apply(ctx, p, old))
	}
	return rec, nil
}

// Read returns a resource as it is, for a refresh or an import. A resource
// that does not exist has an empty id in the answer.
func (s *Server) Read(ctx context.Context, r *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	t, err := s.p.resourceType(string(resource.URN(r.Urn).Type()))
	if err != nil {
		return nil, err
	}
	olds, err := read(r.Properties)
	if err != nil {
		return nil, err
	}
	inputs, err := read(r.Inputs)
	if err != nil {
		return nil, err
	}
	imported := len(inputs) == 0
	rec, err := s.p.find(t, r.Id, olds)
	if notFound(err) && imported && t.Found != nil {
		rec, err = s.p.adopt(ctx, t, r.Id)
	}
	if notFound(err) {
		return &pulumirpc.ReadResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	if defaults, err := defaultsFor(
		ctx,
	); imported && err == nil && len(defaults) > 0 &&
		rec.Properties[tagsAllName] != nil {
		inputs[tagsAllName] = rec.Properties[tagsAllName]
	}
	for _, prop := range t.Properties {
		v, exists := rec.Properties[prop.Name]
		if exists && v != nil && (inputs.has(prop.Name) || imported) {
			inputs[prop.Name] = v
		}
	}
	in, err := write(inputs)
	if err != nil {
		return nil, err
	}
	out, err := write(outputs(t, rec, inputs))
	return &pulumirpc.ReadResponse{
		Id:         rec.ID,
		Properties: out,
		Inputs:     in,
	}, err
}

// find looks a record up by its key, or by the id as a program gives it on import.
func (p *Provider) find(t *Type, id string, props values) (state.Record, error) {
	rec, err := p.Store.Get(t.Token, t.key(id, props))
	if err == nil || !notFound(err) {
		return rec, err
	}
	return p.Store.Get(t.Token, id)
}

// Delete removes a resource. One that is gone already is no error.
func (s *Server) Delete(ctx context.Context, r *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	urn := resource.URN(r.Urn)
	t, err := s.p.resourceType(string(urn.Type()))
	if err != nil {
		return nil, err
	}
	olds, err := read(r.Properties)
	if err != nil {
		return nil, err
	}
	if err := s.p.remove(ctx, t, r.Id, olds); err != nil {
		return nil, fmt.Errorf("deleting %s %q: %w", t.Token, urn.Name(), err)
	}
	return &emptypb.Empty{}, nil
}

func (p *Provider) remove(ctx context.Context, t *Type, id string, olds values) error {
	p.mutate.Lock()
	defer p.mutate.Unlock()
	rec, err := p.Store.Get(t.Token, t.key(id, olds))
	if notFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return p.undo(ctx, t, rec)
}
