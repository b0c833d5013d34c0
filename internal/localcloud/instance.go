package localcloud

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"items-api/internal/localcloud/plugin"
	"items-api/internal/localcloud/state"
)

const (
	instanceFile = "instance.json"
	endpointFile = "endpoint"
)

// Instance tells how to reach a running cloud.
type Instance struct {
	PID          int            `json:"pid"`
	OwnPort      int            `json:"ownPort"`      // for aws, of the command that runs the cloud
	ProviderPort int            `json:"providerPort"` // for aws, of other programs
	AWSXPort     int            `json:"awsxPort"`
	Plugins      map[string]int `json:"plugins"` // by package, with the token
	Token        string         `json:"token"`
	Database     string         `json:"database"`
	Control      string         `json:"control"` // URL
	Region       string         `json:"region"`
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
	if len(c.Plugin) > 0 {
		if err := plugin.Write(PluginDir(c.Dir), c.Plugin[0], c.Plugin[1:]...); err != nil {
			return err
		}
	}
	if err := plugin.WritePolicy(
		PluginDir(c.Dir),
		policyPack(c.Dir),
		os.Getpid(),
		portOf(c.engines.policy),
	); err != nil {
		return err
	}
	i := Instance{
		PID:          os.Getpid(),
		OwnPort:      portOf(c.engines.own),
		ProviderPort: portOf(c.engines.attached[awsPackage]),
		AWSXPort:     portOf(c.engines.attached[awsxPackage]),
		Plugins:      map[string]int{},
		Token:        c.engines.token,
		Database:     c.DatabaseEndpoint(),
		Control:      "http://" + c.issuers.Addr().String(),
		Region:       c.Region,
	}
	for name, l := range c.engines.plugins {
		i.Plugins[name] = portOf(l)
	}
	data, err := json.Marshal(i)
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
// tool uses the cloud that runs on dir, attached by PULUMI_DEBUG_PROVIDERS. They
// are good until the cloud ends.
func (i Instance) Environment(dir string) map[string]string {
	env := i.tools(dir)
	env["AWS_ENDPOINT_URL_DYNAMODB"] = i.Database
	env["PULUMI_DEBUG_PROVIDERS"] = fmt.Sprintf("aws:%d,awsx:%d", i.ProviderPort, i.AWSXPort)
	return env
}

// OwnEnvironment is Environment for the command that runs the cloud: it knows
// the states of its deployments, so that it can tell what was left behind.
func (i Instance) OwnEnvironment(dir string) map[string]string {
	env := i.Environment(dir)
	if i.OwnPort != 0 { // a cloud of an earlier version has none
		env["PULUMI_DEBUG_PROVIDERS"] = fmt.Sprintf("aws:%d,awsx:%d", i.OwnPort, i.AWSXPort)
	}
	env[PolicyPackVariable] = policyOption(plugin.PolicyExecutable(PluginDir(dir)))
	return env
}

// PluginEnvironment is Environment for programs whose engine starts the
// plug-ins in PluginDir, which must come first in PATH. The variables are good
// for every later cloud on dir as well: the database's address is in the file.
func (i Instance) PluginEnvironment(dir string) map[string]string {
	env := i.tools(dir)
	env["PATH"] = PluginDir(dir)
	env[PolicyPackVariable] = policyOption(policyPack(dir))
	return env
}

// PolicyPackVariable is what the engine takes for --policy-pack. An engine that
// is older than it shows the first refusal of a program only.
const PolicyPackVariable = "PULUMI_OPTION_POLICY_PACK"

// policyPack returns the directory of the policy pack that shows all refusals
// of a program in one preview. The engine looks for what runs it in PATH.
func policyPack(dir string) string { return filepath.Join(dir, "policy") }

// policyOption returns a path as the value of PolicyPackVariable: a list with
// commas, each element of which is one again.
func policyOption(pack string) string {
	if !strings.ContainsAny(pack, ",\"\n") {
		return pack
	}
	quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
	return quote(quote(pack))
}

func (i Instance) tools(dir string) map[string]string {
	return map[string]string{
		"AWS_CONFIG_FILE":             filepath.Join(dir, "aws", "config"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "aws", "credentials"),
		"AWS_REGION":                  i.Region,
	}
}

// FaultsFile is where the standing faults of the cloud on a directory are; see
// dynamodb.ParseFaults.
func FaultsFile(dir string) string { return filepath.Join(dir, "faults.json") }
