package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"items-api/internal/localcloud/plugin"
)

// session is what is known of one connection. The engine opens one for each
// provider that a program configures, so that the settings of a connection are
// those of its provider.
type session struct {
	mu          sync.Mutex
	called      bool
	configured  bool
	defaultTags map[string]string
	engine      string   // its address, if it attached
	ends        []func() // called when the connection ends
}

// Sessions keeps the settings of each connection apart, and counts those over
// which an engine has called: others only look whether somebody listens. Give it to the server by grpc.StatsHandler.
type Sessions struct{ open atomic.Int64 }

var _ stats.Handler = (*Sessions)(nil)

// Open returns the number of connections of engines.
func (s *Sessions) Open() int { return int(s.open.Load()) }

// TagConn begins a session.
func (s *Sessions) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return context.WithValue(ctx, sessionKey{}, &session{})
}

// HandleConn ends a session, and takes its connection out of the count.
func (s *Sessions) HandleConn(ctx context.Context, e stats.ConnStats) {
	c, ok := ctx.Value(sessionKey{}).(*session)
	if _, ends := e.(*stats.ConnEnd); !ends || !ok {
		return
	}
	c.end()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.called {
		c.called = false
		s.open.Add(-1)
	}
}

// TagRPC counts a connection at its first call.
func (s *Sessions) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	c, ok := ctx.Value(sessionKey{}).(*session)
	if !ok {
		return ctx
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.called {
		c.called = true
		s.open.Add(1)
	}
	return ctx
}

// HandleRPC has nothing to do.
func (s *Sessions) HandleRPC(context.Context, stats.RPCStats) {}

type sessionKey struct{}

// end calls what was to be done at the end of the connection.
func (s *session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.ends {
		f()
	}
	s.ends = nil
}

// atEnd has a function called when the connection of a call ends.
func atEnd(ctx context.Context, f func()) {
	if s, ok := ctx.Value(sessionKey{}).(*session); ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ends = append(s.ends, f)
	}
}

// attach notes the address of the engine that a connection belongs to.
func attach(ctx context.Context, engine string) {
	if s, ok := ctx.Value(sessionKey{}).(*session); ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.engine = engine
	}
}

// engineOf returns the address of the engine that makes a call, "" if it is
// not known.
func engineOf(ctx context.Context) string {
	if engine := plugin.Engine(ctx); engine != "" {
		return engine
	}
	s, ok := ctx.Value(sessionKey{}).(*session)
	if !ok {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engine
}

// configure notes the settings of a provider for the calls that follow.
func configure(ctx context.Context, args values) error {
	tags, err := defaultTags(args[defaultTagsName])
	if err != nil {
		return err
	}
	if s, ok := ctx.Value(sessionKey{}).(*session); ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.configured, s.defaultTags = true, tags
	}
	return nil
}

// defaultsFor returns the default tags of the provider that a call comes from.
// It returns an error if its settings were lost with its connection.
func defaultsFor(ctx context.Context) (map[string]string, error) {
	s, ok := ctx.Value(sessionKey{}).(*session)
	if !ok {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.configured {
		return nil, status.Error(
			codes.FailedPrecondition,
			"the connection to the local cloud was interrupted, and with it the provider's settings "+
				"were lost: deploy again",
		)
	}
	return s.defaultTags, nil
}

const (
	defaultTagsName = "defaultTags"
	tagsName        = "tags"
	tagsAllName     = "tagsAll"
)

// defaultTags reads the setting of that name: an object, or its JSON text,
// which is how the engine passes settings that are not strings.
func defaultTags(v any) (map[string]string, error) {
	if v == nil {
		return nil, nil
	}
	if text, ok := v.(string); ok {
		if text == "" {
			return nil, nil
		}
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return nil, fmt.Errorf("defaultTags is not a JSON object: %w", err)
		}
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("defaultTags must be an object with tags, not %s", text(v))
	}
	for name := range m {
		if name != tagsName {
			return nil, fmt.Errorf("defaultTags has only tags, not %q", name)
		}
	}
	tags := map[string]string{}
	given, ok := m[tagsName].(map[string]any)
	if !ok && m[tagsName] != nil {
		return nil, errors.New("defaultTags.tags must be a map of texts")
	}
	for k, e := range given {
		value, ok := e.(string)
		if !ok {
			return nil, fmt.Errorf("the default tag %q must be a text, not %s", k, text(e))
		}
		tags[k] = value
	}
	return tags, checkTags(given)
}

// tagged adds all tags of a resource to its checked inputs: the provider's
// default tags, and over them its own. Without default tags nothing is added.
// Source: applyTags in provider/tags.go of pulumi-aws, which does so in Check.
func (t *Type) tagged(defaults map[string]string, in values) []Failure {
	delete(in, tagsAllName)
	if len(defaults) == 0 || t.property(tagsName) == nil || !slices.Contains(t.Outputs, tagsAllName) {
		return nil
	}
	if !known(in[tagsName]) {
		in[tagsAllName] = Unknown{}
		return nil
	}
	all := map[string]any{}
	for k, v := range defaults {
		all[k] = v
	}
	maps.Copy(all, in.object(tagsName))
	err := checkTags(all)
	if err == nil {
		err = (&checker{token: t.Token}).tags(all)
	}
	if err != nil {
		return []Failure{
			{
				tagsName,
				fmt.Sprintf("tags, together with the default tags of the provider, are invalid: %v", err),
			},
		}
	}
	in[tagsAllName] = all
	return nil
}

// retagged returns the change of all tags, if it is one that the resource's own
// tags do not show.
func (t *Type) retagged(old, in values) []change {
	if !old.has(tagsAllName) && !in.has(tagsAllName) {
		return nil
	}
	if known(in[tagsAllName]) && reflect.DeepEqual(tagsOf(old), tagsOf(in)) {
		return nil
	}
	return []change{{path: tagsAllName, kind: updated}}
}
