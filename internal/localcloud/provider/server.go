package provider

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	localplugin "items-api/internal/localcloud/plugin"
	"items-api/internal/localcloud/state"
)

// Version is the version of the AWS provider whose behaviour is followed.
const Version = "6.83.2"

// Server speaks the engine's protocol. Register it with
// pulumirpc.RegisterResourceProviderServer.
type Server struct {
	pulumirpc.UnimplementedResourceProviderServer
	p      *Provider
	origin Origin
}

// NewServer returns the server of a provider for deployments of an origin.
func NewServer(p *Provider, o Origin) *Server { return &Server{p: p, origin: o} }

// Hashes of archives are the engine's own, and never made here: it has read
// the archive where the program is.
var marshalling = plugin.MarshalOptions{
	KeepUnknowns:     true,
	KeepSecrets:      false,
	KeepOutputValues: false,
	SkipNulls:        true,
}

func read(s *structpb.Struct) (values, error) {
	if s == nil {
		return values{}, nil
	}
	m, err := plugin.UnmarshalProperties(s, marshalling)
	if err != nil {
		return nil, fmt.Errorf("reading the engine's properties: %w", err)
	}
	return fromPulumi(m)
}

// readNew reads properties that a program gives, whose archives may be opened.
func readNew(ctx context.Context, s *structpb.Struct) (values, error) {
	v, err := read(s)
	locate(v, localplugin.Directory(ctx))
	return v, err
}

func write(v values) (*structpb.Struct, error) {
	return plugin.MarshalProperties(toPulumi(v), marshalling)
}

