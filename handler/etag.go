package main

import (
	"strconv"
	"strings"

	"items-api/internal/api"
	"items-api/internal/store"
)

// etag returns the entity tag of a version. It is strong: every change of an
// item is a new version.
func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// versions reads a list of entity tags (RFC 9110, 8.8.3 and 13.1): nil without
// the header. Tags that are none of ours, and weak ones where the comparison is
// strong, are left out, since no version has them. More than 100 are refused,
// as one conditional write tests no more.
func versions(r request, name string, strong bool) (*store.Versions, error) {
	header, ok := r.Headers[strings.ToLower(name)]
	if !ok {
		return nil, nil
	}
	out := &store.Versions{}
	rest := strings.TrimSpace(header)
	if rest == "*" {
		out.Any = true
		return out, nil
	}
	for n := 0; ; n++ {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			break
		}
		if n >= store.MaxVersions {
			return nil, api.Fail(
				api.InvalidHeader,
				name,
				"it must hold at most %d entity tags",
				store.MaxVersions,
			)
		}
		opaque, weak := strings.CutPrefix(rest, "W/")
		opaque, quoted := strings.CutPrefix(opaque, `"`)
		tag, after, closed := strings.Cut(opaque, `"`)
		if after = strings.TrimLeft(after, " \t"); !quoted || !closed || after != "" && after[0] != ',' {
			return nil, api.Fail(
				api.InvalidHeader,
				name,
				"%q is no entity tag; use the ETag of the item, with its quotes",
				rest,
			)
		}
		rest = after
		if v, err := strconv.ParseInt(
			tag,
			10,
			64,
		); err == nil && v > 0 && etag(v) == `"`+tag+`"` &&
			!(weak && strong) {
			out.Of = append(out.Of, v)
		}
	}
	return out, nil
}

// precondition reads If-Match by strong comparison and If-None-Match by weak
// comparison (RFC 9110, 13.1.1 and 13.1.2).
func precondition(r request) (p store.Precondition, err error) {
	if p.Match, err = versions(r, "If-Match", true); err != nil {
		return p, err
	}
	p.None, err = versions(r, "If-None-Match", false)
	return p, err
}
