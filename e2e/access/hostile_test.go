package access

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"items-api/e2e/issuer"
	"items-api/e2e/rest"
)

// hostile sends 1,000 tokens that are made to be refused. Each kind differs
// from a good token in one thing.
func hostile(t *testing.T, s *site, is *issuer.Issuer) {
	r := rand.New(rand.NewPCG(1, 2))
	sign := func(alg, kid, key string, changes map[string]any) string {
		payload, err := json.Marshal(claims(is, changes))
		if err != nil {
			t.Fatal(err)
		}
		token, err := is.Sign(alg, kid, key, payload)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	raw := func(payload string) string {
		token, err := is.Sign("RS256", "k1", "k1", []byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	now := time.Now().Unix()
	if err := is.Add("other"); err != nil {
		t.Fatal(err)
	}
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	text := func() string { return fmt.Sprintf("x%x", r.Uint64()) }
	base := fmt.Sprintf(`"iss":%q,"sub":"alice","exp":%d,"scope":"items:read"`, is.URL, now+600)
	kinds := map[string]func() string{
		"wrong key":   func() string { return sign("RS256", "k1", "stranger", nil) },
		"other key":   func() string { return sign("RS256", "k1", "other", nil) },
		"unknown kid": func() string { return sign("RS256", text(), "k1", nil) },
		"no kid":      func() string { return sign("RS256", "", "k1", nil) },
		"wrong alg":   func() string { return sign(one("PS256", "PS384", "PS512"), "k1", "k1", nil) },
		"elliptic":    func() string { return sign("ES256", "ec1", "ec1", nil) },
		"none":        func() string { return sign("none", "k1", "k1", nil) },
		"none in other letters": func() string {
			header := base64.RawURLEncoding.EncodeToString(
				[]byte(`{"alg":"` + one("None", "NONE", "nOnE", "") + `","kid":"k1"}`),
			)
			_, rest, _ := strings.Cut(sign("none", "k1", "k1", nil), ".")
			return header + "." + rest
		},
		"public key as secret": func() string { return sign(one("HS256", "HS384", "HS512"), "k1", "k1", nil) },
		"expired":              func() string { return sign("RS256", "k1", "k1", map[string]any{"exp": now - 1 - r.Int64N(1e6)}) },
		"no expiry":            func() string { return sign("RS256", "k1", "k1", map[string]any{"exp": nil}) },
		"expiry as text":       func() string { return sign("RS256", "k1", "k1", map[string]any{"exp": fmt.Sprint(now + 600)}) },
		"not yet valid": func() string {
			return sign("RS256", "k1", "k1", map[string]any{one("nbf", "iat"): now + 60 + r.Int64N(1e6)})
		},
		"wrong audience": func() string {
			return sign("RS256", "k1", "k1", map[string]any{"aud": []string{text(), "items ", "ITEMS"}})
		},
		"audience hidden by another": func() string {
			return sign("RS256", "k1", "k1", map[string]any{
				"aud":       text(),
				"client_id": "items",
			})
		},
		"no audience": func() string { return sign("RS256", "k1", "k1", map[string]any{"aud": nil}) },
		"wrong issuer": func() string {
			return sign(
				"RS256",
				"k1",
				"k1",
				map[string]any{"iss": one("", is.URL+"/", "https://evil.example", strings.ToUpper(is.URL))},
			)
		},
		"truncated": func() string {
			full := good(t, is, nil)
			return full[:r.IntN(len(full)-1)+1]
		},
		"changed payload": func() string {
			parts := strings.Split(good(t, is, nil), ".")
			parts[1] = base64.RawURLEncoding.EncodeToString(
				[]byte(`{` + base + `,"aud":"items","admin":true}`),
			)
			return strings.Join(parts, ".")
		},
		"large": func() string {
			return sign("RS256", "k1", "stranger", map[string]any{"filler": strings.Repeat("x", 6000)})
		},
		"oversized":         func() string { return good(t, is, map[string]any{"filler": strings.Repeat("x", 10_000)}) },
		"audience twice":    func() string { return raw(`{` + base + `,"aud":"other","aud":"items"}`) },
		"subject twice":     func() string { return raw(`{` + base + `,"aud":"items","sub":"bob"}`) },
		"no object":         func() string { return raw(one(`[]`, `"x"`, `null`, `{`, ``)) },
		"encrypted shape":   func() string { return good(t, is, nil) + "." + text() + "." + text() },
		"random characters": func() string { return text() + "." + text() + "." + text() },
	}
	names := slices.Sorted(maps.Keys(kinds))
	const total = 1000
	statuses := map[int]int{}
	for i := range total {
		name := names[i%len(names)]
		a := s.send(t, "GET", "/items", bearer(kinds[name]()), nil)
		statuses[a.Status]++
		want := http.StatusUnauthorized
		if name == "oversized" {
			want = http.StatusRequestHeaderFieldsTooLarge // before it is looked at
		}
		if a.Status != want {
			t.Errorf("a token of the kind %q got %d: %s", name, a.Status, a.Body)
		}
	}
	t.Logf("%d hostile tokens of %d kinds: %v", total, len(kinds), statuses)
	s.expect(t, http.StatusOK, "GET", "/items", bearer(good(t, is, nil)))
}

// isolation sends 200 requests as one owner for another's items: each answer
// is the same as for an item that does not exist.
func isolation(t *testing.T, s *site, is *issuer.Issuer) {
	const victims, per = 20, 10
	alice := bearer(good(t, is, map[string]any{"sub": "carol"}))
	var ids []string
	for i := range victims {
		h := bearer(good(t, is, map[string]any{"sub": "carol"}))
		h["Idempotency-Key"] = fmt.Sprint("key-", i)
		a := s.send(t, "POST", "/items", h, map[string]any{"name": fmt.Sprint("secret-", i)})
		var item struct{ ID string }
		if err := json.Unmarshal(a.Body, &item); err != nil || a.Status != http.StatusCreated {
			t.Fatalf("got %d %s", a.Status, a.Body)
		}
		ids = append(ids, item.ID)
	}
	var page struct{ NextCursor string }
	if err := json.Unmarshal(
		s.send(t, "GET", "/items?limit=5", alice, nil).Body,
		&page,
	); err != nil ||
		page.NextCursor == "" {
		t.Fatal(err)
	}
	// Owners that might be taken for another by the way keys are written.
	owners := []string{
		"mallory", "carol#", "carol\u0000", "Carol", "OWNER#carol", "carol/ITEM#", "*", "sha256:x", "c",
		"carol ",
	}
	sent := 0
	var leaked atomic.Int64
	try := func(owner, method, path string, extra map[string]string, body any) rest.Answer {
		h := bearer(good(t, is, map[string]any{"sub": owner}))
		for k, v := range extra {
			h[k] = v
		}
		a := s.send(t, method, path, h, body)
		sent++
		if strings.Contains(string(a.Body), "secret-") {
			leaked.Add(1)
			t.Errorf("%s %s as %q: %s", method, path, owner, a.Body)
		}
		return a
	}
	same := func(a, absent rest.Answer, what string, owner string) {
		// Only the request's id and the id asked for differ.
		if a.Status != absent.Status || a.Header.Get("ETag") != absent.Header.Get("ETag") ||
			len(a.Body) != len(absent.Body) {
			t.Errorf(
				"%s as %q: %d %s, but for an item that does not exist %d %s",
				what,
				owner,
				a.Status,
				a.Body,
				absent.Status,
				absent.Body,
			)
		}
	}
	const absent = "018f0000-0000-7000-8000-000000000000"
	for i, id := range ids {
		owner := owners[i%len(owners)]
		update := map[string]any{"name": "taken"}
		for _, c := range []struct {
			method string
			header map[string]string
			body   any
		}{
			{"GET", nil, nil},
			{"GET", map[string]string{"If-None-Match": `"1"`}, nil},
			{"PUT", nil, update},
			{"PUT", map[string]string{"If-Match": `"1"`}, update},
			{"DELETE", nil, nil},
			{"DELETE", map[string]string{"If-Match": `*`}, nil},
		} {
			a := try(owner, c.method, "/items/"+id, c.header, c.body)
			same(
				a,
				s.send(
					t,
					c.method,
					"/items/"+absent,
					with(bearer(good(t, is, map[string]any{"sub": owner})), c.header),
					c.body,
				),
				c.method,
				owner,
			)
		}
		if a := try(
			owner,
			"POST",
			"/items/batch-get",
			nil,
			map[string]any{"ids": []string{id}},
		); !strings.Contains(
			string(a.Body),
			`"items":[]`,
		) {
			t.Errorf("batch-get as %q: %s", owner, a.Body)
		}
		if a := try(
			owner,
			"GET",
			"/items?cursor="+url.QueryEscape(page.NextCursor),
			nil,
			nil,
		); a.Status != http.StatusBadRequest {
			t.Errorf("a foreign cursor as %q: %d %s", owner, a.Status, a.Body)
		}
		try(owner, "GET", "/items", nil, nil)
		// The same key is another owner's own: it creates, and returns nothing.
		if a := try(
			owner,
			"POST",
			"/items",
			map[string]string{"Idempotency-Key": fmt.Sprint("key-", i)},
			map[string]any{"name": "mine"},
		); a.Status != http.StatusCreated {
			t.Errorf("another's Idempotency-Key as %q: %d %s", owner, a.Status, a.Body)
		}
	}
	if sent < victims*per {
		t.Errorf("only %d requests were sent", sent)
	}
	for i, id := range ids {
		if a := s.send(
			t,
			"GET",
			"/items/"+id,
			alice,
			nil,
		); a.Status != http.StatusOK || !strings.Contains(string(a.Body), fmt.Sprintf(`"secret-%d"`, i)) ||
			a.Header.Get("ETag") != `"1"` {
			t.Errorf("the item %d is now %d %s", i, a.Status, a.Body)
		}
	}
	t.Logf("%d requests for another owner's items, %d answers with something of theirs", sent, leaked.Load())
}

func with(h, more map[string]string) map[string]string {
	for k, v := range more {
		h[k] = v
	}
	return h
}
