package oidc

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const pool = "us-east-1_Abc123"

func get(t *testing.T, url string) (int, []byte) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, data
}

// set follows the discovery document to the keys, as a gateway does.
func set(t *testing.T, server string) jose.JSONWebKeySet {
	t.Helper()
	var metadata struct {
		Issuer string
		URI    string `json:"jwks_uri"`
	}
	status, data := get(t, server+"/"+pool+"/.well-known/openid-configuration")
	if err := json.Unmarshal(
		data,
		&metadata,
	); err != nil || status != http.StatusOK ||
		metadata.Issuer != Issuer(pool) {
		t.Fatalf("got %d %s, %v", status, data, err)
	}
	var out jose.JSONWebKeySet
	status, data = get(t, metadata.URI)
	if err := json.Unmarshal(data, &out); err != nil || status != http.StatusOK {
		t.Fatalf("got %d %s, %v", status, data, err)
	}
	return out
}

func TestTokenIsGoodByThePublishedKeys(t *testing.T) {
	t.Parallel()
	k := Keys{Dir: t.TempDir()}
	if err := k.Ensure(pool); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(k.Handler())
	t.Cleanup(s.Close)
	now := time.Unix(1e9, 0)
	token, err := k.Token(Grant{
		Pool:     pool,
		Client:   "c1",
		Subject:  "alice",
		Scopes:   []string{"items/items:read", "openid"},
		Now:      now,
		Lifetime: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	published := set(t, s.URL)
	keys := published.Key(parsed.Headers[0].KeyID)
	if len(keys) != 1 || !keys[0].IsPublic() || keys[0].Use != "sig" || keys[0].Algorithm != "RS256" {
		t.Fatalf("got the keys %+v", keys)
	}
	var claims map[string]any
	if err := parsed.Claims(keys[0], &claims); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"sub":       "alice",
		"iss":       Issuer(pool),
		"client_id": "c1",
		"scope":     "items/items:read openid",
		"token_use": "access",
		"iat":       1e9,
		"exp":       1e9 + 3600,
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	if _, there := claims["aud"]; there {
		t.Error("an access token of a user pool has no aud")
	}
}

func TestKeyStaysUntilThePoolGoes(t *testing.T) {
	t.Parallel()
	k := Keys{Dir: filepath.Join(t.TempDir(), "cognito")}
	if err := k.Ensure(pool); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(k.Handler())
	t.Cleanup(s.Close)
	first := set(t, s.URL).Keys[0].KeyID
	if err := k.Ensure(pool); err != nil || set(t, s.URL).Keys[0].KeyID != first {
		t.Errorf("the key changed, %v", err)
	}
	info, err := os.Stat(k.file(pool))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file has the mode %v, %v", info.Mode(), err)
	}
	for range 2 {
		if err := k.Remove(pool); err != nil {
			t.Fatal(err)
		}
	}
	if status, _ := get(t, s.URL+"/"+pool+"/.well-known/jwks.json"); status != http.StatusNotFound {
		t.Errorf("the keys of a pool that is gone gave %d", status)
	}
	if _, err := k.Token(Grant{Pool: pool, Subject: "alice"}); err == nil {
		t.Error("a pool that is gone gave a token")
	}
}

func TestNoOtherFileIsReached(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k := Keys{Dir: filepath.Join(dir, "cognito")}
	if err := (Keys{Dir: dir}).Ensure("us-east-1_x"); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(k.Handler())
	t.Cleanup(s.Close)
	for _, id := range []string{"../us-east-1_x", "..%2Fus-east-1_x", "", ".", "us-east-1_x/.."} {
		if err := k.Ensure(id); err == nil && !strings.Contains(id, "%") {
			t.Errorf("a key for %q was made", id)
		}
		if status, data := get(t, s.URL+"/"+id+"/.well-known/jwks.json"); status == http.StatusOK {
			t.Errorf("%q gave %s", id, data)
		}
	}
}

func TestTokenNeedsASubject(t *testing.T) {
	t.Parallel()
	k := Keys{Dir: t.TempDir()}
	if err := k.Ensure(pool); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Token(Grant{Pool: pool}); err == nil {
		t.Error("a token without a subject was made")
	}
}
