package plugin

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

const token = "secret"

// cloud is a provider that tells what it was told with the call.
type cloud struct {
	pulumirpc.UnimplementedResourceProviderServer
}

func (cloud) GetPluginInfo(ctx context.Context, _ *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Directory(ctx) + " " + Engine(ctx)}, nil
}

func (cloud) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: `{"name":"small"}`}, nil
}

func (cloud) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return nil, status.Error(codes.InvalidArgument, "another region")
}

// start serves a provider for plug-ins and returns its address.
func start(t *testing.T, needed bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.UnaryInterceptor(Guard(token, needed)))
	pulumirpc.RegisterResourceProviderServer(s, cloud{})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

func dial(t *testing.T, address string, options ...grpc.DialOption) pulumirpc.ResourceProviderClient {
	t.Helper()
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return pulumirpc.NewResourceProviderClient(conn)
}

// plug runs a plug-in as an engine does, and returns what ends it.
func plug(t *testing.T, target Target) (engine pulumirpc.ResourceProviderClient, end func() error) {
	t.Helper()
	in, input := io.Pipe()
	output, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- Serve(context.WithoutCancel(t.Context()), target, in, out) }()
	port, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	end = func() error { return errors.Join(input.Close(), <-ended) }
	return dial(t, "127.0.0.1:"+strings.TrimSpace(port)), end
}

func TestPluginSaysWhereTheProgramIs(t *testing.T) {
	t.Parallel()
	target := Target{Address: start(t, true), Token: token, Directory: "/home/grüße", Engine: "127.0.0.1:7"}
	engine, end := plug(t, target)
	got, err := engine.GetPluginInfo(t.Context(), &emptypb.Empty{})
	if err != nil || got.Version != "/home/grüße 127.0.0.1:7" {
		t.Errorf("the cloud was told %v, %v", got, err)
	}
	_, err = engine.Configure(t.Context(), &pulumirpc.ConfigureRequest{})
	if s := status.Convert(err); s.Code() != codes.InvalidArgument || s.Message() != "another region" {
		t.Errorf("an error of the cloud came back as %v", err)
	}
	if _, err := engine.Handshake(t.Context(), &pulumirpc.ProviderHandshakeRequest{}); status.Code(
		err,
	) != codes.Unimplemented {
		t.Errorf("what the cloud does not know came back as %v", err)
	}
	if err := end(); err != nil {
		t.Errorf("the plug-in ended with %v", err)
	}
	if _, err := engine.GetPluginInfo(t.Context(), &emptypb.Empty{}); status.Code(err) != codes.Unavailable {
		t.Errorf("after its end the plug-in gave %v", err)
	}
}

func TestPluginOfACloudThatEndedSaysSo(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	engine, end := plug(t, Target{Address: gone, Token: token})
	_, err = engine.GetPluginInfo(t.Context(), &emptypb.Empty{})
	if s := status.Convert(err); s.Code() != codes.FailedPrecondition ||
		!strings.Contains(s.Message(), "local cloud does not answer") {
		t.Errorf("got %v", err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestOnlyPluginsOfTheCloudMayUseTheirPort(t *testing.T) {
	t.Parallel()
	needed, attached := start(t, true), start(t, false)
	cases := []struct {
		name, address, token, host string
		want                       codes.Code
	}{
		{"the token", needed, token, "", codes.OK},
		{"no token", needed, "", "", codes.Unauthenticated},
		{"another token", needed, "guess", "", codes.Unauthenticated},
		{"attached", attached, "", "", codes.OK},
		{"attached with another token", attached, "guess", "", codes.Unauthenticated},
		{"the name of a page", attached, "", "evil.example", codes.PermissionDenied},
		{"the name of a page with the token", needed, token, "evil.example:80", codes.PermissionDenied},
	}
	for _, c := range cases {
		var options []grpc.DialOption
		if c.host != "" {
			options = append(options, grpc.WithAuthority(c.host))
		}
		if c.token != "" {
			options = append(options, grpc.WithPerRPCCredentials(bearer(c.token)))
		}
		_, err := dial(t, c.address, options...).GetPluginInfo(t.Context(), &emptypb.Empty{})
		if status.Code(err) != c.want {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{tokenKey: string(b)}, nil
}

func (bearer) RequireTransportSecurity() bool { return false }

// The engine keeps a schema under the version of the real plug-in.
func TestSchemaIsNotKeptForTheRealPlugin(t *testing.T) {
	home := t.TempDir()
	t.Setenv("PULUMI_HOME", home)
	dir := filepath.Join(home, "schemas")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	engine, end := plug(t, Target{Address: start(t, true), Token: token})
	r, err := engine.GetSchema(t.Context(), &pulumirpc.GetSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	ours, real := filepath.Join(dir, "aws-6.83.2.json"), filepath.Join(dir, "aws-6.66.3.json")
	err = errors.Join(
		os.WriteFile(ours, []byte(r.Schema), 0o600),
		os.WriteFile(real, []byte(`{"name":"large"}`), 0o600),
	)
	if err = errors.Join(err, end()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(ours); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the schema of the local cloud is kept: %v", err)
	}
	if _, err := os.Stat(real); err != nil {
		t.Errorf("the schema of the real plug-in is gone: %v", err)
	}
}

func TestFilesForPathRunTheCommand(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "it's a $(directory)")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(dir, "local")
	if err := os.WriteFile(command, []byte("#!/bin/sh\nprintf '%s|' \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, command, "plugin", dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range Packages {
		file := filepath.Join(dir, "pulumi-resource-"+name)
		out, err := exec.Command(file, "-v=9", "127.0.0.1:7").Output()
		if want := "plugin|" + dir + "|" + name + "|-v=9|127.0.0.1:7|"; err != nil || string(out) != want {
			t.Errorf("%s ran %q, %v, want %q", name, out, err, want)
		}
	}
	if err := os.Remove(command); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(filepath.Join(dir, "pulumi-resource-aws"))
	cmd.Stderr = &stderr
	if err := cmd.Run(); err == nil || !strings.Contains(stderr.String(), "is not running: start it again") {
		t.Errorf("without a cloud it said %q, %v", stderr.String(), err)
	}
}
