package provider

import (
	"context"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
)

// connect returns an engine's connection for a provider with default tags.
func connect(t *testing.T, s *Server, defaults any) context.Context {
	t.Helper()
	ctx := (&Sessions{}).TagConn(t.Context(), nil)
	args := map[string]any{}
	if defaults != nil {
		args["defaultTags"] = defaults
	}
	if _, err := s.Configure(ctx, &pulumirpc.ConfigureRequest{Args: encode(t, props(args))}); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// over checks the inputs of a role as the engine does over a connection.
func over(
	t *testing.T,
	ctx context.Context,
	s *Server,
	tags map[string]any,
) (values, []*pulumirpc.CheckFailure) {
	t.Helper()
	in := map[string]any{"assumeRolePolicy": trust, "name": "r"}
	if tags != nil {
		in["tags"] = tags
	}
	r, err := s.Check(
		ctx,
		&pulumirpc.CheckRequest{
			Urn:        urn(roleType, "r"),
			News:       encode(t, props(in)),
			RandomSeed: []byte("seed"),
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	out, err := read(r.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	return out, r.Failures
}

func TestDefaultTagsAreUnderThoseOfTheResource(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	for name, defaults := range map[string]any{
		"an object": map[string]any{"tags": map[string]any{"team": "a", "stage": "dev"}},
		"a text":    `{"tags":{"team":"a","stage":"dev"}}`,
	} {
		ctx := connect(t, s, defaults)
		checked, failures := over(t, ctx, s, map[string]any{"stage": "prod", "own": "1"})
		if len(failures) > 0 {
			t.Fatal(failures)
		}
		all := map[string]any{"team": "a", "stage": "prod", "own": "1"}
		if diff := cmp.Diff(all, map[string]any(checked.object("tagsAll"))); diff != "" {
			t.Errorf("%s: all tags (-want +got):\n%s", name, diff)
		}
		r, err := s.Create(
			ctx,
			&pulumirpc.CreateRequest{Urn: urn(roleType, "r"), Properties: encode(t, toPulumi(checked))},
		)
		if err != nil {
			t.Fatal(err)
		}
		out, err := read(r.Properties)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all, map[string]any(out.object("tagsAll"))); diff != "" {
			t.Errorf("%s: all tags of the role (-want +got):\n%s", name, diff)
		}
		own := map[string]any{"stage": "prod", "own": "1"}
		if diff := cmp.Diff(own, map[string]any(out.object("tags"))); diff != "" {
			t.Errorf("%s: the role's own tags (-want +got):\n%s", name, diff)
		}
		if err := deleted(t, s, roleType, r.Id, out); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDefaultTagsBelongToOneProvider(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	a := connect(t, s, map[string]any{"tags": map[string]any{"team": "a"}})
	b := connect(t, s, map[string]any{"tags": map[string]any{"team": "b"}})
	none := connect(t, s, nil)
	for want, ctx := range map[string]context.Context{"a": a, "b": b, "": none} {
		checked, _ := over(t, ctx, s, nil)
		if got := checked.object("tagsAll").str("team"); got != want {
			t.Errorf("the tag is %q, want %q", got, want)
		}
		if _, added := checked["tagsAll"]; added != (want != "") {
			t.Errorf("without default tags the inputs are %v", checked)
		}
	}
}

func TestOtherDefaultTagsUpdateResources(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	old, _ := over(t, connect(t, s, map[string]any{"tags": map[string]any{"team": "a"}}), s, nil)
	r, err := s.Create(
		t.Context(),
		&pulumirpc.CreateRequest{Urn: urn(roleType, "r"), Properties: encode(t, toPulumi(old))},
	)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		defaults map[string]any
		want     []string
	}{
		"the same":   {map[string]any{"team": "a"}, nil},
		"another":    {map[string]any{"team": "b"}, []string{"tagsAll"}},
		"none":       {nil, []string{"tagsAll"}},
		"one of two": {map[string]any{"team": "a", "x": "y"}, []string{"tagsAll"}},
	} {
		news, _ := over(t, connect(t, s, map[string]any{"tags": c.defaults}), s, nil)
		d := diff(t, s, roleType, r.Id, encode(t, toPulumi(old)), encode(t, toPulumi(news)))
		if got := slices.Sorted(maps.Keys(d.DetailedDiff)); !slices.Equal(got, c.want) ||
			len(d.Replaces) > 0 {
			t.Errorf("%s: the difference is %v", name, d)
		}
		up, err := s.Update(
			t.Context(),
			&pulumirpc.UpdateRequest{
				Urn:  urn(roleType, "r"),
				Id:   r.Id,
				Olds: r.Properties,
				News: encode(t, toPulumi(news)),
			},
		)
		if err != nil {
			t.Fatal(err)
		}
		out, err := read(up.Properties)
		if err != nil {
			t.Fatal(err)
		}
		if got := out.object("tagsAll"); len(got) != len(c.defaults) ||
			got.str("team") != values(c.defaults).str("team") {
			t.Errorf("%s: the role has the tags %v", name, got)
		}
	}
}

func TestDefaultTagsAreNotKnownUntilTagsAre(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	in := values{"tags": map[string]any{"a": Unknown{}}}
	if problems := s.p.types[roleType].tagged(map[string]string{"team": "a"}, in); len(problems) > 0 ||
		in["tagsAll"] != (Unknown{}) {
		t.Errorf("got %v, %v", in, problems)
	}
}

func TestOtherDefaultTagsConfigureTheProviderAgain(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	settings := func(region, tags string) *structpb.Struct {
		return encode(t, props(map[string]any{"region": region, "defaultTags": tags}))
	}
	for tags, want := range map[string]pulumirpc.DiffResponse_DiffChanges{
		`{"tags":{"team":"a"}}`: pulumirpc.DiffResponse_DIFF_NONE,
		`{"tags":{"team":"b"}}`: pulumirpc.DiffResponse_DIFF_SOME,
	} {
		r, err := s.DiffConfig(t.Context(), &pulumirpc.DiffRequest{
			OldInputs: settings("us-east-1", `{"tags":{"team":"a"}}`),
			News:      settings("us-west-2", tags),
		})
		if err != nil || r.Changes != want || len(r.Replaces) > 0 {
			t.Errorf("%s gave %v, %v", tags, r, err)
		}
	}
}

func TestWrongDefaultTagsAreRefused(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	for _, bad := range []any{
		`{"tags":`,
		"[1]",
		map[string]any{"keys": []any{"a"}},
		map[string]any{"tags": []any{"a"}},
		map[string]any{"tags": map[string]any{"a": 1.0}},
		map[string]any{"tags": map[string]any{"aws:x": "1"}},
	} {
		r, err := s.CheckConfig(
			t.Context(),
			&pulumirpc.CheckRequest{News: encode(t, props(map[string]any{"defaultTags": bad}))},
		)
		if err != nil || len(r.Failures) != 1 || r.Failures[0].Property != "defaultTags" {
			t.Errorf("%v gave %v, %v", bad, r, err)
		}
	}
	many := map[string]any{}
	for _, c := range strings.Split(strings.Repeat("x", 50), "") {
		many[strings.Repeat(c, len(many)+1)] = "1"
	}
	ctx := connect(t, s, map[string]any{"tags": many})
	if _, failures := over(t, ctx, s, map[string]any{"one": "more"}); len(failures) != 1 ||
		!strings.Contains(failures[0].Reason, "at most 50 tags, not 51") {
		t.Errorf("51 tags gave %v", failures)
	}
}

// Settings live as long as a connection, and are not taken for none after it.
func TestLostSettingsAreNotTakenForNone(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	var sessions Sessions
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(grpc.StatsHandler(&sessions))
	pulumirpc.RegisterResourceProviderServer(g, s)
	go func() { _ = g.Serve(l) }()
	t.Cleanup(g.Stop)
	client := func() (pulumirpc.ResourceProviderClient, *grpc.ClientConn) {
		conn, err := grpc.NewClient(
			l.Addr().String(),
			grpc.WithTransportCredentials(insecure.NewCredentials()),
		)
		if err != nil {
			t.Fatal(err)
		}
		return pulumirpc.NewResourceProviderClient(conn), conn
	}
	one, conn := client()
	two, other := client()
	defer other.Close()
	args := map[string]any{"defaultTags": `{"tags":{"team":"a"}}`}
	settings := &pulumirpc.ConfigureRequest{Args: encode(t, props(args))}
	if _, err := one.Configure(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	check := &pulumirpc.CheckRequest{
		Urn:        urn(roleType, "r"),
		News:       encode(t, props(map[string]any{"assumeRolePolicy": trust})),
		RandomSeed: []byte("seed"),
	}
	if r, err := one.Check(t.Context(), check); err != nil || r.Inputs.Fields["tagsAll"] == nil {
		t.Errorf("a configured provider gave %v, %v", r, err)
	}
	if _, err := two.Check(t.Context(), check); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("a provider without settings gave %v", err)
	}
	if n := sessions.Open(); n != 2 {
		t.Errorf("%d engines are connected", n)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(20 * time.Second)
	for tick := time.Tick(time.Millisecond); sessions.Open() != 1; {
		select {
		case <-tick:
		case <-deadline:
			t.Fatalf("%d engines are connected after one has ended", sessions.Open())
		}
	}
}

func TestRegionHasTheNamesOfAllVersions(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	out, problems, err := s.p.invoke("aws:index/getRegion:getRegion", values{})
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	for _, name := range []string{"name", "id", "region"} {
		if out[name] != "us-east-1" {
			t.Errorf("%s is %v", name, out[name])
		}
	}
	if _, problems, _ := s.p.invoke("aws:index/getRegion:getRegion", values{"region": "eu-west-1"}); len(
		problems,
	) != 1 {
		t.Errorf("another region gave %v", problems)
	}
}
