package gateway

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// preflight reports whether a request asks for permission. Without both
// headers it is an ordinary OPTIONS request.
func preflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" &&
		r.Header.Get("Access-Control-Request-Method") != ""
}

// answerPreflight answers without route, authorizer or function. For an origin
// that is not allowed the answer lacks the headers and is 204 all the same.
func (c *CORS) answerPreflight(r *http.Request) reply {
	out := reply{status: http.StatusNoContent, header: http.Header{}}
	origin := c.allowed(r.Header.Get("Origin"))
	if origin == "" {
		return out
	}
	c.origin(out.header, origin)
	set := func(name string, values []string) {
		if len(values) > 0 {
			out.header.Set(name, strings.Join(values, ","))
		}
	}
	set("Access-Control-Allow-Methods", c.AllowMethods)
	set("Access-Control-Allow-Headers", c.AllowHeaders)
	if c.MaxAge > 0 {
		out.header.Set("Access-Control-Max-Age", strconv.Itoa(c.MaxAge))
	}
	return out
}

// apply replaces whatever CORS headers a response has by the configured ones.
func (c *CORS) apply(r *http.Request, h http.Header) {
	for name := range h {
		if strings.HasPrefix(strings.ToLower(name), "access-control-") {
			delete(h, name)
		}
	}
	origin := c.allowed(r.Header.Get("Origin"))
	if origin == "" {
		return
	}
	c.origin(h, origin)
	if len(c.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(c.ExposeHeaders, ","))
	}
}

func (c *CORS) origin(h http.Header, origin string) {
	h.Set("Access-Control-Allow-Origin", origin)
	if c.AllowCredentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
}

// allowed returns what Access-Control-Allow-Origin says to an origin, or "".
func (c *CORS) allowed(origin string) string {
	switch {
	case origin == "":
		return ""
	case slices.Contains(c.AllowOrigins, "*"):
		return "*"
	case slices.Contains(c.AllowOrigins, origin),
		slices.Contains(c.AllowOrigins, "https://*") && strings.HasPrefix(origin, "https://"),
		slices.Contains(c.AllowOrigins, "http://*") && strings.HasPrefix(origin, "http://"):
		return origin
	}
	return ""
}
