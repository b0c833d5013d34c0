package gateway

import (
	"net/http"
	"strings"
)

// Domain is a custom domain name. A wildcard such as *.example.com stands for
// one label.
type Domain struct {
	Name     string
	Mappings []Mapping
}

// Mapping leads requests to a stage of an API. Key is the beginning of the
// path, without slashes at its ends; "" takes what no other key fits.
type Mapping struct{ Key, APIID, Stage string }

// PutDomain adds or replaces a custom domain. It is served at the address of
// each API: the Host header names it.
func (g *Gateway) PutDomain(d Domain) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.domains[strings.ToLower(d.Name)] = d
}

// RemoveDomain takes a custom domain away.
func (g *Gateway) RemoveDomain(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.domains, strings.ToLower(name))
}

// arrive finds the API that a request is for: the one whose address it came
// to, or the one that a custom domain in its Host header leads to.
func (g *Gateway) arrive(q *http.Request, id string) *request {
	g.mu.RLock()
	defer g.mu.RUnlock()
	r := &request{
		http:     q,
		id:       requestID(),
		received: g.Now(),
		api:      g.apis[id],
	}
	d, ok := g.domain(strings.ToLower(host(q)))
	if !ok {
		r.foreign = !ownName(host(q))
		return r
	}
	r.api, r.custom = API{}, true
	path := requestPath(q)
	if m, ok := d.choose(path); ok {
		// What is left of "/ordersandmore" under the key "orders" is not
		// documented to begin with a slash.
		r.mapping, r.api = m, g.apis[m.APIID]
		r.path = "/" + strings.TrimPrefix(strings.TrimPrefix(path, "/"+m.Key), "/")
		if m.Key == "" {
			r.path = path
		}
	}
	return r
}

// domain returns the custom domain of a host. An exact name goes before a
// wildcard.
func (g *Gateway) domain(host string) (Domain, bool) {
	if d, ok := g.domains[host]; ok {
		return d, true
	}
	_, parent, ok := strings.Cut(host, ".")
	if !ok {
		return Domain{}, false
	}
	d, ok := g.domains["*."+parent]
	return d, ok
}

// choose returns the mapping of a path. With keys of one level only, the first
// segment must be the key; as soon as one key of the domain has several
// levels, the longest key that the path begins with counts, so that
// "/ordersandmore" goes to "orders". Source: API Gateway developer guide, "Map
// API stages to a custom domain name for HTTP APIs".
func (d Domain) choose(path string) (Mapping, bool) {
	nested := false
	for _, m := range d.Mappings {
		nested = nested || strings.Contains(m.Key, "/")
	}
	rest := strings.TrimPrefix(path, "/")
	first, _, _ := strings.Cut(rest, "/")
	best := -1
	for i, m := range d.Mappings {
		if m.Key != "" && m.Key != first && !(nested && strings.HasPrefix(rest, m.Key)) {
			continue
		}
		if best < 0 || len(m.Key) > len(d.Mappings[best].Key) {
			best = i
		}
	}
	if best < 0 {
		return Mapping{}, false
	}
	return d.Mappings[best], true
}

// mappedStage takes the stage that the mapping names; the path has no say. The
// key is not in rawPath, but the name of the stage is, unless it is $default.
// Sources: API Gateway developer guide, "Create AWS Lambda proxy integrations
// for HTTP APIs" (format 2.0), and for the stage an event that a user
// recorded, CodeGenieApp/serverless-express#465. That requestContext.http.path
// is the same is not verified.
func (r *request) mappedStage() bool {
	for _, s := range r.api.Stages {
		if s.Name == r.mapping.Stage {
			r.rawPath, r.encodedPath = decode(r.path), requestPath(r.http)
			if s.Name != "$default" {
				r.rawPath = "/" + s.Name + r.rawPath
			}
			r.enter(s)
			return true
		}
	}
	return false
}
