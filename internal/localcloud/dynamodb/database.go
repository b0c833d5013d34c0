package dynamodb

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"items-api/internal/localcloud/iam"
	"items-api/internal/localcloud/process"
	"items-api/internal/localcloud/server"
)

// Identity is who owns an access key.
type Identity struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	PrincipalARN                               string
	Function                                   string
	// FunctionRequestID is the invocation that the function works on,
	// HTTPRequestID the request behind it, and Faults those that were asked for
	// with that.
	FunctionRequestID, HTTPRequestID, Faults string
	// Admin may do everything.
	Admin    bool
	Policies []iam.Policy
	// RoleARN is the role of a function, and Route how its code reaches
	// DynamoDB; nil for one that is in no VPC.
	RoleARN string
	Route   *Route
}

// Call is one request that passed the gate or was stopped there.
type Call struct {
	Time                              time.Time
	PrincipalARN, Function, Operation string
	FunctionRequestID                 string
	Actions, Resources                []string
	Allowed                           bool
	Denied                            string // the action that no policy allows
	// Unmet are the conditions for want of which statements that cover the
	// denied action and its resource did not allow it, each as a sentence.
	Unmet []string
	// Unreachable says why no route leads to DynamoDB; "" if one does.
	Unreachable string
	// Status is 0 if the connection was dropped.
	Status    int
	ErrorCode string
	Duration  time.Duration
	// ReadUnits and WriteUnits are the capacity that was consumed.
	ReadUnits, WriteUnits float64
	// Faults are the kinds that were injected.
	Faults []string
}

// Config is what a Database needs.
type Config struct {
	JarDir  string // holds DynamoDBLocal.jar
	DataDir string
	Java    string // "" means java from PATH
	// Addr is the gate's address; "" means a free port on loopback.
	Addr              string
	Region, AccountID string
	Now               func() time.Time
	// Identify finds the owner of an access key.
	Identify func(accessKeyID string) (Identity, bool)
	Observe  func(Call)
	Log      func(string) // the database's own output
	// Records keep what is known of tables beside the database; nil if there
	// are none.
	Records Records
	// FaultsFile holds the standing faults; it may change at any time, and
	// need not exist.
	FaultsFile string
}

// Database is DynamoDB Local with the gate in front of it.
type Database struct {
	Config
	namespace   string
	supervisor  *process.Supervisor
	gate        *http.Server
	endpoint    string
	transport   http.RoundTripper
	schemas     schemas
	faults      faults
	connections connections
	barrier     barrier
	notebook    *notebook
	// noting serialises changes of notes, which are read, changed and written.
	noting sync.Mutex
	// pause is held by each call to the database, and for writing while it is
	// away for erasing. Who holds it must not wait for noting or for the
	// control plane, which may be erasing.
	pause sync.RWMutex
	// starting is held while the database is started or must stay away.
	starting sync.Mutex

	mu      sync.Mutex
	process *process.Process
	port    int
	closed  bool
	restart sync.WaitGroup
}

// startLimit is how long the database may take to answer.
const startLimit = 60 * time.Second

// Start starts the database and the gate, and waits until they answer.
func Start(ctx context.Context, c Config) (*Database, error) {
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if c.Observe == nil {
		c.Observe = func(Call) {}
	}
	if c.Log == nil {
		c.Log = func(string) {}
	}
	if err := checkJava(ctx, &c); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(c.JarDir)
	if err != nil {
		return nil, err
	}
	c.JarDir = dir
	if _, err := os.Stat(filepath.Join(c.JarDir, "DynamoDBLocal.jar")); err != nil {
		return nil, fmt.Errorf("there is no DynamoDBLocal.jar in %s: run `make tools` to fetch it", c.JarDir)
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("creating the data directory: %w", err)
	}
	namespace, err := loadNamespace(filepath.Join(c.DataDir, "namespace"))
	if err != nil {
		return nil, err
	}
	notes, err := openNotebook(filepath.Join(c.DataDir, "tables.json"))
	if err != nil {
		return nil, err
	}
	supervisor, err := process.New(filepath.Join(c.DataDir, "pids"))
	if err != nil {
		return nil, err
	}
	d := &Database{
		Config:     c,
		namespace:  namespace,
		supervisor: supervisor,
		transport:  keepBody{&http.Transport{MaxIdleConnsPerHost: 64}},
		faults:     faults{file: c.FaultsFile},
		notebook:   notes,
	}
	err = d.start(ctx)
	if err == nil {
		err = d.eraseLeft(ctx)
	}
	if err != nil {
		d.markClosed()
		supervisor.Close()
		d.restart.Wait()
		return nil, err
	}
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		d.markClosed()
		supervisor.Close()
		d.restart.Wait()
		return nil, fmt.Errorf("listening on %s for DynamoDB: %w", c.Addr, err)
	}
	d.endpoint = "http://" + listener.Addr().String()
	d.gate = server.New(d)
	d.connections.watch(d.gate)
	go func() {
		// It ends with Close.
		_ = d.gate.Serve(listener)
	}()
	return d, nil
}

