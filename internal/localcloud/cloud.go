// Package localcloud puts the local cloud together: the control plane that the
// Pulumi engine attaches to, the HTTP API gateway, the Lambda runtime and the
// database with its gate. It must import nothing of the application: it learns
// routes, functions and policies from the engine alone.
package localcloud

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"items-api/internal/localcloud/dynamodb"
	"items-api/internal/localcloud/gateway"
	"items-api/internal/localcloud/oidc"
	"items-api/internal/localcloud/provider"
	"items-api/internal/localcloud/runtime"
	"items-api/internal/localcloud/state"
)

// Config is what a Cloud needs.
type Config struct {
	// Dir holds all state and data. One cloud at a time may use it.
	Dir    string
	Region string
	// JarDir holds DynamoDB Local; Java is its runtime, "" for java from PATH.
	JarDir, Java string
	// Port is where the API of the stack that PortFor names is served: one that
	// exists moves there, and no other does. 0 leaves each where it is, and
	// puts new ones on the first free port from 8080 on.
	Port int
	// PortFor is the prefix of the URNs of a stack. "" makes Port the first port
	// for new APIs of all stacks, and for those whose own port is not free.
	PortFor string
	// Concurrency is the account's limit of concurrent executions; 0 means 1000.
	Concurrency int
	// Now is the gateway's clock: of token buckets, tokens and decisions that
	// are kept. nil means time.Now.
	Now func() time.Time
	// Request, Frozen, Log and Call are told what happens; each may be nil.
	Request func(Request)
	// Frozen is told of each freeze of a function, and how many idle connections
	// to the database it lost.
	Frozen func(function string, closed int)
	Log    func(runtime.LogLine)
	Call   func(dynamodb.Call)
	// Plugin is the command that serves as a plug-in of the engine, and its
	// first arguments; the name of a package follows. Without it there are no
	// plug-ins, and programs attach by PULUMI_DEBUG_PROVIDERS.
	Plugin []string
}

// Cloud is a running local cloud.
type Cloud struct {
	Config
	lock     *flock.Flock
	store    *state.Store
	provider *provider.Provider
	gateway  *gateway.Gateway
	runtime  *runtime.Runtime
	database *dynamodb.Database
	people   *people
	logs     *logFiles
	engines  engines
	keys     oidc.Keys
	issuer   *http.Server
	issuers  net.Listener
	traffic  traffic
	usage    *usage

	mu   sync.Mutex
	apis map[string]*listener // by id
}

// ErrRunning means that another process runs a cloud on the same directory.
var ErrRunning = errors.New("a local cloud is running already")

// Start starts everything, with the resources that the directory holds.
func Start(ctx context.Context, c Config) (_ *Cloud, err error) {
	if c.Concurrency == 0 {
		c.Concurrency = 1000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return nil, err
	}
	c.Dir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating the directory of the local cloud: %w", err)
	}
	cloud := &Cloud{
		Config: c,
		lock:   flock.New(filepath.Join(dir, "lock")),
		apis:   map[string]*listener{},
	}
	locked, err := cloud.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	if !locked {
		return nil, fmt.Errorf(
			"%w on %s%s: use it, or stop it with Ctrl-C where it runs",
			ErrRunning,
			dir,
			runner(dir),
		)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, cloud.Close())
		}
	}()
	if err = cloud.open(ctx); err != nil {
		return nil, err
	}
	return cloud, cloud.announce()
}

func (c *Cloud) open(ctx context.Context) (err error) {
	if c.store, err = state.Open(filepath.Join(c.Dir, "state"), time.Now); err != nil {
		return err
	}
	if c.people, err = loadPeople(filepath.Join(c.Dir, "aws")); err != nil {
		return err
	}
	if c.usage, err = loadUsage(c.Dir); err != nil {
		return err
	}
	c.logs = newLogFiles(filepath.Join(c.Dir, "logs"))
	if c.database, err = dynamodb.Start(ctx, dynamodb.Config{
		JarDir:     c.JarDir,
		Java:       c.Java,
		DataDir:    filepath.Join(c.Dir, "dynamodb"),
		Region:     c.Region,
		AccountID:  provider.Account,
		Addr:       c.lastEndpoint(),
		Now:        time.Now,
		Identify:   c.identify,
		Observe:    c.called,
		FaultsFile: FaultsFile(c.Dir),
		Records:    tableRecords{c},
		Log:        func(line string) { c.logs.write(databaseLog, []byte(line)) },
	}); err != nil {
		return err
	}
	if c.runtime, err = runtime.New(runtime.Config{
		Dir:         filepath.Join(c.Dir, "lambda"),
		AccountID:   provider.Account,
		Region:      c.Region,
		Concurrency: c.Concurrency,
		Credentials: c.people.assume,
		Release:     c.people.release,
		Frozen:      c.frozen,
		Log:         c.logged,
		Now:         time.Now,
		Extra: func(runtime.Function) map[string]string {
			return map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": c.database.Endpoint()}
		},
	}); err != nil {
		return err
	}
	c.gateway = gateway.New(gateway.Config{
		Invoker:   c,
		Now:       c.Now,
		Observe:   c.observe,
		AccessLog: c.accessLogged,
		Resolve:   c.resolve,
	})
	if err := c.serveIssuers(); err != nil {
		return err
	}
	if c.provider, err = provider.New(provider.Config{
		Region:      c.Region,
		Store:       c.store,
		Cloud:       c,
		Now:         time.Now,
		ID:          randomID,
		Concurrency: c.Concurrency,
	}); err != nil {
		return err
	}
	if err := c.restore(ctx); err != nil {
		return err
	}
	return c.engines.serve(c.provider)
}

// restore makes the resources of an earlier run effective again.
func (c *Cloud) restore(ctx context.Context) error {
	for _, name := range c.provider.Functions() {
		if err := c.ApplyFunction(ctx, name); err != nil {
			return fmt.Errorf("starting the function %s again: %w", name, err)
		}
	}
	if err := c.prunePackages(); err != nil {
		return err
	}
	for _, id := range c.provider.Pools() {
		if err := c.ApplyPool(ctx, id); err != nil {
			return fmt.Errorf("the user pool %s: %w", id, err)
		}
	}
	for _, name := range c.provider.Domains() {
		if err := c.ApplyDomain(ctx, name); err != nil {
			return fmt.Errorf("the custom domain %s: %w", name, err)
		}
	}
	return c.restoreAPIs(ctx)
}

// Forget removes what a killed deployment left: resources of the stack, given
// by the prefix of its URNs, that are not among the held ones.
func (c *Cloud) Forget(ctx context.Context, prefix string, held []provider.Held) error {
	return c.provider.Forget(ctx, prefix, held)
}

// DatabaseEndpoint returns the URL of DynamoDB.
func (c *Cloud) DatabaseEndpoint() string { return c.database.Endpoint() }

// Close stops everything; state and data stay.
func (c *Cloud) Close() error {
	var errs []error
	c.engines.close()
	c.mu.Lock()
	for _, l := range c.apis {
		errs = append(errs, l.server.Close())
	}
	c.mu.Unlock()
	if c.issuer != nil {
		errs = append(errs, c.issuer.Close())
	}
	if c.runtime != nil {
		errs = append(errs, c.runtime.Close())
	}
	if c.database != nil {
		errs = append(errs, c.database.Close())
	}
	if c.logs != nil {
		errs = append(errs, c.logs.close())
	}
	errs = append(errs, os.RemoveAll(filepath.Join(c.Dir, instanceFile)), c.lock.Unlock())
	return errors.Join(errs...)
}

const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

func randomID(n int) string {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic(err) // documented never to happen
	}
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
