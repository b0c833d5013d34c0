// Package stack is the Pulumi program: it reads the stack's configuration,
// builds the function, composes the component and exports what a user needs.
package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"items-api/internal/build"
)

// Namespace precedes every configuration key.
const Namespace = "items-api"

// Settings are what the configuration of a stack chooses.
type Settings struct {
	Auth                Auth
	CORSOrigins         []string
	CORS                CORS
	ReservedConcurrency int
	MemoryMB            int
	TimeoutSeconds      int
	Architecture        build.Architecture
	LogRetentionDays    int
	ThrottleRate        int
	ThrottleBurst       int
	Release             Release
	Canary              Canary
	Schema              Schema
	Table               Table
	Network             Network
	Encryption          Encryption
	Audit               Audit
	DeletionProtection  bool
	Tags                map[string]string
	Domain              Domain
	Alarms              Alarms
}

// Defaults are the settings of an empty configuration; Pulumi.yaml says the same.
func Defaults() Settings {
	return Settings{
		Auth:                defaultAuth(),
		CORS:                defaultCORS(),
		CORSOrigins:         []string{},
		ReservedConcurrency: autoReservation,
		MemoryMB:            256,
		TimeoutSeconds:      10,
		Architecture:        build.ARM64,
		LogRetentionDays:    30,
		ThrottleRate:        100,
		ThrottleBurst:       autoBurst,
		Release:             defaultRelease(),
		Network:             defaultNetwork(),
		Audit:               defaultAudit(),
		DeletionProtection:  true,
		Tags:                map[string]string{},
		Alarms:              defaultAlarms(),
	}
}

// retention holds the days that CloudWatch Logs accepts. Source:
// PutRetentionPolicy, CloudWatch Logs API reference.
var retention = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

// keys are the configuration keys with the functions that read them.
var keys = map[string]func(p *parser, text string, s *Settings){
	"auth":                func(p *parser, t string, s *Settings) { s.Auth = p.auth(t) },
	"cors":                func(p *parser, t string, s *Settings) { s.CORS = p.cors(t) },
	"corsOrigins":         func(p *parser, t string, s *Settings) { s.CORSOrigins = p.origins(t) },
	"reservedConcurrency": func(p *parser, t string, s *Settings) { s.ReservedConcurrency = p.concurrency(t) },
	"memoryMB":            func(p *parser, t string, s *Settings) { s.MemoryMB = p.whole(t, 128, 10240) },
	"timeoutSeconds":      func(p *parser, t string, s *Settings) { s.TimeoutSeconds = p.whole(t, 1, 29) },
	"architecture":        func(p *parser, t string, s *Settings) { s.Architecture = p.architecture(t) },
	"logRetentionDays":    func(p *parser, t string, s *Settings) { s.LogRetentionDays = p.retention(t) },
	"throttleRate":        func(p *parser, t string, s *Settings) { s.ThrottleRate = p.whole(t, 1, 10000) },
	"throttleBurst":       func(p *parser, t string, s *Settings) { s.ThrottleBurst = p.burst(t) },
	"release":             func(p *parser, t string, s *Settings) { s.Release = p.release(t) },
	"canary":              func(p *parser, t string, s *Settings) { s.Canary = p.canary(t) },
	"table":               func(p *parser, t string, s *Settings) { s.Table = p.table(t) },
	"schema":              func(p *parser, t string, s *Settings) { s.Schema = p.schema(t) },
	"network":             func(p *parser, t string, s *Settings) { s.Network = p.network(t) },
	"encryption":          func(p *parser, t string, s *Settings) { s.Encryption = p.encryption(t) },
	"audit":               func(p *parser, t string, s *Settings) { s.Audit = p.audit(t) },
	"deletionProtection":  func(p *parser, t string, s *Settings) { s.DeletionProtection = p.boolean(t) },
	"alarms":              func(p *parser, t string, s *Settings) { s.Alarms = p.alarms(t) },
	"domain":              func(p *parser, t string, s *Settings) { s.Domain = p.domain(t) },
	"tags":                func(p *parser, t string, s *Settings) { s.Tags = p.tags(t) },
}

// Keys returns the configuration keys, sorted, without the namespace.
func Keys() []string { return slices.Sorted(maps.Keys(keys)) }

