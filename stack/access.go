package stack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
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
	SignInDomain   string       `json:"signInDomain"`
	CallbackURLs   []string     `json:"callbackUrls"`
	CacheSeconds   int          `json:"cacheSeconds"`
}

// CORS is the configuration key cors.
type CORS struct {
	AllowHeaders     []string `json:"allowHeaders"`
	ExposeHeaders    []string `json:"exposeHeaders"`
	MaxAgeSeconds    int      `json:"maxAgeSeconds"`
	AllowCredentials bool     `json:"allowCredentials"`
}

func defaultAuth() Auth {
	return Auth{Mode: api.AuthCognito, MFA: "optional", CacheSeconds: 60}
}

func defaultCORS() CORS {
	return CORS{AllowHeaders: components.DefaultAllowHeaders(), ExposeHeaders: components.DefaultExposeHeaders(), MaxAgeSeconds: 600}
}

// object reads a JSON object into the struct that v points to; an unknown
// member, or a value of another type, is a problem that names it.
func (p *parser) object(text string, v any, members string) bool {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field != "":
		p.fail("holds the %s %s, which must be of another type (%s)", wrong.Value, wrong.Field, wrong.Type)
	case err != nil && strings.Contains(err.Error(), "unknown field"):
		p.fail("holds the %s, which is not known; it may hold %s", strings.TrimPrefix(err.Error(), "json: unknown "), members)
	case err != nil:
		p.fail("must be a map of %s, not %s", members, text)
	}
	return err == nil
}

var (
	signInDomain = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	headerName   = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")
)

func (p *parser) auth(text string) Auth {
	a := defaultAuth()
	if !p.object(text, &a, "mode, allowAnonymous, issuer, audiences, mfa, signInDomain, callbackUrls, cacheSeconds") {
		return a
	}
	if !slices.Contains(api.AuthModes(), a.Mode) {
		p.fail("holds the mode %q; it must be one of none, cognito, jwt, lambda", a.Mode)
	}
	belongs := func(given bool, what string, mode api.AuthMode) {
		if given && a.Mode != mode && slices.Contains(api.AuthModes(), a.Mode) {
			p.fail("holds %s, which belongs to the mode %s, and the mode is %s", what, mode, a.Mode)
		}
	}
	belongs(a.AllowAnonymous, "allowAnonymous", api.AuthNone)
	belongs(a.Issuer != "", "issuer", api.AuthJWT)
	belongs(len(a.Audiences) > 0, "audiences", api.AuthJWT)
	belongs(a.SignInDomain != "", "signInDomain", api.AuthCognito)
	belongs(len(a.CallbackURLs) > 0, "callbackUrls", api.AuthCognito)
	if a.Mode == api.AuthJWT {
		p.issuer(a)
	}
	if !slices.Contains([]string{"off", "optional", "required"}, a.MFA) {
		p.fail("holds mfa %q; it must be off, optional or required", a.MFA)
	}
	if a.SignInDomain != "" && (!signInDomain.MatchString(a.SignInDomain) || strings.Contains(a.SignInDomain, "aws") || strings.Contains(a.SignInDomain, "amazon") || strings.Contains(a.SignInDomain, "cognito")) {
		p.fail("holds signInDomain %q; it has 1 to 63 lower-case letters, digits and '-', and none of the words aws, amazon, cognito", a.SignInDomain)
	}
	if (a.SignInDomain != "") != (len(a.CallbackURLs) > 0) {
		p.fail("holds one of signInDomain and callbackUrls; they need each other")
	}
	for _, c := range a.CallbackURLs {
		if u, err := url.Parse(c); err != nil || u.Host == "" || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost") {
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
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && !a.loopbackIssuer():
		p.fail("holds the issuer %q; it is an https URL, or on the local cloud an http URL on loopback", a.Issuer)
	}
	if len(a.Audiences) == 0 || len(a.Audiences) > 50 || slices.Contains(a.Audiences, "") {
		p.fail("must hold 1 to 50 audiences in the mode jwt: what the tokens' aud or client_id says")
	}
}

// loopbackIssuer reports whether the issuer can be reached from this machine
// only.
func (a Auth) loopbackIssuer() bool {
	u, err := url.Parse(a.Issuer)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func (p *parser) cors(text string) CORS {
	c := defaultCORS()
	if !p.object(text, &c, "allowHeaders, exposeHeaders, maxAgeSeconds, allowCredentials") {
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
		p.fail("holds the header * with allowCredentials, which browsers then take for a name: name the headers")
	}
	return c
}

// Check tests what the stack's name, or several keys together, do not allow.
func (s Settings) Check(stack string) error {
	var errs []error
	if s.Auth.Mode == api.AuthNone && stack == "prod" && !s.Auth.AllowAnonymous {
		errs = append(errs, fmt.Errorf("%s:auth has the mode none, with which everybody may read and change everything, and the stack is prod: choose cognito, jwt or lambda, or say allowAnonymous: true", Namespace))
	}
	if s.CORS.AllowCredentials && slices.Contains(s.CORSOrigins, "*") {
		errs = append(errs, fmt.Errorf("%s:cors allows credentials and %s:corsOrigins holds *, which browsers refuse: name the origins", Namespace, Namespace))
	}
	return errors.Join(errs...)
}
