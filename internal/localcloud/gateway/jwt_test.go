package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	oidc "items-api/e2e/issuer"
	"items-api/internal/seeds"
)

// guarded returns an API with a JWT authorizer on GET /a, and its issuer.
func guarded(t testing.TB, now func() time.Time) (*Gateway, *oidc.Issuer) {
	t.Helper()
	is, err := oidc.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(is.Close)
	g := New(Config{Invoker: invoker(ok), Now: now})
	a := simple(Stage{Name: "$default"}, "GET /a")
	a.Live.Routes[0].Authorization, a.Live.Routes[0].AuthorizerID = "JWT", "z"
	a.Live.Authorizers = []Authorizer{{
		ID:              "z",
		Type:            "JWT",
		IdentitySources: []string{"$request.header.Authorization"},
		Issuer:          is.URL,
		Audiences:       []string{"aud"},
	}}
	if err := g.Put(a); err != nil {
		t.Fatal(err)
	}
	return g, is
}

func with(g *Gateway, token string) int {
	w := httptest.NewRecorder()
	r := asking("GET", "/a", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	g.Handler("api1").ServeHTTP(w, r)
	return w.Code
}

func payload(t testing.TB, is *oidc.Issuer, now time.Time) []byte {
	t.Helper()
	data, err := json.Marshal(map[string]any{
		"iss": is.URL,
		"aud": "aud",
		"sub": "u",
		"exp": now.Add(time.Hour).Unix(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func sign(t testing.TB, is *oidc.Issuer, alg, kid, key string, payload []byte) string {
	t.Helper()
	token, err := is.Sign(alg, kid, key, payload)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestNewKeysOfAnIssuerAreFoundAndOldOnesForgotten(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Unix(1e9, 0)}
	g, is := guarded(t, c.Now)
	old := sign(t, is, "RS256", "k1", "k1", payload(t, is, c.now.Add(24*time.Hour)))
	for range 10 {
		if code := with(g, old); code != http.StatusOK {
			t.Fatalf("a good token got %d", code)
		}
	}
	if n := is.Fetches.Load(); n != 1 {
		t.Errorf("the keys were fetched %d times for 10 requests", n)
	}
	if err := is.Add("k2"); err != nil {
		t.Fatal(err)
	}
	is.Remove("k1")
	if code := with(g, sign(t, is, "RS256", "k2", "k2", payload(t, is, c.now))); code != http.StatusOK {
		t.Errorf("a token signed with the new key got %d", code)
	}
	if code := with(g, old); code != http.StatusUnauthorized {
		t.Errorf("a token signed with a key that is gone got %d", code)
	}
	c.pass(keysFor)
	before := is.Fetches.Load()
	if code := with(
		g,
		sign(t, is, "RS256", "k2", "k2", payload(t, is, c.now.Add(time.Hour))),
	); code != http.StatusOK ||
		is.Fetches.Load() != before+1 {
		t.Errorf(
			"after two hours the answer was %d and the keys were fetched %d times more",
			code,
			is.Fetches.Load()-before,
		)
	}
}

// What the issuer withdrew must not come back when it cannot be reached.
func TestOldKeysAreWorthlessWhenTheIssuerIsDown(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Unix(1e9, 0)}
	g, is := guarded(t, c.Now)
	token := sign(t, is, "RS256", "k1", "k1", payload(t, is, c.now.Add(100*time.Hour)))
	if code := with(g, token); code != http.StatusOK {
		t.Fatalf("a good token got %d", code)
	}
	is.Close()
	c.pass(keysFor - time.Second)
	if code := with(g, token); code != http.StatusOK {
		t.Errorf("with keys that are fresh it got %d", code)
	}
	c.pass(time.Second)
	for i := range 3 * refetches.Burst {
		if code := with(g, token); code != http.StatusUnauthorized {
			t.Errorf("with old keys the request %d got %d", i, code)
		}
	}
}

// Requests with made-up key ids make the issuer be asked; others go on.
func TestKnownKeysDoNotWaitForTheIssuer(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Unix(1e9, 0)}
	g, is := guarded(t, c.Now)
	good := sign(t, is, "RS256", "k1", "k1", payload(t, is, c.now))
	if code := with(g, good); code != http.StatusOK {
		t.Fatalf("got %d", code)
	}
	release := is.Hold()
	waiting := make(chan int)
	go func() { waiting <- with(g, sign(t, is, "RS256", "made-up", "k1", payload(t, is, c.now))) }()
	<-is.Held
	if code := with(g, good); code != http.StatusOK {
		t.Errorf("got %d while the issuer was asked", code)
	}
	release()
	if code := <-waiting; code != http.StatusUnauthorized {
		t.Errorf("the made-up id got %d", code)
	}
}

func TestKeysCountForWhatTheyAreMade(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Unix(1e9, 0)}
	for name, member := range map[string]struct {
		change map[string]any
		want   int
	}{
		"as it is":          {nil, 200},
		"its algorithm":     {map[string]any{"alg": "RS256"}, 200},
		"another algorithm": {map[string]any{"alg": "RS512"}, 401},
		"for encryption":    {map[string]any{"use": "enc"}, 401},
		"without use":       {map[string]any{"use": nil}, 200},
	} {
		g, is := guarded(t, c.Now)
		is.Change("k1", member.change)
		if code := with(g, sign(t, is, "RS256", "k1", "k1", payload(t, is, c.now))); code != member.want {
			t.Errorf("%s: got %d, want %d", name, code, member.want)
		}
	}
}

// Keys of other kinds beside it do not make a good one worthless (RFC 7517,
// section 5).
func TestUnknownKindsOfKeysArePassedOver(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Unix(1e9, 0)}
	for _, other := range []string{
		`{"kty":"EC","crv":"secp256k1","kid":"e","x":"AA","y":"AA"}`, `{"kty":"OKP","crv":"X25519","kid":"o","x":"AA"}`, `{"kty":"AKP","kid":"a"}`,
		`{"kty":"oct","kid":"k1","k":"c2VjcmV0"}`, `{"kid":"n"}`, `7`,
	} {
		g, is := guarded(t, c.Now)
		is.AddRaw(other)
		if code := with(g, sign(t, is, "RS256", "k1", "k1", payload(t, is, c.now))); code != http.StatusOK {
			t.Errorf("beside %s: got %d", other, code)
		}
	}
}

// Whoever is between gateway and issuer must not give out keys.
func TestKeysOverPlainHTTPAreRefused(t *testing.T) {
	t.Parallel()
	var s *httptest.Server
	target := ""
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, s.URL, target)
		case "/redirect":
			http.Redirect(w, r, "http://keys.example/jwks", http.StatusFound)
		}
	}))
	t.Cleanup(s.Close)
	for _, target = range []string{"http://keys.example/jwks", s.URL + "/redirect", "ftp://keys.example/jwks", "", "file:///etc/passwd"} {
		err := New(Config{}).Discover(t.Context(), s.URL)
		if err == nil || !strings.Contains(err.Error(), "https") && !strings.Contains(err.Error(), "keys") {
			t.Errorf("%q: got %v", target, err)
		}
		if err != nil && strings.Contains(err.Error(), "dial") {
			t.Errorf("%q was asked: %v", target, err)
		}
	}
}

