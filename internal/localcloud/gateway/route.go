package gateway

import (
	"net/url"
	"slices"
	"strings"
)

// match is a route that fits a request.
type match struct {
	route      Route
	parameters map[string]string
}

// find chooses the route for a method and an escaped path: a full match of
// path and method first, a greedy one then, $default last; static segments
// before parameters, longer greedy prefixes before shorter ones, and a method
// before ANY. Source: API Gateway developer guide, "Routes for HTTP APIs".
func find(routes []Route, method, path string) (match, bool) {
	var best match
	var rank []int
	for _, r := range routes {
		params, score, ok := fits(r.Key, method, path)
		if ok && (rank == nil || slices.Compare(score, rank) < 0) {
			best, rank = match{r, params}, score
		}
	}
	return best, rank != nil
}

// fits compares a route key with a request. The score orders routes; a lower
// one is better.
func fits(key, method, path string) (map[string]string, []int, bool) {
	if key == "$default" {
		return nil, []int{2}, true
	}
	m, pattern, _ := strings.Cut(key, " ")
	if m != "ANY" && m != method {
		return nil, nil, false
	}
	want, got := segments(pattern), segments(path)
	params := map[string]string{}
	score := []int{0}
	for i, w := range want {
		name := strings.Trim(w, "{}")
		switch {
		case strings.HasSuffix(w, "+}"):
			// It takes the rest, which may be one empty segment.
			if i >= len(got) {
				return nil, nil, false
			}
			params[strings.TrimSuffix(name, "+")] = decode(strings.Join(got[i:], "/"))
			score[0] = 1
			return params, append(score, 2, method0(m)), true
		case i >= len(got):
			return nil, nil, false
		case strings.HasPrefix(w, "{"):
			if got[i] == "" {
				return nil, nil, false
			}
			params[name] = decode(got[i])
			score = append(score, 1)
		case w != decode(got[i]):
			return nil, nil, false
		default:
			score = append(score, 0)
		}
	}
	if len(got) != len(want) {
		return nil, nil, false
	}
	if len(params) == 0 {
		params = nil
	}
	return params, append(score, method0(m)), true
}

func method0(m string) int {
	if m == "ANY" {
		return 1
	}
	return 0
}

func segments(path string) []string { return strings.Split(strings.TrimPrefix(path, "/"), "/") }

// decode resolves percent-encoding; what is malformed stays as it is.
func decode(s string) string {
	if d, err := url.PathUnescape(s); err == nil {
		return d
	}
	return s
}
