package localcloud

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"items-api/internal/localcloud/provider"
	"items-api/internal/localcloud/state"
)

// asker makes this test binary call the providers at the addresses in it and
// print the code of each answer.
const asker = "LOCALCLOUD_TEST_ASK"

func TestMain(m *testing.M) {
	addresses := os.Getenv(asker)
	if addresses == "" {
		os.Exit(m.Run())
	}
	for _, a := range strings.Split(addresses, ",") {
		_, _ = os.Stdout.WriteString(ask(a).String() + "\n")
	}
	os.Exit(0)
}

// ask calls a provider without a token.
func ask(address string, options ...grpc.DialOption) codes.Code {
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(address, options...)
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, err = pulumirpc.NewResourceProviderClient(conn).GetPluginInfo(ctx, &emptypb.Empty{})
	return status.Code(err)
}

// served returns the addresses of all ports for engines, by what they are for.
func served(t *testing.T) map[string]string {
	t.Helper()
	store, err := state.Open(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	p, err := provider.New(
		provider.Config{
			Region:      "us-east-1",
			Store:       store,
			Now:         time.Now,
			ID:          randomID,
			Concurrency: 1000,
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	var e engines
	t.Cleanup(e.close)
	if err := e.serve(p); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{"own": e.own.Addr().String()}
	for name, l := range map[string]map[string]net.Listener{"attached ": e.attached, "plug-in ": e.plugins} {
		for pkg := range l {
			out[name+pkg] = l[pkg].Addr().String()
		}
	}
	if len(out) != 5 {
		t.Fatalf("there are the ports %v", out)
	}
	return out
}

func TestPortsForEnginesAskWhoCalls(t *testing.T) {
	t.Parallel()
	for name, address := range served(t) {
		want := codes.OK
		if strings.HasPrefix(name, "plug-in") {
			want = codes.Unauthenticated
		}
		if got := ask(address); got != want {
			t.Errorf("%s answers %v without a token", name, got)
		}
		if got := ask(address, grpc.WithAuthority("evil.example")); got != codes.PermissionDenied {
			t.Errorf("%s answers %v to the name of a page", name, got)
		}
	}
}
