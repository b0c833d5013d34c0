package gateway

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
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
var refetches = Throttle{
	Rate:  0.2,
	Burst: 5,
	Set:   true,
}

// issuers caches the signing keys of OIDC issuers.
type issuers struct {
	mu       sync.Mutex
	all      map[string]keySet // by issuer
	fetching singleflight.Group
	buckets  buckets
	resolve  func(issuer string) string
}

type keySet struct {
	keys    []jose.JSONWebKey
	fetched time.Time
}

func (s keySet) named(kid string) []jose.JSONWebKey {
	return slices.DeleteFunc(slices.Clone(s.keys), func(k jose.JSONWebKey) bool { return k.KeyID != kid })
}

// errAskedTooOften means that an issuer was asked so often that it is left
// alone for a while.
var errAskedTooOften = errors.New(
	"the issuer was asked for its keys too often; it is asked again in some seconds",
)

// keys returns the issuer's keys with an id. An unknown id makes the issuer be
// asked again, since it may have changed its keys; requests with known ids do
// not wait for that. Keys that are too old count for nothing, also when the
// issuer does not answer.
func (s *issuers) keys(ctx context.Context, url, kid string, now time.Time) ([]jose.JSONWebKey, error) {
	s.mu.Lock()
	set := s.all[url]
	s.mu.Unlock()
	fresh := !set.fetched.IsZero() && now.Sub(set.fetched) < keysFor
	if found := set.named(kid); fresh && len(found) > 0 {
		return found, nil
	}
	fetched, err, _ := s.fetching.Do(url, func() (any, error) {
		if !s.buckets.take(url, refetches, now) {
			return nil, errAskedTooOften
		}
		keys, err := s.fetch(context.WithoutCancel(ctx), url)
		if err != nil {
			return nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.all == nil {
			s.all = map[string]keySet{}
		}
		s.all[url] = keySet{keys, now}
		return s.all[url], nil
	})
	if fresh && errors.Is(err, errAskedTooOften) {
		return nil, nil // the id is not known
	}
	if err != nil {
		return nil, err
	}
	return fetched.(keySet).named(kid), nil
}

// Discover asks an issuer for its keys, as the gateway does when a token comes.
// It is what the control plane tests before an authorizer is made.
func (g *Gateway) Discover(ctx context.Context, issuer string) error {
	_, err := g.issuers.fetch(ctx, issuer)
	return err
}

func (s *issuers) fetch(ctx context.Context, issuer string) ([]jose.JSONWebKey, error) {
	var set struct{ Keys []json.RawMessage }
	var metadata struct {
		Issuer  string
		JWKSURI string `json:"jwks_uri"`
	}
	base := issuer
	if s.resolve != nil {
		base = s.resolve(issuer)
	}
	discovery := strings.TrimSuffix(base, "/") + "/.well-known/openid-configuration"
	if err := get(ctx, discovery, &metadata); err != nil {
		return nil, fmt.Errorf("OIDC discovery at %s: %w", discovery, err)
	}
	if metadata.Issuer != issuer {
		return nil, fmt.Errorf(
			"OIDC discovery at %s: the metadata's issuer is %q, not %q",
			discovery,
			metadata.Issuer,
			issuer,
		)
	}
	if err := get(ctx, metadata.JWKSURI, &set); err != nil {
		return nil, fmt.Errorf("the key set at %s: %w", metadata.JWKSURI, err)
	}
	var out []jose.JSONWebKey
	for _, raw := range set.Keys {
		var k jose.JSONWebKey
		// Keys of kinds that are not known are passed over (RFC 7517, section
		// 5), and so are those that no token can be signed with here.
		if k.UnmarshalJSON(raw) != nil {
			continue
		}
		if _, ok := k.Key.(*rsa.PublicKey); ok {
			out = append(out, k)
		}
	}
	return out, nil
}

// safe tests where keys may come from: over https, or from this machine.
func safe(u *url.URL) error {
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "https" ||
		u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) {
		return nil
	}
	return fmt.Errorf(
		"%s is neither an https URL nor an http URL on loopback: whoever is in between could give out keys",
		u,
	)
}

// client follows redirects to safe places only.
var client = http.Client{CheckRedirect: func(q *http.Request, via []*http.Request) error {
	if len(via) > 5 {
		return errors.New("there are too many redirects")
	}
	return safe(q.URL)
}}

func get(ctx context.Context, address string, v any) error {
	ctx, cancel := context.WithTimeout(ctx, issuerTimeout)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err == nil {
		err = safe(q.URL)
	}
	if err != nil {
		return err
	}
	resp, err := client.Do(q)
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
