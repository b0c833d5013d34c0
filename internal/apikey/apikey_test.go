package apikey

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"items-api/internal/api"
	"items-api/internal/localcloud/dynamodb/databasetest"
	"items-api/internal/seeds"
)

var shared databasetest.Shared

func TestMain(m *testing.M) { shared.Main(m) }

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func issue(t *testing.T, table, owner string, scopes ...api.Scope) (string, Key) {
	t.Helper()
	key, k, err := Issue(t.Context(), shared.Client(t), table, Key{
		Owner:     owner,
		Scopes:    scopes,
		Note:      "for a test",
		CreatedAt: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return key, k
}

func TestLifeOfAKey(t *testing.T) {
	t.Parallel()
	db, table := shared.Client(t), shared.Table(t, api.PartitionKey, api.SortKey)
	key, k := issue(t, table, "alice", api.ScopeRead, api.ScopeWrite)
	other, _ := issue(t, table, "bob", api.ScopeRead)
	got, err := Check(t.Context(), db, table, key)
	if err != nil || got.ID != k.ID || got.Owner != "alice" || !slices.Equal(got.Scopes, k.Scopes) ||
		!got.CreatedAt.Equal(now) ||
		got.Note != "for a test" {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := Revoke(t.Context(), db, table, k.ID, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	// Revoking it again keeps when it was revoked first.
	if err := Revoke(t.Context(), db, table, k.ID, now.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(t.Context(), db, table, key); !errors.Is(err, ErrInvalid) {
		t.Errorf("a revoked key gave %v", err)
	}
	if _, err := Check(t.Context(), db, table, other); err != nil {
		t.Errorf("the other key gave %v", err)
	}
	list, err := List(t.Context(), db, table)
	if err != nil || len(list) != 2 {
		t.Fatalf("got %+v, %v", list, err)
	}
	for _, l := range list {
		if want := (l.ID == k.ID); l.RevokedAt.IsZero() == want ||
			want && !l.RevokedAt.Equal(now.Add(time.Hour)) {
			t.Errorf("%s was revoked at %s", l.ID, l.RevokedAt)
		}
	}
	if err := Revoke(t.Context(), db, table, "0000000000000000", now); !errors.Is(err, ErrNotFound) {
		t.Errorf("a key that does not exist gave %v", err)
	}
}

func TestTheTableHoldsNoSecret(t *testing.T) {
	t.Parallel()
	db, table := shared.Client(t), shared.Table(t, api.PartitionKey, api.SortKey)
	key, _ := issue(t, table, "alice", api.ScopeRead)
	out, err := db.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(table)})
	if err != nil || len(out.Items) != 1 {
		t.Fatalf("got %v, %v", out, err)
	}
	for name, v := range out.Items[0] {
		if s := stringOf(
			v,
		); strings.Contains(s, strings.SplitN(key, "_", 3)[2]) ||
			strings.Contains(key, s) && name != api.SortKey {
			t.Errorf("%s holds %q of the key %q", name, s, key)
		}
	}
}

func TestNoKeyButTheRightOneIsGood(t *testing.T) {
	t.Parallel()
	db, table := shared.Client(t), shared.Table(t, api.PartitionKey, api.SortKey)
	key, k := issue(t, table, "alice", api.ScopeRead)
	other, _ := issue(t, table, "bob", api.ScopeRead)
	secret := strings.SplitN(key, "_", 3)[2]
	bad := []string{
		"",
		secret,
		k.ID,
		"items_" + k.ID,
		"items_" + k.ID + "_",
		key + "A",
		key[:len(key)-1],
		" " + key,
		key + " ",
		strings.ToUpper(key),
		strings.ToLower(key),
		"ITEMS" + key[5:],
		"items_" + strings.Split(other, "_")[1] + "_" + secret,
		strings.Replace(key, "_", "__", 1),
		"items_../" + k.ID + "_" + secret,
		"items_0000000000000000_" + secret,
	}
	// Each character of the secret counts.
	for i := len(key) - len(secret); i < len(key); i++ {
		c := byte('A')
		if key[i] == c {
			c = 'B'
		}
		bad = append(bad, key[:i]+string(c)+key[i+1:])
	}
	for _, b := range bad {
		if got, err := Check(t.Context(), db, table, b); !errors.Is(err, ErrInvalid) || got.Owner != "" {
			t.Errorf("%q gave %+v, %v", b, got, err)
		}
	}
}

func TestManyKeysAreListedOnce(t *testing.T) {
	t.Parallel()
	db, table := shared.Client(t), shared.Table(t, api.PartitionKey, api.SortKey)
	// Long notes make several pages of 1 MB.
	const n = 30
	for i := range n {
		if _, _, err := Issue(t.Context(), db, table, Key{
			Owner:     fmt.Sprint("o", i),
			Scopes:    []api.Scope{api.ScopeRead},
			Note:      strings.Repeat("x", 100_000),
			CreatedAt: now,
		}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := List(t.Context(), db, table)
	seen := map[string]bool{}
	for _, k := range list {
		seen[k.Owner] = true
	}
	if err != nil || len(list) != n || len(seen) != n {
		t.Errorf("%d keys of %d owners, %v", len(list), len(seen), err)
	}
}

func TestBadKeysAreNotIssued(t *testing.T) {
	t.Parallel()
	for want, k := range map[string]Key{
		"owner":                {Scopes: []api.Scope{api.ScopeRead}},
		"1 to 256":             {Owner: strings.Repeat("x", 257), Scopes: []api.Scope{api.ScopeRead}},
		"at least one scope":   {Owner: "a"},
		`no scope "items:all"`: {Owner: "a", Scopes: []api.Scope{"items:all"}},
	} {
		if key, _, err := Issue(
			t.Context(),
			nil,
			"t",
			k,
		); err == nil || key != "" ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%+v gave %q, %v", k, key, err)
		}
	}
}

// Two owners whose names are no Unicode text would be one.
func TestKeysAreNotIssuedForOwnersThatAreNotUnicode(t *testing.T) {
	t.Parallel()
	for _, owner := range []string{"alice\xff", "\xed\xa0\x80", "alice\ufffd"} {
		k := Key{Owner: owner, Scopes: []api.Scope{api.ScopeRead}}
		if key, _, err := Issue(
			t.Context(),
			nil,
			"t",
			k,
		); err == nil || key != "" ||
			!strings.Contains(err.Error(), "Unicode") {
			t.Errorf("%q gave %q, %v", owner, key, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	seeds.Add(f)
	f.Add("items_0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("items__")
	f.Fuzz(func(t *testing.T, key string) {
		id, secret, ok := parse(key)
		if ok &&
			(len(id) != 2*idBytes || len(secret) != secretBytes || !strings.HasPrefix(key, prefix+id+"_")) {
			t.Errorf("%q gave %q and %d bytes", key, id, len(secret))
		}
	})
}
