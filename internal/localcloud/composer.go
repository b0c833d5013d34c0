package localcloud

import (
	"fmt"
	"net"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"

	"items-api/internal/localcloud/awsx"
)

// composer serves the components of awsx to the engine. It has a port of its
// own: a port speaks for one package.
type composer struct {
	grpc   *grpc.Server
	listen net.Listener
}

func (c *composer) serve() (err error) {
	if c.listen, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("listening for the engine's components: %w", err)
	}
	c.grpc = grpc.NewServer()
	pulumirpc.RegisterResourceProviderServer(c.grpc, awsx.NewServer())
	go func() {
		// It ends with close.
		_ = c.grpc.Serve(c.listen)
	}()
	return nil
}

func (c *composer) close() {
	if c.grpc != nil {
		c.grpc.Stop()
	}
}

// AWSXPort returns the port for awsx in PULUMI_DEBUG_PROVIDERS.
func (c *Cloud) AWSXPort() int { return c.awsx.listen.Addr().(*net.TCPAddr).Port }
