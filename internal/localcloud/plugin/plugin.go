// Package plugin is what the Pulumi engine starts in place of a resource
// plug-in of AWS: it passes every call on to a local cloud that runs already,
// and says with each call what the cloud cannot know by itself, which is the
// directory of the program and the address of the engine. It must import
// nothing else of the local cloud.
//
// The engine finds such a plug-in as pulumi-resource-NAME in PATH, starts it in
// the directory of the program, reads a port from its first line of output,
// and closes its input when it ends. Source: sdk/go/common/resource/plugin of
// github.com/pulumi/pulumi.
package plugin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"items-api/internal/localcloud/peer"
)

// The names of what a call carries beside its message. Names that end in -bin
// take any bytes, as a path may have.
const (
	tokenKey     = "local-cloud-token"
	directoryKey = "local-cloud-directory-bin"
	engineKey    = "local-cloud-engine"
)

// MaxMessage is the size in bytes of the largest message between engine and
// cloud: archives of assets travel in it.
const MaxMessage = 256 << 20

// Target is the cloud that calls are passed on to, and what is said with them.
type Target struct {
	// Address is the host and port of the cloud's provider.
	Address string
	// Token is the secret that the cloud asks for.
	Token string
	// Directory is the directory of the program, where the relative paths of
	// its archives begin.
	Directory string
	// Engine is the address of the engine, which takes messages to the user.
	Engine string
}

// Serve passes the calls of an engine on until its input ends, which is when
// the engine does, or the context does. The port that it listens on is written
// to out first. Only processes of the same user may connect, where the system
// tells who does.
func Serve(ctx context.Context, t Target, in io.Reader, out io.Writer) error {
	conn, err := grpc.NewClient(t.Address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		// The cloud keeps the provider's settings with the connection.
		grpc.WithIdleTimeout(0),
		grpc.WithDefaultCallOptions(
			grpc.ForceCodecV2(bytesCodec{}),
			grpc.MaxCallRecvMsgSize(MaxMessage),
			grpc.MaxCallSendMsgSize(MaxMessage),
		),
	)
	if err != nil {
		return fmt.Errorf("connecting to the local cloud: %w", err)
	}
	defer conn.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for the engine: %w", err)
	}
	var seen schemas
	server := grpc.NewServer(
		grpc.MaxRecvMsgSize(MaxMessage),
		grpc.ForceServerCodecV2(bytesCodec{}),
		grpc.UnknownServiceHandler(t.pass(conn, &seen)),
	)
	served := make(chan error, 1)
	go func() { served <- server.Serve(peer.Listen(listener)) }()
	if _, err := fmt.Fprintln(out, listener.Addr().(*net.TCPAddr).Port); err != nil {
		server.Stop()
		return fmt.Errorf("telling the engine the port: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// Nothing is ever written to it; an error is an end too.
		_, _ = io.Copy(io.Discard, in)
	}()
	select {
	case err = <-served:
	case <-ended:
	case <-ctx.Done():
	}
	server.Stop()
	return errors.Join(err, seen.forget(schemaDir()))
}

// pass returns a handler that passes one call on, with its one message in each
// direction: the calls of providers that the cloud answers have no streams.
func (t Target) pass(conn *grpc.ClientConn, seen *schemas) grpc.StreamHandler {
	return func(_ any, s grpc.ServerStream) error {
		method, ok := grpc.MethodFromServerStream(s)
		if !ok {
			return status.Error(codes.Internal, "a call without a method")
		}
		var request, answer []byte
		if err := s.RecvMsg(&request); err != nil {
			return err
		}
		ctx := metadata.NewOutgoingContext(s.Context(), metadata.Pairs(
			tokenKey, t.Token,
			directoryKey, t.Directory,
			engineKey, t.Engine,
		))
		if err := conn.Invoke(ctx, method, &request, &answer); err != nil {
			return explain(err)
		}
		seen.saw(method, answer)
		return s.SendMsg(&answer)
	}
}

// explain keeps the error of a call as it is, unless the cloud could not be
// reached: the engine would ask again until its own time is up, and then say
// that the plug-in does not come alive.
func explain(err error) error {
	if s := status.Convert(err); s.Code() == codes.Unavailable {
		return status.Errorf(
			codes.FailedPrecondition,
			"the local cloud does not answer, or has ended: %s",
			s.Message(),
		)
	}
	return err
}

// Directory returns the directory of the program whose engine makes a call, ""
// if the engine does not come by a plug-in.
func Directory(ctx context.Context) string { return first(ctx, directoryKey) }

// Engine returns the address of the engine that makes a call, "" if it does
// not come by a plug-in.
func Engine(ctx context.Context) string { return first(ctx, engineKey) }

func first(ctx context.Context, key string) string {
	if v := metadata.ValueFromIncomingContext(ctx, key); len(v) > 0 {
		return v[0]
	}
	return ""
}

// Guard returns an interceptor that refuses calls with a token other than the
// cloud's, calls without one if it is needed, and calls for a host that is not
// this machine.
func Guard(token string, needed bool) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		if host := first(ctx, ":authority"); !peer.Local(host) {
			return nil, status.Errorf(
				codes.PermissionDenied,
				"the host %s is not this machine",
				strconv.Quote(host),
			)
		}
		got := first(ctx, tokenKey)
		if got == "" && !needed {
			return next(ctx, r)
		}
		if subtle.ConstantTimeCompare([]byte(got), []byte(token)) != 1 {
			return nil, status.Error(
				codes.Unauthenticated,
				"this port of the local cloud is for the plug-ins in its own directory",
			)
		}
		return next(ctx, r)
	}
}
