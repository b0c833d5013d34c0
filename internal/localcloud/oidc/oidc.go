// Package oidc is the part of Amazon Cognito that an API gateway and its
// callers see: each user pool is an OIDC issuer with discovery and a key set,
// served on loopback, and tokens as the pool's would be can be made by whoever
// may read its key. There are no users, passwords or sign-in pages.
package oidc

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"items-api/internal/localcloud/state"
)

var poolID = regexp.MustCompile(`^([a-z0-9-]+)_[A-Za-z0-9]+$`)

// Issuer returns the iss claim of a pool's tokens, which is the same as on AWS.
func Issuer(pool string) string {
	region, _, _ := strings.Cut(pool, "_")
	return "https://cognito-idp." + region + ".amazonaws.com/" + pool
}

// Keys holds the signing key of each pool in a file of its own, readable by
// its owner only.
type Keys struct{ Dir string }

func (k Keys) file(pool string) string { return filepath.Join(k.Dir, pool+".jwk") }

// Ensure makes a pool's key unless it has one.
func (k Keys) Ensure(pool string) error {
	if !poolID.MatchString(pool) {
		return fmt.Errorf("%q is no id of a user pool", pool)
	}
	if _, err := os.Stat(k.file(pool)); err == nil {
		return nil
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("making the key of the user pool %s: %w", pool, err)
	}
	sum := sha256.Sum256(private.N.Bytes())
	key := jose.JSONWebKey{
		Key:       private,
		KeyID:     hex.EncodeToString(sum[:16]),
		Algorithm: string(jose.RS256),
		Use:       "sig",
	}
	data, err := key.MarshalJSON()
	if err != nil {
		return err
	}
	return state.WriteFile(k.file(pool), data, 0o600)
}

// Remove forgets a pool's key, which makes its tokens worthless.
func (k Keys) Remove(pool string) error {
	if err := os.Remove(k.file(pool)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the key of the user pool %s: %w", pool, err)
	}
	return nil
}

func (k Keys) read(pool string) (jose.JSONWebKey, error) {
	var key jose.JSONWebKey
	if !poolID.MatchString(pool) {
		return key, fmt.Errorf("%q is no id of a user pool", pool)
	}
	data, err := os.ReadFile(k.file(pool))
	if err != nil {
		return key, fmt.Errorf("reading the key of the user pool %s: %w", pool, err)
	}
	return key, key.UnmarshalJSON(data)
}

// Handler serves /<pool>/.well-known/openid-configuration and
// /<pool>/.well-known/jwks.json.
func (k Keys) Handler() http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		// A client that is gone does not want it.
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc(
		"GET /{pool}/.well-known/openid-configuration",
		func(w http.ResponseWriter, r *http.Request) {
			pool := r.PathValue("pool")
			if _, err := k.read(pool); err != nil {
				http.NotFound(w, r)
				return
			}
			answer(w, map[string]any{
				"issuer":                                Issuer(pool),
				"jwks_uri":                              "http://" + r.Host + "/" + pool + "/.well-known/jwks.json",
				"id_token_signing_alg_values_supported": []string{"RS256"},
				"subject_types_supported":               []string{"public"},
				"response_types_supported":              []string{"code", "token"},
			})
		},
	)
	mux.HandleFunc("GET /{pool}/.well-known/jwks.json", func(w http.ResponseWriter, r *http.Request) {
		key, err := k.read(r.PathValue("pool"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}})
	})
	return mux
}

// Grant is what a token says.
type Grant struct {
	Pool, Client string
	Subject      string
	Scopes       []string
	Now          time.Time
	Lifetime     time.Duration
}

// Token returns an access token with the claims that Cognito's have.
func (k Keys) Token(g Grant) (string, error) {
	if g.Subject == "" {
		return "", errors.New("a token needs a subject")
	}
	key, err := k.read(g.Pool)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, nil)
	if err != nil {
		return "", fmt.Errorf("preparing the signature: %w", err)
	}
	claims, err := json.Marshal(map[string]any{
		"sub":       g.Subject,
		"username":  g.Subject,
		"iss":       Issuer(g.Pool),
		"client_id": g.Client,
		"token_use": "access",
		"scope":     strings.Join(g.Scopes, " "),
		"version":   2,
		"auth_time": g.Now.Unix(),
		"iat":       g.Now.Unix(),
		"exp":       g.Now.Add(g.Lifetime).Unix(),
		"jti":       uuid.NewString(),
	})
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return "", fmt.Errorf("signing the token: %w", err)
	}
	return signed.CompactSerialize()
}
