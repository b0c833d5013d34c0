package main

import (
	"strconv"
	"strings"

	"items-api/internal/api"
)

// etag returns the entity tag of a version. It is strong: every change of an
// item is a new version.
func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// tags splits a list of entity tags. Weak ones keep their prefix W/.
func tags(header string) []string {
	var out []string
	for _, t := range strings.Split(header, ",") {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, t)
		}
	}
	return out
}

// unchanged evaluates If-None-Match by weak comparison (RFC 9110, 13.1.2).
func unchanged(header string, version int64) bool {
	for _, t := range tags(header) {
		if t == "*" || strings.TrimPrefix(t, "W/") == etag(version) {
			return true
		}
	}
	return false
}

// precondition reads If-Match by strong comparison (RFC 9110, 13.1.1): nil
// without the header, 0 for *, else the version. Tags that can never match
// give -1, which no item has. A list of several versions is refused, since one
// conditional write tests one.
func precondition(r request) (*int64, error) {
	header, ok := r.Headers["if-match"]
	if !ok {
		return nil, nil
	}
	none := int64(-1)
	want := &none
	seen := 0
	for _, t := range tags(header) {
		if t == "*" {
			anyVersion := int64(0)
			return &anyVersion, nil
		}
		text, quoted := strings.CutPrefix(t, `"`)
		text, closed := strings.CutSuffix(text, `"`)
		if !strings.HasPrefix(t, "W/") && !(quoted && closed) {
			return nil, api.Fail(api.InvalidHeader, "If-Match", "%q is no entity tag; use the ETag of the item, with its quotes", t)
		}
		if v, err := strconv.ParseInt(text, 10, 64); err == nil && v > 0 && etag(v) == t {
			want = &v
			seen++
		}
	}
	if seen > 1 {
		return nil, api.Fail(api.InvalidHeader, "If-Match", "give one entity tag")
	}
	return want, nil
}
