// Package conformance replays what is known of AWS's HTTP APIs against the
// assembled local cloud: each vector's API is deployed by the real engine, its
// function is a real process, and requests are sent over HTTP byte for byte.
package conformance

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/e2e/engine"
	"items-api/e2e/issuer"
	"items-api/internal/localcloud"
)

var update = flag.Bool("update", false, "write docs/conformance.md")

// run is one replay of all vectors.
type run struct {
	*engine.Cloud
	plan   *plan
	issuer *issuer.Issuer
	now    time.Time // the gateway's clock stands still
	urls   map[string]string
}

func TestVectors(t *testing.T) {
	t.Parallel()
	vectors := load(t)
	r := deploy(t, vectors)
	results := map[string]string{}
	var mu sync.Mutex
	t.Run("all", func(t *testing.T) {
		for _, v := range vectors {
			t.Run(v.ID+" "+v.Title, func(t *testing.T) {
				t.Parallel()
				found := r.replay(t, v)
				outcome := "as AWS"
				if len(found) > 0 {
					outcome = "differs"
				}
				if v.Level == "open" {
					outcome = "recorded: " + outcome
					t.Log(found)
				} else if len(found) > 0 {
					t.Error(strings.Join(found, "\n"))
				}
				mu.Lock()
				defer mu.Unlock()
				results[v.ID] = outcome
			})
		}
	})
	document(t, vectors, results)
}

