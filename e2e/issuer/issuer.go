// Package issuer is an OIDC issuer for tests: discovery, a key set that can
// change, and tokens, good ones and others.
package issuer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"

	"github.com/go-jose/go-jose/v4"
)

// Issuer serves /.well-known/openid-configuration and its key set.
type Issuer struct {
	URL string
	// Fetches counts how often the key set was asked for.
	Fetches atomic.Int64

	// Held gets a value when a request for the key set waits, see Hold.
	Held chan struct{}

	server  *httptest.Server
	mu      sync.Mutex
	keys    map[string]any // private keys by kid
	hidden  map[string]bool
	changes map[string]map[string]any // members by kid
	raw     []json.RawMessage
	hold    chan struct{}
}

// Start starts an issuer with the RSA key k1 and the elliptic key ec1, and an
// RSA key stranger that is not in its key set.
func Start() (*Issuer, error) {
	i := &Issuer{
		keys:    map[string]any{},
		hidden:  map[string]bool{"stranger": true},
		changes: map[string]map[string]any{},
		Held:    make(chan struct{}, 1),
	}
	for _, kid := range []string{"k1", "stranger"} {
		if err := i.Add(kid); err != nil {
			return nil, err
		}
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	i.keys["ec1"] = ec
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/jwks"})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		i.Fetches.Add(1)
		i.mu.Lock()
		hold := i.hold
		i.mu.Unlock()
		if hold != nil {
			i.Held <- struct{}{}
			<-hold
		}
		set, err := i.set()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer(w, map[string]any{"keys": set})
	})
	i.server = httptest.NewServer(mux)
	i.URL = i.server.URL
	return i, nil
}

// Close stops the issuer.
func (i *Issuer) Close() { i.server.Close() }

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	// A client that is gone does not want it.
	_ = json.NewEncoder(w).Encode(v)
}

// Add makes an RSA key.
func (i *Issuer) Add(kid string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys[kid] = key
	return nil
}

// Remove takes a key out of the set; tokens can still be signed with it.
func (i *Issuer) Remove(kid string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.hidden[kid] = true
}

// Change sets members of a key in the set, or takes away those that are nil.
func (i *Issuer) Change(kid string, members map[string]any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.changes[kid] = members
}

// AddRaw puts a key into the set as it stands.
func (i *Issuer) AddRaw(key string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.raw = append(i.raw, json.RawMessage(key))
}

// Hold makes requests for the key set wait until release is called.
func (i *Issuer) Hold() (release func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	hold := make(chan struct{})
	i.hold = hold
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.hold = nil
		close(hold)
	}
}

func (i *Issuer) set() ([]any, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var out []any
	for kid, key := range i.keys {
		if i.hidden[kid] {
			continue
		}
		private := jose.JSONWebKey{
			Key:   key,
			KeyID: kid,
			Use:   "sig",
		}
		public := private.Public()
		data, err := public.MarshalJSON()
		if err != nil {
			return nil, err
		}
		m := map[string]any{}
		if err := json.Unmarshal(data, &m); err != nil {
			return nil, err
		}
		for name, v := range i.changes[kid] {
			if m[name] = v; v == nil {
				delete(m, name)
			}
		}
		out = append(out, m)
	}
	for _, r := range i.raw {
		out = append(out, r)
	}
	return out, nil
}

// Sign returns a token with exactly this payload. alg none gives no signature;
// HS256 takes the public key's PEM text as its secret, as an attacker would.
func (i *Issuer) Sign(alg, kid, signWith string, payload []byte) (string, error) {
	i.mu.Lock()
	key := i.keys[signWith]
	i.mu.Unlock()
	switch alg {
	case "none":
		header, err := json.Marshal(map[string]string{"alg": "none", "kid": kid, "typ": "JWT"})
		encode := base64.RawURLEncoding.EncodeToString
		return encode(header) + "." + encode(payload) + ".", err
	case "HS256", "HS384", "HS512":
		private, ok := key.(*rsa.PrivateKey)
		if !ok {
			return "", fmt.Errorf("there is no RSA key %s", signWith)
		}
		der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
		if err != nil {
			return "", err
		}
		key = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	}
	options := &jose.SignerOptions{}
	if kid != "" {
		options.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: key}, options)
	if err != nil {
		return "", fmt.Errorf("signing with %s: %w", alg, err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// Token returns a good token with claims, which must hold iss, aud and exp.
func (i *Issuer) Token(claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return i.Sign("RS256", "k1", "k1", payload)
}
