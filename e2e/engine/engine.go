// Package engine deploys programs of tests with the real Pulumi engine to a
// local cloud in the test's own process, where tests see what it does.
package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/build"
	"items-api/internal/client"
	"items-api/internal/localcloud"
)

// Cloud is a local cloud with the engine's settings.
type Cloud struct {
	*localcloud.Cloud
	Root, Dir string
	instance  localcloud.Instance

	mu     sync.Mutex
	stacks map[string]*auto.Stack
}

// Start starts a cloud for a test, on a directory of its own.
func Start(t testing.TB, c localcloud.Config) *Cloud {
	t.Helper()
	root, err := build.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	c.JarDir = filepath.Join(root, ".tools", "dynamodb-local")
	cloud, err := localcloud.Start(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	instance, ok := localcloud.Running(c.Dir)
	if !ok {
		t.Fatal("the cloud does not say how it is reached")
	}
	return &Cloud{
		Cloud:    cloud,
		Root:     root,
		Dir:      c.Dir,
		instance: instance,
		stacks:   map[string]*auto.Stack{},
	}
}

// FreePort returns a port of loopback that was free a moment ago. It is below
// those that systems give to outgoing connections (from 32768 on Linux, 49152
// elsewhere), so that it is still free when a test stops what listens there and
// starts it again.
func FreePort() (int, error) {
	var err error
	for range 100 {
		port := 20000 + rand.IntN(12000)
		var l net.Listener
		if l, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

// Admin returns a client of the database that may do everything.
func (c *Cloud) Admin(t testing.TB) *dynamodb.Client {
	t.Helper()
	env, err := localcloud.AdminEnvironment(c.Dir, c.instance)
	if err != nil {
		t.Fatal(err)
	}
	db, err := client.FromEnvironment(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// Stack opens a stack of a program; one stack has one program at a time.
func (c *Cloud) Stack(ctx context.Context, name string, program pulumi.RunFunc) (auto.Stack, error) {
	c.mu.Lock()
	s := c.stacks[name]
	c.mu.Unlock()
	if s != nil {
		s.Workspace().SetProgram(program)
		return *s, nil
	}
	work, backend := filepath.Join(c.Dir, "work", name), filepath.Join(c.Dir, "pulumi")
	if err := errors.Join(os.MkdirAll(work, 0o700), os.MkdirAll(backend, 0o700)); err != nil {
		return auto.Stack{}, err
	}
	env := c.instance.OwnEnvironment(c.Dir)
	for k, v := range map[string]string{
		"PULUMI_BACKEND_URL":                          "file://" + filepath.ToSlash(backend),
		"PULUMI_CONFIG_PASSPHRASE":                    "",
		"PULUMI_SKIP_UPDATE_CHECK":                    "true",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
		"PULUMI_EXPERIMENTAL":                         "true",
		"PULUMI_SKIP_CHECKPOINTS":                     "true",
	} {
		env[k] = v
	}
	cli, err := auto.NewPulumiCommand(&auto.PulumiCommandOptions{Root: filepath.Join(c.Root, ".tools")})
	if err != nil {
		return auto.Stack{}, err
	}
	made, err := auto.UpsertStackInlineSource(
		ctx,
		name,
		"tests",
		program,
		auto.WorkDir(work),
		auto.Pulumi(cli),
		auto.PulumiHome(filepath.Join(c.Dir, "pulumi-home")),
		auto.EnvVars(env),
	)
	if err != nil {
		return made, err
	}
	c.mu.Lock()
	c.stacks[name] = &made
	c.mu.Unlock()
	return made, made.SetConfig(ctx, "aws:region", auto.ConfigValue{Value: "us-east-1"})
}

// Up deploys a program and returns its outputs.
func (c *Cloud) Up(t testing.TB, name string, program pulumi.RunFunc) map[string]string {
	t.Helper()
	s, err := c.Stack(t.Context(), name, program)
	if err != nil {
		t.Fatal(err)
	}
	up, err := s.Up(t.Context(), optup.SuppressProgress(), optup.SuppressOutputs())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for k, v := range up.Outputs {
		out[k] = fmt.Sprint(v.Value)
	}
	return out
}