func deploy(t *testing.T, vectors []vector) *run {
	t.Helper()
	oidc, err := issuer.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(oidc.Close)
	r := &run{issuer: oidc, now: time.Now().Truncate(time.Second)}
	r.Cloud = engine.Start(t, localcloud.Config{Now: func() time.Time { return r.now }})
	p := &plan{
		capture:   filepath.Join(r.Dir, "capture"),
		issuer:    oidc.URL,
		functions: map[string]function{},
		sites:     map[string]site{},
		siteOf:    map[string]string{},
		byContent: map[string]string{},
	}
	r.plan = p
	p.zip, p.empty = packages(t, r.Root, r.Dir)
	for _, role := range []string{"function", "authorizer"} {
		if err := os.MkdirAll(filepath.Join(p.capture, role), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range vectors {
		if v.Given.ControlPlane == nil {
			p.add(v)
		}
	}
	r.urls = r.Up(t, "vectors", p.program)
	return r
}

// token makes the token of a vector.
func (r *run) token(t *testing.T, k *token) string {
	t.Helper()
	if k == nil {
		return ""
	}
	payload, err := json.Marshal(r.fill(t, k.Claims))
	if err != nil {
		t.Fatal(err)
	}
	kid, _ := k.Header["kid"].(string)
	out, err := r.issuer.Sign(fmt.Sprint(k.Header["alg"]), kid, k.SignWith, payload)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// fill replaces ${ISSUER}, ${NOW+n} and ${NULL}.
func (r *run) fill(t *testing.T, v any) any {
	t.Helper()
	switch v := v.(type) {
	case string:
		if v == "${NULL}" {
			return nil
		}
		if n, ok := strings.CutPrefix(v, "${NOW"); ok {
			d, err := strconv.Atoi("0" + strings.TrimLeft(strings.TrimSuffix(n, "}"), "+-"))
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(n, "-") {
				d = -d
			}
			return r.now.Unix() + int64(d)
		}
		return strings.ReplaceAll(v, "${ISSUER}", r.issuer.URL)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = r.fill(t, e)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = r.fill(t, e)
		}
		return out
	}
	return v
}

// captured returns the event that a function got for a request.
func (r *run) captured(role, requestID string) []byte {
	data, err := os.ReadFile(filepath.Join(r.plan.capture, role, hex.EncodeToString([]byte(requestID))))
	if err != nil {
		return nil
	}
	return data
}

// replay sends a vector's requests and returns what differs from AWS.
func (r *run) replay(t *testing.T, v vector) problems {
	t.Helper()
	if v.Given.ControlPlane != nil {
		return r.controlPlane(t, v)
	}
	all := v.Request.Sequence
	if len(all) == 0 {
		all = []exchange{v.Request.exchange}
	}
	addr := strings.TrimPrefix(r.urls[r.plan.siteOf[v.ID]], "http://")
	token := r.token(t, v.Given.Token)
	var p problems
	var last answer
	var statuses []int
	invoked, authorized := 0, 0
	for _, e := range all {
		last = send(t, addr, token, e)
		statuses = append(statuses, last.resp.StatusCode)
		if r.captured("function", last.requestID()) != nil {
			invoked++
		}
		if r.captured("authorizer", last.requestID()) != nil {
			authorized++
		}
	}
	x := v.Expect
	p.response(x, last)
	if x.Last != nil {
		p.response(*x.Last, last)
	}
	if len(x.Statuses) > 0 && !slices.Equal(statuses, x.Statuses) {
		p.add("statuses %v, want %v", statuses, x.Statuses)
	}
	if x.Invoked != nil && *x.Invoked != (invoked > 0) {
		p.add("the function was invoked %d times", invoked)
	}
	if x.AuthorizerInvoked != nil && *x.AuthorizerInvoked != (authorized > 0) {
		p.add("the authorizer was invoked %d times", authorized)
	}
	if x.AuthorizerInvocations != nil && *x.AuthorizerInvocations != authorized {
		p.add("the authorizer was invoked %d times, want %d", authorized, *x.AuthorizerInvocations)
	}
	p.event("the function", r.captured("function", last.requestID()), x.Event)
	p.event("the authorizer", r.captured("authorizer", last.requestID()), x.AuthorizerEvent)
	return p
}

// controlPlane previews what must be refused before anything is created.
func (r *run) controlPlane(t *testing.T, v vector) problems {
	t.Helper()
	var action struct {
		Action, ProtocolType string
		CORSConfiguration    *apigatewayv2.ApiCorsConfiguration
	}
	if err := json.Unmarshal(v.Given.ControlPlane, &action); err != nil {
		t.Fatal(err)
	}
	if action.Action != "CreateApi" {
		t.Fatalf("the action %s of a vector is not known", action.Action)
	}
	ctx := context.Background()
	s, err := r.Stack(ctx, strings.ToLower(v.ID), func(ctx *pulumi.Context) error {
		c := action.CORSConfiguration
		args := &apigatewayv2.ApiArgs{ProtocolType: pulumi.String(action.ProtocolType)}
		if c != nil {
			args.CorsConfiguration = apigatewayv2.ApiCorsConfigurationArgs{
				AllowOrigins:     pulumi.ToStringArray(c.AllowOrigins),
				AllowMethods:     pulumi.ToStringArray(c.AllowMethods),
				AllowHeaders:     pulumi.ToStringArray(c.AllowHeaders),
				MaxAge:           pulumi.IntPtrFromPtr(c.MaxAge),
				AllowCredentials: pulumi.BoolPtrFromPtr(c.AllowCredentials),
			}
		}
		_, err := apigatewayv2.NewApi(ctx, "api", args)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	_, err = s.Preview(ctx, optpreview.ProgressStreams(&said), optpreview.ErrorProgressStreams(&said))
	text := said.String() + fmt.Sprint(err)
	var p problems
	if err == nil {
		p.add("it was accepted")
	}
	for _, want := range []string{v.Expect.ErrorCode, v.Expect.MessageContains} {
		if !strings.Contains(text, want) {
			p.add("%q is not in %s", want, text)
		}
	}
	return p
}

const documentFile = "../../docs/conformance.md"

// document compares docs/conformance.md with the results.
func document(t *testing.T, vectors []vector, results map[string]string) {
	t.Helper()
	var b strings.Builder
	b.WriteString(
		"# Conformance\n\nWhat is known of AWS's HTTP APIs, and whether the local cloud does it. Each " +
			"vector is an API deployed by the real engine, with a real process as its function, and " +
			"requests over HTTP. `must`: documented by AWS or recorded from it; `should`: reported by " +
			"users or taken from emulators; `open`: not established, the outcome is recorded. \"as AWS\" " +
			"means as the vector says.\n\n",
	)
	b.WriteString(
		"Made by `go test ./e2e/conformance -run TestVectors -update`; a test compares.\n\n| vector | " +
			"fact | level | what | result |\n| --- | --- | --- | --- | --- |\n",
	)
	for _, v := range vectors {
		fmt.Fprintf(
			&b,
			"| %s | %s | %s | %s | %s |\n",
			v.ID,
			v.Fact,
			v.Level,
			strings.ReplaceAll(v.Title, "|", "\\|"),
			results[v.ID],
		)
	}
	b.WriteString(factTable(t, vectors))
	if *update {
		if err := os.WriteFile(documentFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(documentFile)
	if err != nil || string(got) != b.String() {
		t.Errorf(
			"docs/conformance.md is out of date (%v): run go test ./e2e/conformance -run TestVectors -update",
			err,
		)
	}
}
