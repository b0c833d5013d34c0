package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json"
)

// algorithms are all that a JWT authorizer accepts. Source: API Gateway
// developer guide, "Control access to HTTP APIs with JWT authorizers".
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512}

func (g *Gateway) authorizeJWT(r *request, a Authorizer) (reply, bool) {
	text, ok := r.identitySource(a.IdentitySources[0])
	if !ok {
		r.identity.err = "the identity source is missing"
		// That the challenge is the bare scheme is not documented.
		return unauthorized("Bearer"), false
	}
	claims, err := g.verify(r, a, strings.TrimPrefix(text, "Bearer "))
	if err != nil {
		r.identity.err = err.Error()
		return unauthorized(
			fmt.Sprintf(`Bearer scope="" error="invalid_token" error_description=%q`, public(err)),
		), false
	}
	rendered := map[string]string{}
	for name, v := range claims {
		if v != nil {
			rendered[name] = claimText(v)
		}
	}
	r.identity.claims = rendered
	scopes := scopesOf(claims)
	if len(r.match.route.Scopes) > 0 {
		if !slices.ContainsFunc(
			r.match.route.Scopes,
			func(s string) bool { return slices.Contains(scopes, s) },
		) {
			r.identity.err = "the token has none of the route's scopes"
			return forbidden(), false
		}
	} else {
		scopes = nil
	}
	r.identity.caller = rendered["sub"]
	r.identity.event = &authorized{JWT: &jwtContext{Claims: rendered, Scopes: scopes}}
	return reply{}, true
}

// refusal is a reason that the client is told.
type refusal string

func (r refusal) Error() string { return string(r) }

// public returns what a client may know of an error. Of the texts that AWS
// sends, the one about the audience is documented and the one about segments
// was recorded; the others are our own.
func public(err error) string {
	var r refusal
	if errors.As(err, &r) {
		return string(r)
	}
	return "the token is not valid"
}

// verify checks a token's signature with the issuer's keys, and its claims.
func (g *Gateway) verify(r *request, a Authorizer, token string) (map[string]any, error) {
	if strings.Count(token, ".") != 2 {
		return nil, refusal("token contains an invalid number of segments") // as recorded from AWS
	}
	signed, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, fmt.Errorf("reading the token: %w", err)
	}
	header := signed.Signatures[0].Protected
	if header.KeyID == "" {
		return nil, refusal("the token names no key")
	}
	keys, err := g.issuers.keys(r.http.Context(), a.Issuer, header.KeyID, g.Now())
	if err != nil {
		return nil, err
	}
	var payload []byte
	err = refusal("the token's key is unknown")
	for _, k := range keys {
		if k.Algorithm != "" && k.Algorithm != header.Algorithm || k.Use != "" && k.Use != "sig" {
			continue
		}
		if payload, err = signed.Verify(k); err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("verifying the signature: %w", err)
	}
	claims, err := decodeClaims(payload)
	if err != nil {
		return nil, err
	}
	return claims, checkClaims(claims, a, g.Now())
}

// decodeClaims reads a token's payload. The decoder of the JOSE library
// refuses a name that stands twice, in nested objects too.
func decodeClaims(payload []byte) (map[string]any, error) {
	d := josejson.NewDecoder(bytes.NewReader(payload))
	d.SetNumberType(josejson.UnmarshalJSONNumber)
	var out map[string]any
	if err := d.Decode(&out); err != nil || out == nil {
		return nil, refusal("the token's claims are malformed")
	}
	return out, nil
}

// checkClaims validates iss, aud or client_id, exp, nbf and iat. No leeway for
// clocks that differ is documented, so there is none.
func checkClaims(claims map[string]any, a Authorizer, now time.Time) error {
	if claims["iss"] != a.Issuer {
		return refusal("the token does not have a valid issuer")
	}
	audience, ok := claims["aud"]
	if !ok || audience == nil {
		audience = claims["client_id"]
	}
	if !slices.ContainsFunc(texts(audience), func(s string) bool { return slices.Contains(a.Audiences, s) }) {
		return refusal("the token does not have a valid audience")
	}
	seconds := float64(now.UnixMilli()) / 1000
	exp, err := instant(claims, "exp")
	if err != nil {
		return err
	}
	if exp == nil || *exp <= seconds {
		return refusal("the token has expired")
	}
	for _, name := range []string{"nbf", "iat"} {
		t, err := instant(claims, name)
		if err != nil {
			return err
		}
		if t != nil && *t > seconds {
			return refusal("the token is not valid yet")
		}
	}
	return nil
}

func instant(claims map[string]any, name string) (*float64, error) {
	v, ok := claims[name]
	if !ok || v == nil {
		return nil, nil
	}
	if n, ok := v.(josejson.Number); ok {
		if f, err := n.Float64(); err == nil {
			return &f, nil
		}
	}
	return nil, refusal("the claim " + name + " is no number")
}

// texts returns a text, or the texts of a list.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// scopesOf returns the scopes of a token: scp, or else scope, which may be a
// list or a text with spaces.
func scopesOf(claims map[string]any) []string {
	v := claims["scp"]
	if v == nil {
		v = claims["scope"]
	}
	out := []string{}
	for _, s := range texts(v) {
		out = append(out, strings.Fields(s)...)
	}
	return out
}

// claimText renders a claim as recorded from AWS: everything is text, a list
// is written as Go does, an object as JSON.
func claimText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case josejson.Number:
		return v.String()
	case json.Number:
		return v.String()
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, claimText(e))
		}
		return "[" + strings.Join(out, " ") + "]"
	case map[string]any:
		data, err := json.Marshal(plain(v))
		if err != nil {
			return ""
		}
		return string(data)
	}
	return fmt.Sprint(v)
}

// plain replaces the library's numbers, which encoding/json would quote.
func plain(v any) any {
	switch v := v.(type) {
	case josejson.Number:
		return json.Number(v.String())
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	case map[string]any:
		out := maps.Clone(v)
		for k, e := range v {
			out[k] = plain(e)
		}
		return out
	}
	return v
}
