package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"items-api/components"
	"items-api/internal/api"
)

// Auth is the configuration key auth.
type Auth struct {
	Mode           api.AuthMode `json:"mode"`
	AllowAnonymous bool         `json:"allowAnonymous"`
	Issuer         string       `json:"issuer"`
	Audiences      []string     `json:"audiences"`
	MFA            string       `json:"mfa"`
	SelfSignUp     bool         `json:"selfSignUp"`
	SignInDomain   string       `json:"signInDomain"`
	CallbackURLs   []string     `json:"callbackUrls"`
	CacheSeconds   int          `json:"cacheSeconds"`
	// AdminPasswordAuth is nil if the configuration leaves it to the stack.
	AdminPasswordAuth *bool `json:"adminPasswordAuth"`
}

// CORS is the configuration key cors.
type CORS struct {
	AllowHeaders     []string `json:"allowHeaders"`
	ExposeHeaders    []string `json:"exposeHeaders"`
	MaxAgeSeconds    int      `json:"maxAgeSeconds"`
	AllowCredentials bool     `json:"allowCredentials"`
}

func defaultAuth() Auth {
	return Auth{
		Mode:         api.AuthCognito,
		MFA:          "optional",
		CacheSeconds: 60,
	}
}

func defaultCORS() CORS {
	return CORS{
		AllowHeaders:  components.DefaultAllowHeaders(),
		ExposeHeaders: components.DefaultExposeHeaders(),
		MaxAgeSeconds: 600,
	}
}

// object reads a JSON object into the struct that v points to, and returns the
// members that are given; nil if there is a problem. Members are named exactly
// as in the struct's tags.
func (p *parser) object(text string, v any) map[string]json.RawMessage {
	var known []string
	for i := range reflect.TypeOf(v).Elem().NumField() {
		known = append(known, reflect.TypeOf(v).Elem().Field(i).Tag.Get("json"))
	}
	given := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(text), &given); err != nil || given == nil {
		p.fail("must be a map of %s, not %s", strings.Join(known, ", "), text)
		return nil
	}
	bad := false
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(known, name) {
			p.fail("holds the field %q, which is not known; it may hold %s", name, strings.Join(known, ", "))
			bad = true
		} else if string(given[name]) == "null" {
			p.fail("holds %s without a value; give one, or leave it out", name)
			bad = true
		}
	}
	var wrong *json.UnmarshalTypeError
	if err := json.Unmarshal([]byte(text), v); errors.As(err, &wrong) {
		p.fail("holds the %s %s, which must be of another type (%s)", wrong.Value, wrong.Field, wrong.Type)
		bad = true
	}
	if bad {
		return nil
	}
	return given
}

var (
	signInDomain = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	headerName   = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")
)

func (p *parser) auth(text string) Auth {
	a := defaultAuth()
	given := p.object(text, &a)
	if given == nil {
		return a
	}
	if !slices.Contains(api.AuthModes(), a.Mode) {
		p.fail("holds the mode %q; it must be one of none, cognito, jwt, lambda", a.Mode)
		return a
	}
	belongs := map[string]api.AuthMode{
		"allowAnonymous":    api.AuthNone,
		"issuer":            api.AuthJWT,
		"audiences":         api.AuthJWT,
		"mfa":               api.AuthCognito,
		"selfSignUp":        api.AuthCognito,
		"signInDomain":      api.AuthCognito,
		"callbackUrls":      api.AuthCognito,
		"cacheSeconds":      api.AuthLambda,
		"adminPasswordAuth": api.AuthCognito,
	}
	for _, what := range slices.Sorted(maps.Keys(given)) {
		if mode, ok := belongs[what]; ok && mode != a.Mode {
			p.fail("holds %s, which belongs to the mode %s, and the mode is %s", what, mode, a.Mode)
		}
	}
	if a.Mode == api.AuthJWT {
		p.issuer(a)
	}
	if !slices.Contains([]string{"off", "optional", "required"}, a.MFA) {
		p.fail("holds mfa %q; it must be off, optional or required", a.MFA)
	}
	if given := a.AdminPasswordAuth; given != nil && *given && a.MFA == "required" {
		p.fail(
			"holds adminPasswordAuth with mfa required, with which a password alone gives no token: " +
				"leave one out",
		)
	}
	if a.SignInDomain != "" &&
		(!signInDomain.MatchString(a.SignInDomain) || strings.Contains(a.SignInDomain, "aws") || strings.Contains(a.SignInDomain, "amazon") || strings.Contains(a.SignInDomain, "cognito")) {
		p.fail(
			"holds signInDomain %q; it has 1 to 63 lower-case letters, digits and '-', and none of the "+
				"words aws, amazon, cognito",
			a.SignInDomain,
		)
	}
	if (a.SignInDomain != "") != (len(a.CallbackURLs) > 0) {
		p.fail("holds one of signInDomain and callbackUrls; they need each other")
	}
	for _, c := range a.CallbackURLs {
		if u, err := url.Parse(
			c,
		); err != nil || u.Host == "" || u.Fragment != "" ||
			u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost") {
			p.fail("holds the callback URL %q; it begins with https://, or with http://localhost", c)
		}
	}
	if a.CacheSeconds < 0 || a.CacheSeconds > 3600 {
		p.fail("holds cacheSeconds %d; it must be from 0 to 3600", a.CacheSeconds)
	}
	return a
}