// Parse reads the settings from configuration values by key; lists and maps
// are JSON text. A key may carry the namespace; those of packages are left to
// them. The error names every problem with its key.
func Parse(config map[string]string) (Settings, error) {
	s := Defaults()
	p := &parser{}
	for _, full := range slices.Sorted(maps.Keys(config)) {
		key, ok := p.own(full)
		if !ok {
			continue
		}
		p.key = key
		read, ok := keys[key]
		if !ok {
			p.fail("is not known%s; the keys are %s", nearest(key), strings.Join(Keys(), ", "))
			continue
		}
		read(p, config[full], &s)
	}
	return s, errors.Join(p.errs...)
}

type parser struct {
	key  string
	errs []error
}

func (p *parser) fail(format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s:%s "+format, append([]any{Namespace, p.key}, args...)...))
}

func (p *parser) whole(text string, low, high int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		p.fail("must be a whole number from %d to %d, not %q", low, high, text)
	}
	return n
}

func (p *parser) boolean(text string) bool {
	if text != "true" && text != "false" {
		p.fail("must be true or false, not %q", text)
	}
	return text == "true"
}

func (p *parser) architecture(text string) build.Architecture {
	a := build.Architecture(text)
	if _, _, err := a.Target(); err != nil {
		p.fail("must be arm64, x86_64 or, on a local stack, host, not %q", text)
	}
	return a
}

func (p *parser) retention(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || !slices.Contains(retention, n) {
		p.fail("must be one of %s, not %q", strings.Trim(fmt.Sprint(retention), "[]"), text)
	}
	return n
}

func (p *parser) origins(text string) []string {
	var out []string
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		p.fail("must be a list of origins, such as https://example.com, not %s", text)
		return nil
	}
	for _, o := range out {
		if o == "*" {
			if len(out) > 1 {
				p.fail("must not hold other origins beside *")
			}
			continue
		}
		u, err := url.Parse(o)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Contains(o, "*") || u.User != nil || !port(u):
			p.fail(
				"holds %q, which is no origin: one looks like https://example.com or http://localhost:3000",
				o,
			)
		case u.Path != "" || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(o, "#") || strings.HasSuffix(o, "?"):
			p.fail("holds %q: an origin ends after the host and port; leave out %q", o, u.RequestURI())
		case o != sent(u):
			p.fail("holds %q, which never matches: browsers send %q", o, sent(u))
		}
	}
	return out
}

// port reports whether a URL has no port or one from 1 to 65535.
func port(u *url.URL) bool {
	n, err := strconv.Atoi(u.Port())
	return u.Port() == "" || err == nil && n >= 1 && n <= 65535
}

// sent is an origin as browsers send it: in lower case and ASCII, without the
// scheme's own port (RFC 6454, section 6.2).
func sent(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	if ascii, err := idna.Lookup.ToASCII(host); err == nil && net.ParseIP(host) == nil {
		host = ascii
	}
	if p := u.Port(); p != "" && p != map[string]string{"http": "80", "https": "443"}[u.Scheme] {
		return u.Scheme + "://" + net.JoinHostPort(host, p)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return u.Scheme + "://" + host
}

// tagText is what IAM takes as names and values of tags, which is the least that
// any of the services takes. Source: Tag, IAM API reference.
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// mostTags is how many tags AWS lets a resource have.
const mostTags = 50

func (p *parser) tags(text string) map[string]string {
	out := map[string]string{}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		p.fail("must be a map from names to texts, not %s", text)
		return nil
	}
	if len(out) > mostTags {
		p.fail("must hold at most %d tags, not %d", mostTags, len(out))
	}
	for _, k := range slices.Sorted(maps.Keys(out)) {
		if strings.HasPrefix(strings.ToLower(k), "aws:") || k == "" || utf8.RuneCountInString(k) > 128 {
			p.fail("holds the tag name %q: one has 1 to 128 characters and does not begin with aws:", k)
		}
		if utf8.RuneCountInString(out[k]) > 256 {
			p.fail("holds a value of the tag %q that is longer than 256 characters", k)
		}
		if !tagText.MatchString(k) || !tagText.MatchString(out[k]) {
			p.fail(
				"holds the tag %q with the value %q: both have letters, digits, spaces and _.:/=+-@ only",
				k,
				out[k],
			)
		}
	}
	return out
}

// nearest suggests a key that looks like a misspelt one.
func nearest(key string) string {
	best := closest(key, Keys())
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// closest returns the name that differs from a misspelt one in at most three
// characters and not in all of its own, and in the fewest; "" if there is none.
func closest(text string, names []string) string {
	best, distance := "", 4
	for _, name := range names {
		if d := edits(strings.ToLower(text), strings.ToLower(name)); d < min(distance, len(name)) {
			best, distance = name, d
		}
	}
	return best
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost = min(before, row[j], row[j+1]) + 1
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
