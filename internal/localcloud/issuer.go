package localcloud

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"items-api/internal/localcloud/oidc"
	"items-api/internal/localcloud/peer"
	"items-api/internal/localcloud/server"
)

// keysOf returns the keys of the user pools of the cloud on a directory.
func keysOf(dir string) oidc.Keys { return oidc.Keys{Dir: filepath.Join(dir, "cognito")} }

// serveIssuers serves the user pools' discovery documents and key sets, and
// what the roles are used for.
func (c *Cloud) serveIssuers() (err error) {
	c.keys = keysOf(c.Dir)
	if c.issuers, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("listening for the user pools: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", c.keys.Handler())
	mux.HandleFunc("GET /roles", c.serveRoles)
	mux.HandleFunc("POST "+leftoversPath, c.serveLeftovers)
	mux.HandleFunc("GET /apis", c.serveAPIs)
	mux.HandleFunc("PUT /port", c.servePort)
	c.issuer = server.New(peer.Handler(mux))
	go func() {
		// It ends with Close.
		_ = c.issuer.Serve(peer.Listen(c.issuers))
	}()
	return nil
}

// resolve returns where an issuer is asked for its keys: a user pool of this
// cloud has the same name as on AWS, and is asked on loopback.
func (c *Cloud) resolve(issuer string) string {
	id := issuer[strings.LastIndex(issuer, "/")+1:]
	if c.provider == nil || oidc.Issuer(id) != issuer || !slices.Contains(c.provider.Pools(), id) {
		return issuer
	}
	return c.IssuerURL(id)
}

// IssuerURL returns where the discovery document of a user pool is served.
func (c *Cloud) IssuerURL(pool string) string {
	return "http://" + c.issuers.Addr().String() + "/" + pool
}

// Discover asks an OIDC issuer for its keys, as the gateway does.
func (c *Cloud) Discover(ctx context.Context, issuer string) error {
	return c.gateway.Discover(ctx, issuer)
}

// ApplyPool makes a user pool an issuer.
func (c *Cloud) ApplyPool(_ context.Context, id string) error { return c.keys.Ensure(id) }

// RemovePool ends that; its tokens are worthless from then on.
func (c *Cloud) RemovePool(_ context.Context, id string) error { return c.keys.Remove(id) }

// Token makes a token of a user pool of the cloud on a directory, which need
// not be running.
func Token(dir string, g oidc.Grant) (string, error) { return keysOf(dir).Token(g) }
