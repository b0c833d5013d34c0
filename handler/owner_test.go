package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"items-api/internal/api"
)

// owned notes whose item was asked for.
type owned struct {
	fake
	owner string
}

func (o *owned) Get(_ context.Context, owner, _ string) (api.Item, error) {
	o.owner = owner
	return o.item()
}

func TestOwnerIsWhoTheGatewaySaysAndNobodyElse(t *testing.T) {
	t.Parallel()
	type context = events.APIGatewayV2HTTPRequestContextAuthorizerDescription
	jwt := func(claims map[string]string) *context {
		return &context{JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims}}
	}
	lambda := func(c map[string]any) *context { return &context{Lambda: c} }
	for name, c := range map[string]struct {
		mode api.AuthMode
		from *context
		want string // "" if it is refused
	}{
		"anonymous":                     {api.AuthNone, nil, api.AnonymousOwner},
		"anonymous with a token":        {api.AuthNone, jwt(map[string]string{"sub": "alice"}), api.AnonymousOwner},
		"user pool":                     {api.AuthCognito, jwt(map[string]string{"sub": "alice"}), "alice"},
		"user pool without authorizer":  {api.AuthCognito, nil, ""},
		"issuer":                        {api.AuthJWT, jwt(map[string]string{"sub": "alice"}), "alice"},
		"issuer without sub":            {api.AuthJWT, jwt(map[string]string{"username": "alice"}), ""},
		"issuer with an empty sub":      {api.AuthJWT, jwt(map[string]string{"sub": ""}), ""},
		"subject named as nobody":       {api.AuthJWT, jwt(map[string]string{"sub": api.AnonymousOwner}), ""},
		"key of what nobody made":       {api.AuthLambda, lambda(map[string]any{"owner": api.AnonymousOwner}), api.AnonymousOwner},
		"issuer with a key's context":   {api.AuthJWT, lambda(map[string]any{"owner": "alice"}), ""},
		"key":                           {api.AuthLambda, lambda(map[string]any{"owner": "alice"}), "alice"},
		"key without owner":             {api.AuthLambda, lambda(map[string]any{"keyId": "1"}), ""},
		"key with an owner of a number": {api.AuthLambda, lambda(map[string]any{"owner": 1.0}), ""},
		"key with a token's claims":     {api.AuthLambda, jwt(map[string]string{"sub": "alice"}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &owned{}
			h, err := NewHandler(o, c.mode, slog.New(slog.NewJSONHandler(io.Discard, nil)))
			if err != nil {
				t.Fatal(err)
			}
			r := request{RouteKey: "GET /items/{id}", PathParameters: map[string]string{"id": id}}
			r.RequestContext.Authorizer = c.from
			out, err := h.Handle(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if o.owner != c.want || (out.StatusCode == http.StatusOK) != (c.want != "") {
				t.Errorf("the owner is %q, want %q: %d %s", o.owner, c.want, out.StatusCode, out.Body)
			}
			var p api.Problem
			if err := json.Unmarshal(
				[]byte(out.Body),
				&p,
			); c.want == "" &&
				(err != nil || p.Code != api.Unauthenticated || out.StatusCode != http.StatusUnauthorized) {
				t.Errorf("got %d %s", out.StatusCode, out.Body)
			}
		})
	}
}

func TestUnknownModeStopsTheFunction(t *testing.T) {
	t.Parallel()
	for _, mode := range []api.AuthMode{"", "basic"} {
		if _, err := NewHandler(&fake{}, mode, slog.Default()); err == nil {
			t.Errorf("the mode %q was accepted", mode)
		}
	}
}
