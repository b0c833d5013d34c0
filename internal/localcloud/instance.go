package localcloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"items-api/internal/localcloud/runtime"
	"items-api/internal/localcloud/state"
)

const (
	instanceFile = "instance.json"
	endpointFile = "endpoint"
)

// Instance tells how to reach a running cloud.
type Instance struct {
	PID          int    `json:"pid"`
	ProviderPort int    `json:"providerPort"`
	AWSXPort     int    `json:"awsxPort"`
	Database     string `json:"database"`
	Control      string `json:"control"` // URL
	Region       string `json:"region"`
}

// Running returns the cloud that runs on a directory, if there is one.
func Running(dir string) (Instance, bool) {
	data, err := os.ReadFile(filepath.Join(dir, instanceFile))
	var i Instance
	if err != nil || json.Unmarshal(data, &i) != nil {
		return i, false
	}
	conn, err := net.DialTimeout("tcp", address(i.ProviderPort), time.Second)
	if err != nil {
		return i, false
	}
	return i, conn.Close() == nil
}

func runner(dir string) string {
	if i, ok := Running(dir); ok {
		return fmt.Sprintf(" (process %d)", i.PID)
	}
	return ""
}

// announce writes what other commands and tools need to find this cloud.
func (c *Cloud) announce() error {
	if err := c.people.files(c.Region, c.DatabaseEndpoint()); err != nil {
		return err
	}
	endpoint := strings.TrimPrefix(c.DatabaseEndpoint(), "http://")
	if err := state.WriteFile(filepath.Join(c.Dir, endpointFile), []byte(endpoint), 0o600); err != nil {
		return fmt.Errorf("writing the database's address: %w", err)
	}
	data, err := json.Marshal(Instance{os.Getpid(), c.ProviderPort(), c.AWSXPort(), c.DatabaseEndpoint(), "http://" + c.issuers.Addr().String(), c.Region})
	if err != nil {
		return err
	}
	return state.WriteFile(filepath.Join(c.Dir, instanceFile), data, 0o600)
}

// lastEndpoint returns the database's address of the run before if it is
// free, so that tools that were pointed at it keep working.
func (c *Cloud) lastEndpoint() string {
	data, err := os.ReadFile(filepath.Join(c.Dir, endpointFile))
	if err != nil {
		return ""
	}
	l, err := net.Listen("tcp", string(data))
	if err != nil || l.Close() != nil {
		return ""
	}
	return string(data)
}

// Environment returns the variables with which any Pulumi program and any AWS
// tool uses the cloud that runs on dir.
func (i Instance) Environment(dir string) map[string]string {
	return map[string]string{
		"PULUMI_DEBUG_PROVIDERS":      fmt.Sprintf("aws:%d,awsx:%d", i.ProviderPort, i.AWSXPort),
		"AWS_CONFIG_FILE":             filepath.Join(dir, "aws", "config"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "aws", "credentials"),
		"AWS_ENDPOINT_URL_DYNAMODB":   i.Database,
		"AWS_REGION":                  i.Region,
	}
}

// logFiles appends lines to one file for each log group.
type logFiles struct {
	dir   string
	mu    sync.Mutex
	files map[string]*os.File
}

// write appends a line. A line that cannot be written is lost, as on AWS.
func (l *logFiles) write(group string, line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := strings.Trim(strings.ReplaceAll(group, "/", "-"), "-") + ".log"
	f := l.files[name]
	if f == nil {
		if os.MkdirAll(l.dir, 0o700) != nil {
			return
		}
		var err error
		if f, err = os.OpenFile(filepath.Join(l.dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
			return
		}
		if l.files == nil {
			l.files = map[string]*os.File{}
		}
		l.files[name] = f
	}
	_, _ = f.Write(append(line, '\n'))
}

func (l *logFiles) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, f := range l.files {
		errs = append(errs, f.Close())
	}
	l.files = nil
	return errors.Join(errs...)
}

// FaultsFile is where the standing faults of the cloud on a directory are; see
// dynamodb.ParseFaults.
func FaultsFile(dir string) string { return filepath.Join(dir, "faults.json") }

func (c *Cloud) logged(line runtime.LogLine) {
	if !c.mayLog(line) {
		return // nobody sees it, as on AWS
	}
	c.logs.write(line.LogGroup, []byte(line.Time.Format(time.RFC3339Nano)+" "+line.Text))
	if c.Log != nil {
		c.Log(line)
	}
}