func (p *parser) issuer(a Auth) {
	u, err := url.Parse(a.Issuer)
	switch {
	case a.Issuer == "":
		p.fail("lacks issuer, which the mode jwt needs: the URL of an OIDC issuer, as in its tokens")
	case strings.HasSuffix(a.Issuer, "/.well-known/openid-configuration"):
		p.fail(
			"holds the issuer %q; leave out /.well-known/openid-configuration, which the gateway adds",
			a.Issuer,
		)
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && !a.loopbackIssuer():
		p.fail(
			"holds the issuer %q; it is an https URL, or on the local cloud an http URL on loopback",
			a.Issuer,
		)
	}
	if len(a.Audiences) == 0 || len(a.Audiences) > 50 || slices.Contains(a.Audiences, "") {
		p.fail("must hold 1 to 50 audiences in the mode jwt: what the tokens' aud or client_id says")
	}
}

// loopbackIssuer reports whether the issuer can be reached from this machine
// only.
func (a Auth) loopbackIssuer() bool {
	u, err := url.Parse(a.Issuer)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// adminPasswordAuth reports whether administrators may sign users in with a
// password. Where the configuration does not say, they may in a stack whose
// users can be thrown away with it. The stack's name decides nothing: one that
// serves customers may be called anything.
func (s Settings) adminPasswordAuth() bool {
	if given := s.Auth.AdminPasswordAuth; given != nil {
		return *given
	}
	return !s.DeletionProtection && s.Auth.MFA != "required"
}

func (p *parser) cors(text string) CORS {
	c := defaultCORS()
	if p.object(text, &c) == nil {
		return c
	}
	for _, h := range slices.Concat(c.AllowHeaders, c.ExposeHeaders) {
		if !headerName.MatchString(h) {
			p.fail("holds %q, which is no name of a header", h)
		}
	}
	if c.MaxAgeSeconds < 0 || c.MaxAgeSeconds > 86400 {
		p.fail("holds maxAgeSeconds %d; it must be from 0 to 86400", c.MaxAgeSeconds)
	}
	if c.AllowCredentials && (slices.Contains(c.AllowHeaders, "*") || slices.Contains(c.ExposeHeaders, "*")) {
		p.fail(
			"holds the header * with allowCredentials, which browsers then take for a name: name the headers",
		)
	}
	return c
}

// Check tests what the stack's name, or several keys together, do not allow.
func (s Settings) Check(stack string) error {
	errs := []error{s.checkRelease(), s.Network.checkTags(s.Tags)}
	if s.Auth.Mode == api.AuthNone && stack == "prod" && !s.Auth.AllowAnonymous {
		errs = append(
			errs,
			fmt.Errorf(
				"%s:auth has the mode none, with which everybody may read and change everything, and the "+
					"stack is prod: choose cognito, jwt or lambda, or say allowAnonymous: true",
				Namespace,
			),
		)
	}
	if s.CORS.AllowCredentials && slices.Contains(s.CORSOrigins, "*") {
		errs = append(
			errs,
			fmt.Errorf(
				"%s:cors allows credentials and %s:corsOrigins holds *, which browsers refuse: "+
					"name the origins",
				Namespace,
				Namespace,
			),
		)
	}
	if token := s.Auth.Mode == api.AuthCognito ||
		s.Auth.Mode == api.AuthJWT; token && slices.Contains(s.CORS.AllowHeaders, "*") &&
		len(s.CORSOrigins) > 0 &&
		!slices.ContainsFunc(
			s.CORS.AllowHeaders,
			func(h string) bool { return strings.EqualFold(h, "authorization") },
		) {
		errs = append(
			errs,
			fmt.Errorf(
				"%s:cors allows the headers *, which in browsers does not stand for authorization, and "+
					"callers send their tokens in it: name authorization too",
				Namespace,
			),
		)
	}
	return errors.Join(errs...)
}