func TestUnknownKeyIdsDoNotBurdenTheIssuer(t *testing.T) {
	t.Parallel()
	c := &clock{now: time.Unix(1e9, 0)}
	g, is := guarded(t, c.Now)
	for i := range 100 {
		if code := with(
			g,
			sign(t, is, "RS256", fmt.Sprint("made-up-", i), "stranger", payload(t, is, c.now)),
		); code != http.StatusUnauthorized {
			t.Fatalf("got %d", code)
		}
	}
	if n := is.Fetches.Load(); n > int64(refetches.Burst) {
		t.Errorf("the issuer was asked %d times", n)
	}
}

func TestIssuerLimits(t *testing.T) {
	t.Parallel()
	const rest = 2 * time.Second
	answer := func(body string, hang bool) *httptest.Server {
		var s *httptest.Server
		stop := make(chan struct{})
		s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "openid-configuration") {
				fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":"%s/jwks"}`, s.URL, s.URL)
				return
			}
			if hang {
				<-stop
			}
			fmt.Fprint(w, body)
		}))
		t.Cleanup(func() { close(stop); s.Close() })
		return s
	}
	keys := `{"keys":[],"x":"%s"}`
	for name, c := range map[string]struct {
		server *httptest.Server
		want   string
	}{
		"150,000 bytes":    {answer(fmt.Sprintf(keys, strings.Repeat("x", maxJWKS-len(keys)+2)), false), ""},
		"150,001 bytes":    {answer(fmt.Sprintf(keys, strings.Repeat("x", maxJWKS-len(keys)+3)), false), "larger than 150,000 bytes"},
		"more than 1.5 s":  {answer("{}", true), "deadline exceeded"},
		"no keys":          {answer("nonsense", false), "invalid character"},
		"not there at all": {httptest.NewUnstartedServer(nil), "127.0.0.1"},
	} {
		url := c.server.URL
		if url == "" {
			url = "http://" + c.server.Listener.Addr().String()
			c.server.Close()
		}
		ctx, cancel := context.WithTimeout(t.Context(), issuerTimeout+rest)
		err := New(Config{}).Discover(ctx, url)
		if got := fmt.Sprint(err); c.want == "" && err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if ctx.Err() != nil {
			t.Errorf("%s took longer than its limit", name)
		}
		cancel()
	}
}