// GetPluginInfo answers with the version that is followed.
func (s *Server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

// Attach accepts an engine that was told of this provider by PULUMI_DEBUG_PROVIDERS.
func (s *Server) Attach(ctx context.Context, r *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	attach(ctx, r.Address)
	return &emptypb.Empty{}, nil
}

// Cancel has nothing to cancel: no operation takes long.
func (s *Server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// CheckConfig validates the configuration of an aws provider.
func (s *Server) CheckConfig(_ context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	news, err := read(r.News)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.CheckResponse{Inputs: r.News, Failures: failures(s.p.checkConfig(news))}, nil
}

// DiffConfig reports a change of the default tags, which makes the engine
// configure the provider with them. Nothing else of the configuration has an
// effect on resources that exist.
func (s *Server) DiffConfig(_ context.Context, r *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	out := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}
	olds, err := read(r.OldInputs)
	if err != nil {
		return nil, err
	}
	news, err := read(r.News)
	if err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(olds[defaultTagsName], news[defaultTagsName]) {
		out.Changes = pulumirpc.DiffResponse_DIFF_SOME
		out.Diffs = []string{defaultTagsName}
	}
	return out, nil
}

// Configure tells the engine what this provider can do, and keeps its settings
// for the calls of the same connection.
func (s *Server) Configure(
	ctx context.Context,
	r *pulumirpc.ConfigureRequest,
) (*pulumirpc.ConfigureResponse, error) {
	args, err := read(r.Args)
	if err != nil {
		return nil, err
	}
	if f := s.p.checkConfig(args); len(f) > 0 {
		return nil, status.Error(codes.InvalidArgument, f[0].Reason)
	}
	if err := configure(ctx, args); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &pulumirpc.ConfigureResponse{SupportsPreview: true, SupportsAutonamingConfiguration: true}, nil
}

func failures(in []Failure) []*pulumirpc.CheckFailure {
	slices.SortFunc(
		in,
		func(a, b Failure) int { return strings.Compare(a.Property+a.Reason, b.Property+b.Reason) },
	)
	var out []*pulumirpc.CheckFailure
	for _, f := range in {
		out = append(out, &pulumirpc.CheckFailure{Property: f.Property, Reason: f.Reason})
	}
	return out
}

// Check validates inputs and applies defaults. What it refuses in a preview
// that the analyzer watches is left to the analyzer.
func (s *Server) Check(ctx context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	inputs, problems, err := s.check(ctx, r)
	if err != nil {
		return nil, err
	}
	if s.p.previews.leave(engineOf(ctx), r.Urn, problems) {
		problems = nil
	}
	return &pulumirpc.CheckResponse{Inputs: inputs, Failures: failures(presentable(problems, r.News))}, nil
}

func (s *Server) check(ctx context.Context, r *pulumirpc.CheckRequest) (*structpb.Struct, []Failure, error) {
	urn := resource.URN(r.Urn)
	t, err := s.p.resourceType(string(urn.Type()))
	if err != nil {
		return r.News, []Failure{{Reason: err.Error()}}, nil
	}
	news, err := readNew(ctx, r.News)
	if err != nil {
		return &structpb.Struct{}, []Failure{{Reason: err.Error()}}, nil
	}
	olds, err := read(r.Olds)
	if err != nil {
		return nil, nil, err
	}
	naming := autonaming{
		resource: urn.Name(),
		urn:      string(urn),
		random:   hex.EncodeToString(r.RandomSeed),
	}
	if a := r.Autonaming; a != nil {
		naming.proposed = a.ProposedName
		naming.enforce = a.Mode == pulumirpc.CheckRequest_AutonamingOptions_ENFORCE
		naming.disabled = a.Mode == pulumirpc.CheckRequest_AutonamingOptions_DISABLE
	}
	if naming.random == "" {
		naming.random = s.p.ID(12)
	}
	defaults, err := defaultsFor(ctx)
	if err != nil {
		return nil, nil, err
	}
	checked, problems := t.check(s.p, olds, news, naming)
	problems = append(problems, t.tagged(defaults, checked)...)
	inputs, err := write(checked)
	return inputs, problems, err
}

// Diff compares inputs and says whether the resource is updated or replaced.
func (s *Server) Diff(_ context.Context, r *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	t, err := s.p.resourceType(string(resource.URN(r.Urn).Type()))
	if err != nil {
		// The preview goes on with what was refused.
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_UNKNOWN}, nil
	}
	news, err := read(r.News)
	if err != nil {
		return nil, err
	}
	olds, err := read(r.OldInputs)
	if err != nil {
		return nil, err
	}
	out := &pulumirpc.DiffResponse{
		Changes:         pulumirpc.DiffResponse_DIFF_NONE,
		HasDetailedDiff: true,
		DetailedDiff:    map[string]*pulumirpc.PropertyDiff{},
	}
	for _, c := range append(t.diff(olds, news), t.retagged(olds, news)...) {
		if slices.ContainsFunc(
			r.IgnoreChanges,
			func(i string) bool { return c.path == i || strings.HasPrefix(c.path, i+".") },
		) {
			continue
		}
		top, _, _ := strings.Cut(c.path, ".")
		out.Changes = pulumirpc.DiffResponse_DIFF_SOME
		out.Diffs = appendNew(out.Diffs, top)
		if c.replace {
			out.Replaces = appendNew(out.Replaces, top)
		}
		out.DetailedDiff[c.path] = &pulumirpc.PropertyDiff{Kind: diffKind(c), InputDiff: true}
	}
	// A resource whose name is given cannot exist twice, so the old one goes
	// first; so does one that has no name of its own but a place.
	if len(out.Replaces) > 0 {
		out.DeleteBeforeReplace = !t.CreateFirst &&
			(t.Name == "" || !slices.Contains(news.list(defaultsKey), any(t.Name)))
	}
	return out, nil
}

func appendNew(l []string, s string) []string {
	if slices.Contains(l, s) {
		return l
	}
	return append(l, s)
}

func diffKind(c change) pulumirpc.PropertyDiff_Kind {
	kinds := map[changeKind][2]pulumirpc.PropertyDiff_Kind{
		added:   {pulumirpc.PropertyDiff_ADD, pulumirpc.PropertyDiff_ADD_REPLACE},
		removed: {pulumirpc.PropertyDiff_DELETE, pulumirpc.PropertyDiff_DELETE_REPLACE},
		updated: {pulumirpc.PropertyDiff_UPDATE, pulumirpc.PropertyDiff_UPDATE_REPLACE},
	}
	if c.replace {
		return kinds[c.kind][1]
	}
	return kinds[c.kind][0]
}

// Invoke answers the functions that look something up.
func (s *Server) Invoke(_ context.Context, r *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	args, err := read(r.Args)
	if err != nil {
		return nil, err
	}
	out, problems, err := s.p.invoke(r.Tok, args)
	if err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		return &pulumirpc.InvokeResponse{Failures: failures(problems)}, nil
	}
	ret, err := write(out)
	if err != nil {
		return nil, err
	}
	return &pulumirpc.InvokeResponse{Return: ret}, nil
}

// notFound reports whether err says that a record does not exist.
func notFound(err error) bool { return errors.Is(err, state.ErrNotFound) }
