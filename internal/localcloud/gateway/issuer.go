package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// issuerTimeout and maxJWKS are the limits of discovery and of the key
	// set. Source: API Gateway quotas for HTTP APIs.
	issuerTimeout = 1500 * time.Millisecond
	maxJWKS       = 150_000
	// keysFor is how long keys are kept at most. Source: API Gateway developer
	// guide, "Control access to HTTP APIs with JWT authorizers", which asks for
	// a grace period with both keys when they change. It does not say whether
	// an unknown key id makes the issuer be asked before; it does here, as the
	// guide says of REST APIs.
	keysFor = 2 * time.Hour
)

// refetches bounds how often unknown key ids make an issuer be asked, so that
// made-up tokens are no burden to it.
var refetches = Throttle{Rate: 0.2, Burst: 5, Set: true}

// issuers caches the signing keys of OIDC issuers.
type issuers struct {
	mu      sync.Mutex
	all     map[string]*issuer
	buckets buckets
	client  http.Client
	resolve func(issuer string) string
}

type issuer struct {
	mu      sync.Mutex
	set     jose.JSONWebKeySet
	fetched time.Time
}

// keys returns the issuer's keys with an id. An unknown id makes the issuer be
// asked again, since it may have changed its keys.
func (s *issuers) keys(ctx context.Context, url, kid string, now time.Time) ([]jose.JSONWebKey, error) {
	s.mu.Lock()
	if s.all == nil {
		s.all = map[string]*issuer{}
	}
	is := s.all[url]
	if is == nil {
		is = &issuer{}
		s.all[url] = is
	}
	s.mu.Unlock()
	is.mu.Lock()
	defer is.mu.Unlock()
	fresh := !is.fetched.IsZero() && now.Sub(is.fetched) < keysFor
	if found := is.set.Key(kid); fresh && len(found) > 0 {
		return found, nil
	}
	if s.buckets.take(url, refetches, now) {
		set, err := s.fetch(context.WithoutCancel(ctx), url)
		if err != nil {
			return nil, err
		}
		is.set, is.fetched = set, now
	}
	return is.set.Key(kid), nil
}

// Discover asks an issuer for its keys, as the gateway does when a token comes.
// It is what the control plane tests before an authorizer is made.
func (g *Gateway) Discover(ctx context.Context, issuer string) error {
	_, err := g.issuers.fetch(ctx, issuer)
	return err
}

func (s *issuers) fetch(ctx context.Context, url string) (jose.JSONWebKeySet, error) {
	var set jose.JSONWebKeySet
	var metadata struct {
		Issuer  string
		JWKSURI string `json:"jwks_uri"`
	}
	base := url
	if s.resolve != nil {
		base = s.resolve(url)
	}
	discovery := strings.TrimSuffix(base, "/") + "/.well-known/openid-configuration"
	if err := s.get(ctx, discovery, &metadata); err != nil {
		return set, fmt.Errorf("OIDC discovery at %s: %w", discovery, err)
	}
	if metadata.Issuer != url {
		return set, fmt.Errorf("OIDC discovery at %s: the metadata's issuer is %q, not %q", discovery, metadata.Issuer, url)
	}
	if err := s.get(ctx, metadata.JWKSURI, &set); err != nil {
		return set, fmt.Errorf("the key set at %s: %w", metadata.JWKSURI, err)
	}
	return set, nil
}

func (s *issuers) get(ctx context.Context, url string, v any) error {
	ctx, cancel := context.WithTimeout(ctx, issuerTimeout)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxJWKS+1))
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("status %d", resp.StatusCode)
	case len(data) > maxJWKS:
		return errors.New("the answer is larger than 150,000 bytes")
	}
	return json.Unmarshal(data, v)
}