func TestMetadataOfAnotherIssuerIsRefused(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(
		http.HandlerFunc(
			func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"issuer":"https://other.example"}`) },
		),
	)
	t.Cleanup(s.Close)
	if err := New(
		Config{},
	).Discover(
		t.Context(),
		s.URL,
	); err == nil ||
		!strings.Contains(err.Error(), "other.example") {
		t.Errorf("got %v", err)
	}
}

func TestAuthorizerFunctionHasTenSeconds(t *testing.T) {
	t.Parallel()
	var left time.Duration
	g := New(Config{Invoker: deadlines(func(ctx context.Context) {
		d, _ := ctx.Deadline()
		left = time.Until(d)
	}), Now: time.Now})
	a := simple(Stage{Name: "$default"}, "GET /a")
	a.Live.Routes[0].Authorization, a.Live.Routes[0].AuthorizerID = "CUSTOM", "z"
	a.Live.Authorizers = []Authorizer{{
		ID:                   "z",
		Type:                 "REQUEST",
		PayloadFormatVersion: "2.0",
		SimpleResponses:      true,
	}}
	if err := g.Put(a); err != nil {
		t.Fatal(err)
	}
	if code := ask(
		g,
		"GET",
		"/a",
	).Code; code != http.StatusInternalServerError || left > 10*time.Second ||
		left < 5*time.Second {
		t.Errorf("got %d with %s left", code, left)
	}
}

type deadlines func(context.Context)

func (f deadlines) Invoke(ctx context.Context, _ Invocation) (Result, error) {
	f(ctx)
	return Result{}, context.DeadlineExceeded
}

func TestThrottlesOfTheAccountBoundEveryRoute(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	for name, limit := range map[string]Throttle{"none": {}, "higher": {Rate: 1e9, Burst: 1e9, Set: true}} {
		b := &buckets{}
		served := 0
		for range 20000 {
			if b.take("x", limit, now) {
				served++
			}
		}
		if served != accountThrottle.Burst {
			t.Errorf("with the limit %s %d were served at once, want %d", name, served, accountThrottle.Burst)
		}
		for range 20000 {
			if b.take("x", limit, now.Add(time.Second/4)) {
				served++
			}
		}
		if served != accountThrottle.Burst+2500 {
			t.Errorf("with the limit %s %d were served after a quarter of a second", name, served)
		}
	}
}

// FuzzToken: no text is let in but one that the issuer signed.
func FuzzToken(f *testing.F) {
	seeds.Add(f)
	c := &clock{now: time.Unix(1e9, 0)}
	g, is := guarded(f, c.Now)
	good := sign(f, is, "RS256", "k1", "k1", payload(f, is, c.now))
	f.Add("")
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Fuzz(func(t *testing.T, token string) {
		c.pass(time.Millisecond) // or else the account's limit is reached
		if code := with(g, token); code != http.StatusUnauthorized {
			t.Errorf("got %d", code)
		}
	})
}

// FuzzClaims: whatever the claims of a signed token are, the answer is no
// error of the gateway, and claims without an audience do not get in.
func FuzzClaims(f *testing.F) {
	seeds.Add(f)
	c := &clock{now: time.Unix(1e9, 0)}
	g, is := guarded(f, c.Now)
	f.Add([]byte(`{"iss":"x","aud":["aud"],"exp":2e9,"l":[1,{"a":null}],"o":{"k":1.5}}`))
	f.Add([]byte(`{"exp":"x","iat":1e400}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, claims []byte) {
		c.pass(time.Millisecond) // or else the account's limit is reached
		token, err := is.Sign("RS256", "k1", "k1", claims)
		if err != nil {
			return
		}
		if code := with(g, token); code != http.StatusUnauthorized {
			t.Errorf("got %d", code)
		}
		if m, err := decodeClaims(claims); err == nil {
			for _, v := range m {
				claimText(v)
			}
			scopesOf(m)
		}
	})
}
