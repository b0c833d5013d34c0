package localcloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"items-api/internal/localcloud/dynamodb"
	"items-api/internal/localcloud/provider"
	"items-api/internal/localcloud/runtime"
	"items-api/internal/localcloud/state"
)

// people knows who owns which access key: the administrator, and each
// execution environment of a function, whose keys live as long as it does.
type people struct {
	dir   string
	admin runtime.Credentials

	mu       sync.Mutex
	sessions map[string]session // by access key id
}

type session struct {
	runtime.Credentials
	role, function, version string
}

// loadPeople reads the administrator's credentials, or makes them.
func loadPeople(dir string) (*people, error) {
	p := &people{dir: dir, sessions: map[string]session{}}
	file := filepath.Join(dir, "administrator.json")
	data, err := os.ReadFile(file)
	switch {
	case err == nil:
		if err := json.Unmarshal(data, &p.admin); err != nil {
			return nil, fmt.Errorf("reading %s: %w; remove it to get new credentials", file, err)
		}
		return p, nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("reading the administrator's credentials: %w", err)
	}
	p.admin = runtime.Credentials{
		AccessKeyID:     "AKIA" + strings.ToUpper(randomID(16)),
		SecretAccessKey: randomID(40),
	}
	if data, err = json.Marshal(p.admin); err != nil {
		return nil, err
	}
	return p, state.WriteFile(file, data, 0o600)
}

// AdminEnvironment returns the variables with which the administrator's
// programs reach the database of the cloud that runs on dir.
func AdminEnvironment(dir string, i Instance) (map[string]string, error) {
	p, err := loadPeople(filepath.Join(dir, "aws"))
	if err != nil {
		return nil, err
	}
	return map[string]string{"AWS_REGION": i.Region, "AWS_ENDPOINT_URL_DYNAMODB": i.Database,
		"AWS_ACCESS_KEY_ID": p.admin.AccessKeyID, "AWS_SECRET_ACCESS_KEY": p.admin.SecretAccessKey}, nil
}

// files writes the credentials and the endpoint as AWS tools read them.
func (p *people) files(region, endpoint string) error {
	credentials := fmt.Sprintf(
		"[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
		p.admin.AccessKeyID,
		p.admin.SecretAccessKey,
	)
	config := fmt.Sprintf(
		"[default]\nregion = %s\nservices = local\n\n[services local]\ndynamodb =\n  endpoint_url = %s\n",
		region,
		endpoint,
	)
	if err := state.WriteFile(filepath.Join(p.dir, "credentials"), []byte(credentials), 0o600); err != nil {
		return fmt.Errorf("writing the AWS credentials file: %w", err)
	}
	if err := state.WriteFile(filepath.Join(p.dir, "config"), []byte(config), 0o600); err != nil {
		return fmt.Errorf("writing the AWS config file: %w", err)
	}
	return nil
}

// assume makes credentials of a role for one environment of a function.
func (p *people) assume(f runtime.Function) (runtime.Credentials, error) {
	c := runtime.Credentials{
		AccessKeyID:     "ASIA" + strings.ToUpper(randomID(16)),
		SecretAccessKey: randomID(40),
		SessionToken:    randomID(200),
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions[c.AccessKeyID] = session{c, f.RoleARN, f.Name, f.Version}
	return c, nil
}

func (p *people) release(c runtime.Credentials) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sessions, c.AccessKeyID)
}

// tableRecords are what the control plane knows of tables.
type tableRecords struct{ *Cloud }

func (t tableRecords) Notes(table string) (dynamodb.Notes, bool) { return t.provider.Notes(table) }

func (t tableRecords) SetNotes(table string, n dynamodb.Notes) error {
	return t.provider.SetNotes(table, n)
}

// identify finds the owner of an access key, with the role's policies as they
// are at this moment.
func (c *Cloud) identify(key string) (dynamodb.Identity, bool) {
	if a := c.people.admin; key == a.AccessKeyID {
		return dynamodb.Identity{
			AccessKeyID:     key,
			SecretAccessKey: a.SecretAccessKey,
			Admin:           true,
			PrincipalARN:    "arn:aws:iam::" + provider.Account + ":user/local",
		}, true
	}
	c.people.mu.Lock()
	s, ok := c.people.sessions[key]
	c.people.mu.Unlock()
	if !ok {
		return dynamodb.Identity{}, false
	}
	// A role that is gone has no policies, so that everything is denied.
	policies, _ := c.provider.Policies(s.role)
	name := s.role[strings.LastIndex(s.role, "/")+1:]
	out := dynamodb.Identity{
		AccessKeyID:     key,
		SecretAccessKey: s.SecretAccessKey,
		SessionToken:    s.SessionToken,
		Function:        s.function,
		Policies:        policies,
		PrincipalARN: fmt.Sprintf(
			"arn:aws:sts::%s:assumed-role/%s/%s",
			provider.Account,
			name,
			s.function,
		),
	}
	out.RoleARN = s.role
	// A function that is gone is in no VPC any more.
	out.Route, _ = c.provider.Route(s.function, s.version)
	id, cause := c.runtime.Working(key)
	if w, ok := cause.(*work); ok {
		c.traffic.works(w, id)
		out.FunctionRequestID, out.HTTPRequestID, out.Faults = id, w.requestID, w.faults
	}
	return out, true
}

// frozen closes the idle connections of a function that was stopped. On AWS
// they die while it is frozen, some sooner, some later; here all do, always.
func (c *Cloud) frozen(f runtime.Function, credentials runtime.Credentials) {
	closed := c.database.CloseIdle(credentials.AccessKeyID)
	if c.Frozen != nil {
		c.Frozen(f.Name, closed)
	}
}