// loadNamespace returns the access key id that names the database's data. The
// database listens on every interface and cannot be told not to; it keeps the
// data of each access key id apart, so one that nobody can guess keeps
// everybody else out.
func loadNamespace(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(data)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading the database's namespace: %w", err)
	}
	b := make([]byte, 24)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	name := "local" + hex.EncodeToString(b)
	if err := os.WriteFile(file, []byte(name+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("writing the database's namespace: %w", err)
	}
	return name, nil
}

// start runs the database on a free port. Another process may take the port
// in between; then the next one is tried.
func (d *Database) start(ctx context.Context) error {
	var err error
	for range 3 {
		if err = d.try(ctx); err == nil {
			return nil
		}
	}
	return err
}

func (d *Database) try(ctx context.Context) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("looking for a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return err
	}
	data, err := filepath.Abs(d.DataDir)
	if err != nil {
		return err
	}
	cmd := exec.Command(
		d.Java,
		"-Djava.library.path="+filepath.Join(d.JarDir, "DynamoDBLocal_lib"),
		"-Xmx512m",
		"-jar",
		filepath.Join(d.JarDir, "DynamoDBLocal.jar"),
		"-port",
		strconv.Itoa(port),
		"-dbPath",
		data,
		"-disableTelemetry",
	)
	cmd.Dir = d.JarDir
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	cmd.WaitDelay = time.Second
	go func() {
		s := bufio.NewScanner(r)
		for s.Scan() {
			d.Log(s.Text())
		}
		// A line too long for the scanner must not stop the database.
		_, _ = io.Copy(io.Discard, r)
	}()
	p, err := d.supervisor.Start(cmd)
	if err != nil {
		return errors.Join(fmt.Errorf("starting the database: %w", err), w.Close())
	}
	go func() {
		<-p.Done()
		_ = w.Close() // ends the reader above; it never fails
	}()
	d.mu.Lock()
	d.process, d.port = p, port
	d.mu.Unlock()
	if err := d.ready(ctx, p); err != nil {
		p.Kill()
		<-p.Done()
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.restart.Add(1)
		go d.watch(p)
	}
	return nil
}

// ready waits until the database answers.
func (d *Database) ready(ctx context.Context, p *process.Process) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	client := d.direct()
	for {
		if _, err := client.ListTables(ctx, &dynamodb.ListTablesInput{}); err == nil {
			return nil
		}
		select {
		case <-p.Done():
			return fmt.Errorf("the database ended at once (%s): see its log", p.State())
		case <-ctx.Done():
			return fmt.Errorf("the database did not answer within %s: %w", startLimit, ctx.Err())
		case <-tick.C:
		}
	}
}

// watch starts the database again when it ends by itself; its data is on disk.
func (d *Database) watch(p *process.Process) {
	defer d.restart.Done()
	<-p.Done()
	pause := time.NewTicker(time.Second)
	defer pause.Stop()
	for {
		again, err := d.startAgain(p)
		if !again || err == nil {
			return
		}
		d.Log("starting the database again: " + err.Error())
		<-pause.C
	}
}

// startAgain starts the database in the place of a process that ended, unless
// it is closed.
func (d *Database) startAgain(p *process.Process) (again bool, err error) {
	d.starting.Lock()
	defer d.starting.Unlock()
	if d.isClosed() {
		return false, nil
	}
	d.Log("the database ended (" + p.State().String() + ") and is started again")
	return true, d.start(context.Background())
}

func (d *Database) markClosed() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
}

func (d *Database) isClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

// Endpoint returns the URL of the gate.
func (d *Database) Endpoint() string { return d.endpoint }

// Client returns a client that goes past the gate, for the control plane. Its
// calls wait while the database is away for erasing.
func (d *Database) Client() *dynamodb.Client { return d.client(waiting{d, d.transport}) }

// direct returns a client whose calls do not wait.
func (d *Database) direct() *dynamodb.Client { return d.client(d.transport) }

func (d *Database) client(transport http.RoundTripper) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:           d.Region,
		Credentials:      credentials.NewStaticCredentialsProvider(d.namespace, "none", ""),
		BaseEndpoint:     aws.String(d.upstream()),
		HTTPClient:       &http.Client{Transport: transport},
		RetryMaxAttempts: 1,
	})
}

func (d *Database) upstream() string { return "http://" + d.host() }

func (d *Database) host() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(d.port))
}

// Pid returns the id of the database's process.
func (d *Database) Pid() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.process.Pid()
}

// Close ends the gate and the database. What was acknowledged is on disk.
func (d *Database) Close() error {
	d.markClosed()
	err := d.gate.Close()
	d.supervisor.Close()
	d.restart.Wait()
	return err
}

// keepBody hides the Close method of request bodies from the transport:
// smithy-go closes the body when Do returns, and net/http then drops the
// connection if the server answered before it had read the end.
type keepBody struct{ next http.RoundTripper }

func (k keepBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return k.next.RoundTrip(r)
}
