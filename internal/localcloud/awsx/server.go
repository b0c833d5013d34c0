// Package awsx is the part of the awsx package that the local cloud composes
// itself: a Pulumi provider of components, which registers with the engine
// what awsx 2.22 registers, under the same names. awsx's own plug-in is a
// program for Node. It must import nothing of the application that is
// deployed, and has no state: the children are resources of the aws package.
package awsx

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"

	localplugin "items-api/internal/localcloud/plugin"
)

// Version is the version of awsx whose behaviour is followed.
const Version = "2.22.0"

// component composes resources of one type.
type component struct {
	// arguments are the supported ones; another that is given is refused.
	arguments []string
	construct provider.ConstructFunc
}

var components = map[string]component{
	vpcType:   {vpcArguments, constructVpc},
	trailType: {trailArguments, constructTrail},
}

// Types returns the tokens of the supported components, sorted.
func Types() []string { return slices.Sorted(maps.Keys(components)) }

// Server speaks the engine's protocol. Register it with
// pulumirpc.RegisterResourceProviderServer. It is safe for concurrent use.
type Server struct {
	pulumirpc.UnimplementedResourceProviderServer
	engine atomic.Value // address of the engine that attached last, without a plug-in
}

// NewServer returns a server.
func NewServer() *Server { return &Server{} }

// GetPluginInfo answers with the version that is followed.
func (s *Server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

// Attach accepts an engine that was told of this provider by
// PULUMI_DEBUG_PROVIDERS. Only messages to the user go to its address.
func (s *Server) Attach(_ context.Context, r *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	s.engine.Store(r.Address)
	return &emptypb.Empty{}, nil
}

// Cancel has nothing to cancel: no operation takes long.
func (s *Server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// CheckConfig accepts any configuration: awsx has none.
func (s *Server) CheckConfig(_ context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: r.News}, nil
}

// DiffConfig reports no change.
func (s *Server) DiffConfig(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
}

// Configure tells the engine what this provider can do.
func (s *Server) Configure(
	context.Context,
	*pulumirpc.ConfigureRequest,
) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{
		AcceptSecrets:   true,
		AcceptResources: true,
		AcceptOutputs:   true,
		SupportsPreview: true,
	}, nil
}

// Construct registers a component and its children.
func (s *Server) Construct(
	ctx context.Context,
	r *pulumirpc.ConstructRequest,
) (*pulumirpc.ConstructResponse, error) {
	c, ok := components[r.Type]
	if !ok {
		return nil, fmt.Errorf(
			"the local cloud does not support the component %s; of awsx it supports %v; deploy this "+
				"component to AWS, or leave it out of local stacks",
			r.Type,
			Types(),
		)
	}
	if err := c.accept(r); err != nil {
		return nil, err
	}
	// A plug-in says with each call which engine makes it.
	address := localplugin.Engine(ctx)
	if address == "" {
		address, _ = s.engine.Load().(string)
	}
	if address == "" {
		return nil, errors.New("no engine has attached to the local cloud's awsx provider")
	}
	engine, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("connecting to the engine: %w", err)
	}
	var used *pulumi.Context
	out, err := provider.Construct(
		ctx,
		r,
		engine,
		func(ctx *pulumi.Context, typ, name string, in provider.ConstructInputs, o pulumi.ResourceOption) (*provider.ConstructResult, error) {
			used = ctx
			return c.construct(ctx, typ, name, in, o)
		},
	)
	if used != nil {
		err = errors.Join(err, used.Close()) // with the connection to the engine
	} else {
		err = errors.Join(err, engine.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("composing the %s %s: %w", r.Type, r.Name, err)
	}
	return out, nil
}

// accept refuses arguments by name before anything is registered.
func (c component) accept(r *pulumirpc.ConstructRequest) error {
	in, err := plugin.UnmarshalProperties(r.Inputs, plugin.MarshalOptions{
		KeepUnknowns:     true,
		KeepSecrets:      true,
		KeepResources:    true,
		KeepOutputValues: true,
		SkipNulls:        true,
	})
	if err != nil {
		return fmt.Errorf("reading the arguments of the %s %s: %w", r.Type, r.Name, err)
	}
	var bad []string
	for _, k := range slices.Sorted(maps.Keys(in)) {
		if !slices.Contains(c.arguments, string(k)) && !empty(in[k]) {
			bad = append(bad, string(k))
		}
	}
	if len(bad) > 0 {
		return fmt.Errorf(
			"the local cloud does not support the arguments %s of the component %s; it supports %s",
			strings.Join(bad, ", "),
			r.Type,
			strings.Join(c.arguments, ", "),
		)
	}
	return nil
}

func empty(v resource.PropertyValue) bool {
	return v.IsArray() && len(v.ArrayValue()) == 0 || v.IsObject() && len(v.ObjectValue()) == 0
}
