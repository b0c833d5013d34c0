package gateway

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var (
	routeMethods = []string{"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}
	segment      = regexp.MustCompile(`^([A-Za-z0-9._:\-~]+|\{[A-Za-z0-9._:\-]+\+?\})$`)
	stageName    = regexp.MustCompile(`^(\$default|[A-Za-z0-9_\-]{1,128})$`)
)

// ValidateRouteKey tests "$default" or "METHOD /path". A path has no trailing
// slash; a greedy parameter is the last segment.
func ValidateRouteKey(key string) error {
	if key == "$default" {
		return nil
	}
	method, path, ok := strings.Cut(key, " ")
	if !ok || !slices.Contains(routeMethods, method) {
		return fmt.Errorf(
			"a route key is $default or a method (%s), one space and a path",
			strings.Join(routeMethods, ", "),
		)
	}
	if !strings.HasPrefix(path, "/") {
		return errors.New("the path of a route key begins with /")
	}
	if path == "/" {
		return nil
	}
	parts := strings.Split(path[1:], "/")
	seen := map[string]bool{}
	for i, p := range parts {
		if !segment.MatchString(p) {
			return fmt.Errorf(
				"the segment %q of the path is neither text nor a parameter such as {id} or {proxy+}",
				p,
			)
		}
		if !strings.HasPrefix(p, "{") {
			continue
		}
		if strings.HasSuffix(p, "+}") && i != len(parts)-1 {
			return fmt.Errorf("the greedy parameter %s must be the last segment", p)
		}
		name := strings.Trim(p, "{+}")
		if seen[name] {
			return fmt.Errorf("the parameter %s stands twice", name)
		}
		seen[name] = true
	}
	return nil
}

// ValidateStageName tests the name of a stage: 1 to 128 characters, or $default.
func ValidateStageName(name string) error {
	if !stageName.MatchString(name) {
		return errors.New("a stage's name is $default or has 1 to 128 letters, digits, '-' or '_'")
	}
	return nil
}

// ValidateCORS tests what API Gateway refuses at creation. Wildcard origins
// are *, https://* and http://* only.
func ValidateCORS(c CORS) error {
	if c.AllowCredentials && slices.Contains(c.AllowOrigins, "*") {
		return errors.New("BadRequestException: allow-credentials is not supported if 'allow-origin' is *")
	}
	if c.MaxAge < -1 || c.MaxAge > 86400 {
		return errors.New("maxAge must be from -1 to 86400 seconds")
	}
	for _, o := range c.AllowOrigins {
		if o == "*" || o == "https://*" || o == "http://*" {
			continue
		}
		u, err := url.Parse(o)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" ||
			u.Fragment != "" ||
			strings.Contains(o, "*") {
			return fmt.Errorf("%q is no origin: it has a scheme, a host and perhaps a port, and no path", o)
		}
	}
	for _, m := range c.AllowMethods {
		if len(m) < 1 || len(m) > 64 {
			return fmt.Errorf("the method %q must have 1 to 64 characters", m)
		}
	}
	return nil
}

// untold are variables whose values AWS does not document well enough.
var untold = []string{"$context.dataProcessed", "$context.error.responseType"}

// ValidateAccessLogFormat tests that a format names $context.requestId, as
// every format in AWS's documentation does. Whether AWS enforces it for HTTP
// APIs is not established.
func ValidateAccessLogFormat(format string) error {
	if strings.TrimSpace(format) == "" {
		return errors.New("an access log needs a format")
	}
	if !strings.Contains(format, "$context.requestId") &&
		!strings.Contains(format, "$context.extendedRequestId") {
		return errors.New("an access log's format must contain $context.requestId")
	}
	for _, name := range variable.FindAllString(format, -1) {
		if slices.Contains(untold, name) {
			return fmt.Errorf("the local cloud cannot tell %s: leave it out of the access log's format", name)
		}
	}
	return nil
}
