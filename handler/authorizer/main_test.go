package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"items-api/internal/api"
	"items-api/internal/apikey"
)

// table holds the last key that was put, and returns it for its own id.
type table struct {
	apikey.Writer
	item  map[string]types.AttributeValue
	reads int
	err   error
}

func (d *table) PutItem(
	_ context.Context,
	in *dynamodb.PutItemInput,
	_ ...func(*dynamodb.Options),
) (*dynamodb.PutItemOutput, error) {
	d.item = in.Item
	return &dynamodb.PutItemOutput{}, nil
}

func (d *table) GetItem(
	_ context.Context,
	in *dynamodb.GetItemInput,
	_ ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	d.reads++
	out := &dynamodb.GetItemOutput{}
	id := func(m map[string]types.AttributeValue) string {
		v, _ := m[api.SortKey].(*types.AttributeValueMemberS)
		return v.Value
	}
	if d.item != nil && id(d.item) == id(in.Key) {
		out.Item = d.item
	}
	return out, d.err
}

func TestDecisionFollowsTheKeyAndTheRoutesScope(t *testing.T) {
	t.Parallel()
	db := &table{}
	key, k, err := apikey.Issue(t.Context(), db, "t", apikey.Key{
		Owner:     "alice",
		Scopes:    []api.Scope{api.ScopeRead},
		CreatedAt: time.Unix(1e9, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	a := &authorizer{db: db, table: "t", log: slog.New(slog.NewJSONHandler(&log, nil))}
	for name, c := range map[string]struct {
		route, key string
		allowed    bool
	}{
		"its scope":         {"GET /items", key, true},
		"another scope":     {"POST /items", key, false},
		"no such route":     {"GET /admin", key, false},
		"route without one": {"GET /health", key, false},
		"no key":            {"GET /items", "", false},
		"changed key":       {"GET /items", key[:len(key)-1] + "_", false},
	} {
		out, err := a.decide(t.Context(), request{
			RouteKey: c.route,
			Headers:  map[string]string{api.APIKeyHeader: c.key},
		})
		if err != nil || out.IsAuthorized != c.allowed {
			t.Errorf("%s: got %+v, %v", name, out, err)
		}
		if owner := out.Context[api.ContextOwner]; c.allowed && owner != "alice" ||
			!c.allowed && len(out.Context) > 0 {
			t.Errorf("%s: the context is %v", name, out.Context)
		}
	}
	if secret := strings.SplitN(key, "_", 3)[2]; strings.Contains(log.String(), secret) ||
		!strings.Contains(log.String(), k.ID) {
		t.Errorf("the log is %s", &log)
	}
}

// A failure must not be kept as a denial, so it is an error.
func TestUnreadableTableIsAnErrorAndNoDenial(t *testing.T) {
	t.Parallel()
	db := &table{}
	key, _, err := apikey.Issue(t.Context(), db, "t", apikey.Key{
		Owner:     "alice",
		Scopes:    []api.Scope{api.ScopeRead},
		CreatedAt: time.Unix(1e9, 0),
	})
	if err != nil {
		t.Fatal(err)
	}
	db.err = errors.New("secret cause")
	a := &authorizer{db: db, table: "t", log: slog.New(slog.DiscardHandler)}
	out, err := a.decide(t.Context(), request{
		RouteKey: "GET /items",
		Headers:  map[string]string{api.APIKeyHeader: key},
	})
	if err == nil || out.IsAuthorized || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestMalformedKeysReadNothing(t *testing.T) {
	t.Parallel()
	db := &table{}
	a := &authorizer{db: db, table: "t", log: slog.New(slog.DiscardHandler)}
	for _, key := range []string{"", "x", "items_", "items__", "items_0123456789abcdef_short", strings.Repeat("x", 10000)} {
		if out, err := a.decide(t.Context(), request{
			RouteKey: "GET /items",
			Headers:  map[string]string{api.APIKeyHeader: key},
		}); err != nil || out.IsAuthorized {
			t.Errorf("%q: got %+v, %v", key, out, err)
		}
	}
	if db.reads > 0 {
		t.Errorf("the table was read %d times", db.reads)
	}
}
