package provider

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// watching is a cloud whose provider and analyzer engines call over the network.
type watching struct {
	provider, analyzer string // addresses
}

func watch(t *testing.T, s *Server) watching {
	t.Helper()
	return watching{
		provider: serving(t, func(to *grpc.Server) { pulumirpc.RegisterResourceProviderServer(to, s) }),
		analyzer: serving(
			t,
			func(to *grpc.Server) { pulumirpc.RegisterAnalyzerServer(to, NewAnalyzer(s.p)) },
		),
	}
}

func serving(t *testing.T, register func(*grpc.Server)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.StatsHandler(&Sessions{}))
	register(server)
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	return l.Addr().String()
}

func dial(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// analyze connects the analyzer of an engine.
func (w watching) analyze(
	t *testing.T, engine string, dryRun bool,
) (pulumirpc.AnalyzerClient, *grpc.ClientConn) {
	t.Helper()
	conn := dial(t, w.analyzer)
	client := pulumirpc.NewAnalyzerClient(conn)
	hello := &pulumirpc.AnalyzerHandshakeRequest{EngineAddress: engine}
	if _, err := client.Handshake(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	configure := &pulumirpc.AnalyzerStackConfigureRequest{DryRun: dryRun}
	if _, err := client.ConfigureStack(t.Context(), configure); err != nil {
		t.Fatal(err)
	}
	return client, conn
}

// check connects the provider of an engine and returns its Check of a role that
// is refused, as the reasons.
func (w watching) check(t *testing.T, engine string) func() []string {
	t.Helper()
	client := pulumirpc.NewResourceProviderClient(dial(t, w.provider))
	if _, err := client.Attach(t.Context(), &pulumirpc.PluginAttach{Address: engine}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Configure(t.Context(), &pulumirpc.ConfigureRequest{}); err != nil {
		t.Fatal(err)
	}
	in := props(map[string]any{
		"assumeRolePolicy":   trust,
		"maxSessionDuration": 1,
		"description":        longName(1001),
	})
	return func() []string {
		r, err := client.Check(t.Context(), &pulumirpc.CheckRequest{
			Urn:  urn(roleType, "r"),
			News: encode(t, in),
		})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, f := range r.Failures {
			out = append(out, f.Reason)
		}
		return out
	}
}

func analyzed(t *testing.T, client pulumirpc.AnalyzerClient) []string {
	t.Helper()
	r, err := client.Analyze(t.Context(), &pulumirpc.AnalyzeRequest{Urn: urn(roleType, "r")})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range r.Diagnostics {
		if d.EnforcementLevel != pulumirpc.EnforcementLevel_MANDATORY {
			t.Errorf("%q does not fail the preview", d.Message)
		}
		out = append(out, d.Message)
	}
	return out
}

func TestAnalyzerReportsWhatCheckRefusesInItsPreview(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	w := watch(t, s)
	analyzer, conn := w.analyze(t, "engine:1", true)
	check, other := w.check(t, "engine:1"), w.check(t, "engine:2")

	if got := check(); len(got) > 0 {
		t.Errorf("the preview ends at %q", got)
	}
	if got := analyzed(t, analyzer); len(got) != 2 || !strings.HasPrefix(got[0], "description is") {
		t.Errorf("the analyzer reports %q, not the description and the duration", got)
	}
	if got := analyzed(t, analyzer); len(got) > 0 {
		t.Errorf("the analyzer repeats %q", got)
	}
	if got := other(); len(got) != 2 {
		t.Errorf("another engine, whose preview nobody watches, is told %q", got)
	}

	// When the analyzer is gone nobody would report: Check refuses again.
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return len(check()) == 2 })
}

func TestCheckRefusesInAnUpdate(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	w := watch(t, s)
	analyzer, _ := w.analyze(t, "engine:1", false)
	if got := w.check(t, "engine:1")(); len(got) != 2 {
		t.Errorf("an update is told %q", got)
	}
	if got := analyzed(t, analyzer); len(got) > 0 {
		t.Errorf("the analyzer reports %q too", got)
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, met func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), tableDeadline)
	defer cancel()
	for !met() {
		if ctx.Err() != nil {
			t.Fatal("it does not come about")
		}
	}
}

// TestPreviewGoesOnWithWhatWasRefused checks that nothing breaks on inputs that
// lack what is refused.
func TestPreviewGoesOnWithWhatWasRefused(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	tokens := []string{"aws:s3/bucket:Bucket"}
	for _, typ := range Types() {
		tokens = append(tokens, typ.Token)
	}
	for _, token := range tokens {
		made, err := s.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn(token, "x"), Preview: true})
		if err != nil {
			t.Errorf("creating %s: %v", token, err)
			continue
		}
		_, err = s.Update(t.Context(), &pulumirpc.UpdateRequest{
			Urn:     urn(token, "x"),
			Id:      "x",
			Olds:    made.Properties,
			Preview: true,
		})
		if err != nil {
			t.Errorf("updating %s: %v", token, err)
		}
		if _, err := s.Diff(t.Context(), &pulumirpc.DiffRequest{Urn: urn(token, "x")}); err != nil {
			t.Errorf("comparing %s: %v", token, err)
		}
	}
}

func TestMessageOfCheckDumpsNoArchive(t *testing.T) {
	t.Parallel()
	news := encode(t, function(t, "one"))
	got := presentable([]Failure{{"code", "it is too large"}, {"timeout", "timeout is invalid"}}, news)
	want := []Failure{{"", "code: it is too large"}, {"timeout", "timeout is invalid"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestPortThatIsTakenIsRefusedInThePreview(t *testing.T) {
	t.Parallel()
	s, cloud := server(t)
	cloud.port = errTaken
	in := values{"protocolType": "HTTP"}
	if got := problems(t, s, apiType, in); !slices.Equal(got, []string{errTaken.Error()}) {
		t.Errorf("a new API: got %q", got)
	}
	olds := encode(t, toPulumi(in))
	if _, got := check(t, s, apiType, "x", olds, toPulumi(in)); len(got) > 0 {
		t.Errorf("an API that has its port is refused: %q", got)
	}
}

func TestDefaultTagsAreBoundedWithThoseOfTheResource(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	ctx := connect(t, s, map[string]any{"tags": map[string]any{"team": "a*b"}})
	_, failures := over(t, ctx, s, map[string]any{"own": "1"})
	if len(failures) != 1 || !strings.Contains(failures[0].Reason, `the value of "team": it must match`) {
		t.Errorf("got %v", failures)
	}
}
