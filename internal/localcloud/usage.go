package localcloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"items-api/internal/localcloud/iam"
	"items-api/internal/localcloud/runtime"
	"items-api/internal/localcloud/state"
)

// usage remembers which actions the functions were allowed and denied, on disk
// too, so that it says something of all runs.
type usage struct {
	file string
	mu   sync.Mutex
	all  map[string]*actions // by function
}

type actions struct {
	Used   map[string]bool `json:"used"`
	Denied map[string]bool `json:"denied"`
}

func loadUsage(dir string) (*usage, error) {
	u := &usage{file: filepath.Join(dir, "usage.json"), all: map[string]*actions{}}
	data, err := os.ReadFile(u.file)
	if errors.Is(err, fs.ErrNotExist) {
		return u, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &u.all)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w; remove it to begin anew", u.file, err)
	}
	return u, nil
}

// note remembers an action of a function.
func (u *usage) note(function, action string, allowed bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	a := u.all[function]
	if a == nil {
		a = &actions{}
		u.all[function] = a
	}
	set, other := &a.Used, a.Denied
	if !allowed {
		set, other = &a.Denied, a.Used
	}
	if *set == nil {
		*set = map[string]bool{}
	}
	if (*set)[action] {
		return
	}
	(*set)[action] = true
	delete(other, action) // the role has changed
	if data, err := json.Marshal(u.all); err == nil {
		// What cannot be kept is noted again in the next run.
		_ = state.WriteFile(u.file, data, 0o600)
	}
}

// forget drops what is known of a function, whose role may have changed.
func (u *usage) forget(function string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.all, function)
}

// ForgetUse begins anew with what the functions did.
func (c *Cloud) ForgetUse() {
	for _, name := range c.provider.Functions() {
		c.usage.forget(name)
	}
}

// RoleUse compares what the role of a function grants with what the function
// did. Least privilege is when Unused and Denied are empty.
type RoleUse struct {
	Function string   `json:"function"`
	Role     string   `json:"role"`
	Used     []string `json:"used"`
	// Unused are granted and never used, Denied were tried and not granted.
	Unused []string `json:"unused"`
	Denied []string `json:"denied"`
	// Unproven are granted for services whose requests the local cloud does not
	// judge, so that no run can tell whether they are needed.
	Unproven []string `json:"unproven"`
}

// judged are the services whose requests are judged by the roles' policies.
var judged = []string{"dynamodb", "logs"}

// grant sorts what a role grants into what was used, what was not, and what
// cannot be used here. What was denied only, for want of a condition or on
// another resource, was tried: it is not listed as unused, too.
func (r *RoleUse) grant(granted []iam.Grant) {
	tried := append(slices.Clone(r.Used), r.Denied...)
	for _, g := range granted {
		if slices.ContainsFunc(
			tried,
			func(t string) bool { return iam.Match(strings.ToLower(g.Action), strings.ToLower(t)) },
		) {
			continue
		}
		list := &r.Unused
		if service, _, ok := strings.Cut(
			g.Action,
			":",
		); ok &&
			!slices.ContainsFunc(
				judged,
				func(s string) bool { return iam.Match(strings.ToLower(service), s) },
			) {
			list = &r.Unproven
		}
		if !slices.Contains(*list, g.Action) {
			*list = append(*list, g.Action)
		}
	}
	slices.Sort(r.Unused)
	slices.Sort(r.Unproven)
}

// Roles compares the roles of all functions with what the functions did.
func (c *Cloud) Roles() ([]RoleUse, error) {
	out := []RoleUse{}
	for _, name := range c.provider.Functions() {
		f, err := c.provider.Function(name)
		if err != nil {
			return nil, err
		}
		policies, err := c.provider.Policies(f.RoleARN)
		if err != nil {
			return nil, err
		}
		c.usage.mu.Lock()
		a := actions{}
		if known := c.usage.all[name]; known != nil {
			a = actions{maps.Clone(known.Used), maps.Clone(known.Denied)}
		}
		c.usage.mu.Unlock()
		r := RoleUse{
			Function: name,
			Role:     f.RoleARN,
			Used:     sorted(a.Used),
			Denied:   sorted(a.Denied),
			Unused:   []string{},
			Unproven: []string{},
		}
		for _, p := range policies {
			r.grant(p.Grants())
		}
		out = append(out, r)
	}
	return out, nil
}

func sorted(set map[string]bool) []string {
	out := slices.Sorted(maps.Keys(set))
	if out == nil {
		out = []string{}
	}
	return out
}

// Roles asks the cloud that runs what its roles grant and what was used.
func (i Instance) Roles() ([]RoleUse, error) {
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get(i.Control + "/roles")
	if err != nil {
		return nil, fmt.Errorf("asking the local cloud for its roles: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking the local cloud for its roles: status %d", resp.StatusCode)
	}
	var out []RoleUse
	return out, json.NewDecoder(resp.Body).Decode(&out)
}

func (c *Cloud) serveRoles(w http.ResponseWriter, _ *http.Request) {
	out, err := c.Roles()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// A client that is gone does not want it.
	_ = json.NewEncoder(w).Encode(out)
}

// mayLog reports whether the role of a function lets Lambda write its log,
// which is judged as on AWS.
func (c *Cloud) mayLog(l runtime.LogLine) bool {
	f, err := c.provider.Function(l.Function)
	if err != nil {
		return true // it is being removed
	}
	policies, err := c.provider.Policies(f.RoleARN)
	if err != nil {
		return false
	}
	stream := c.provider.LogGroupARN(l.LogGroup) + ":log-stream:" + l.LogStream
	all := true
	for action, ok := range logDecisions(policies, stream) {
		c.usage.note(l.Function, action, ok)
		all = all && ok
	}
	return all
}

// logDecisions judges what Lambda does to write a log, by action. Both actions
// are judged on the stream, although the Service Authorization Reference gives
// the group for CreateLogStream: CloudTrail records of Lambda's denied calls name
// the stream ("is not authorized to perform: logs:CreateLogStream on resource:
// arn:aws:logs:...:log-group:/aws/lambda/level1:log-stream:2018/11/28/[$LATEST]...").
func logDecisions(policies []iam.Policy, stream string) map[string]bool {
	out := map[string]bool{}
	for _, action := range []string{"logs:CreateLogStream", "logs:PutLogEvents"} {
		out[action] = iam.Evaluate(policies, iam.Request{Action: action, Resource: stream}).Allowed
	}
	return out
}
