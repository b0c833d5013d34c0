package localcloud

import (
	"fmt"
	"net"
	"path/filepath"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"items-api/internal/localcloud/awsx"
	"items-api/internal/localcloud/peer"
	"items-api/internal/localcloud/plugin"
	"items-api/internal/localcloud/provider"
)

// engines are the servers that Pulumi engines call. Each has a port of its own:
// a port speaks for one package, and tells where a deployment comes from.
//
// The ports for plug-ins ask for a token. An engine that attaches by
// PULUMI_DEBUG_PROVIDERS cannot send one. All ports are closed to other users
// where the system tells who connects.
type engines struct {
	token    string
	sessions provider.Sessions
	servers  []*grpc.Server

	own      net.Listener            // for the command that runs the cloud
	attached map[string]net.Listener // by package, for PULUMI_DEBUG_PROVIDERS
	plugins  map[string]net.Listener // by package
	policy   net.Listener
}

const (
	awsPackage  = "aws"
	awsxPackage = "awsx"
)

// serve starts all servers.
func (e *engines) serve(p *provider.Provider) (err error) {
	e.token = randomID(40)
	e.attached, e.plugins = map[string]net.Listener{}, map[string]net.Listener{}
	if e.own, err = e.listen(provides(provider.NewServer(p, provider.Own)), false); err != nil {
		return err
	}
	if e.policy, err = e.listen(analyzes(provider.NewAnalyzer(p)), false); err != nil {
		return err
	}
	foreign := map[string]pulumirpc.ResourceProviderServer{
		awsPackage:  provider.NewServer(p, provider.Foreign),
		awsxPackage: awsx.NewServer(),
	}
	for name, s := range foreign {
		if e.attached[name], err = e.listen(provides(s), false); err != nil {
			return err
		}
		if e.plugins[name], err = e.listen(provides(s), true); err != nil {
			return err
		}
	}
	return nil
}

// provides and analyzes return what a port serves: a provider, or a policy pack.
func provides(s pulumirpc.ResourceProviderServer) func(*grpc.Server) {
	return func(to *grpc.Server) { pulumirpc.RegisterResourceProviderServer(to, s) }
}

func analyzes(s pulumirpc.AnalyzerServer) func(*grpc.Server) {
	return func(to *grpc.Server) { pulumirpc.RegisterAnalyzerServer(to, s) }
}

// listen serves on a port of its own.
func (e *engines) listen(register func(*grpc.Server), onlyPlugins bool) (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the engine: %w", err)
	}
	server := grpc.NewServer(
		grpc.MaxRecvMsgSize(plugin.MaxMessage),
		grpc.UnaryInterceptor(plugin.Guard(e.token, onlyPlugins)),
		grpc.StatsHandler(&e.sessions),
	)
	register(server)
	e.servers = append(e.servers, server)
	go func() {
		// It ends with close.
		_ = server.Serve(peer.Listen(l))
	}()
	return l, nil
}

func (e *engines) close() {
	for _, s := range e.servers {
		s.Stop()
	}
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// PluginDir returns the directory of the plug-ins of the cloud on a directory,
// for PATH.
func PluginDir(dir string) string { return filepath.Join(dir, "plugins") }

// Plugin returns what a plug-in for a package needs to pass calls on to this
// cloud, for a program in a directory.
func (i Instance) Plugin(name, directory, engine string) (plugin.Target, error) {
	port, ok := i.Plugins[name]
	if !ok {
		return plugin.Target{}, fmt.Errorf(
			"the local cloud that is running has no plug-in for %q: start it again if an earlier version runs",
			name,
		)
	}
	return plugin.Target{
		Address:   address(port),
		Token:     i.Token,
		Directory: directory,
		Engine:    engine,
	}, nil
}
