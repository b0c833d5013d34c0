package conformance

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// vector is a request and what AWS answers; testdata/http-api.json explains
// the members.
type vector struct {
	ID, Title, Level, Fact string
	Given                  given
	Request                struct {
		exchange
		Sequence []exchange
	}
	Expect expectation
}

type given struct {
	Stage          string
	StageVariables map[string]string
	Routes         []string
	Function       behaviour
	Integration    struct {
		PayloadFormatVersion string // 2.0 unless it is given
	}
	// QuickCreate makes the API with a target in place of resources of its own.
	QuickCreate bool
	CORS        *struct {
		AllowOrigins, AllowMethods, AllowHeaders, ExposeHeaders []string
		MaxAge                                                  int
		AllowCredentials                                        bool
	}
	Throttling *struct {
		Default limits
		Routes  map[string]limits
	}
	Auth                     *auth
	Token                    *token `json:",omitempty"`
	ControlPlane             json.RawMessage
	Permission               *bool
	ReservedConcurrency      *int
	FunctionTimeoutSeconds   int
	IntegrationTimeoutMillis int
}

// behaviour is what a function does with an event.
type behaviour struct {
	Kind, Payload, ErrorMessage string
	MS, Code                    int
}

type auth struct {
	Type, Issuer          string
	Audience              []string
	IdentitySource        []string
	PayloadFormatVersion  string
	EnableSimpleResponses bool
	TTL                   int
	Routes                []string
	AuthorizationScopes   []string
	Function              *behaviour
}

type token struct {
	Header, Claims map[string]any
	SignWith       string
}

type limits struct {
	Rate  float64
	Burst int
}

type exchange struct {
	Method, Path string
	Headers      [][2]string
	Body         string
	BodyBase64   string
	Generate     *struct {
		Bytes int
		Char  string
	}
}

type expectation struct {
	Status                 int
	StatusIn               []int
	Statuses               []int
	Headers                map[string]any
	HeaderValues           map[string][]string
	HeadersAbsent          []string
	Body                   *string
	BodyNotContains        string
	Event, AuthorizerEvent map[string]any
	Invoked                *bool
	AuthorizerInvoked      *bool
	AuthorizerInvocations  *int
	Last                   *expectation
	ErrorCode              string
	MessageContains        string
}

func load(t *testing.T) []vector {
	t.Helper()
	var out []vector
	for _, name := range []string{"testdata/http-api.json", "testdata/additional.json"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Vectors []vector }
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, file.Vectors...)
	}
	return out
}

var repeat = regexp.MustCompile(`\$\{repeat:(.):(\d+)\}`)

// answer is what came back for one exchange.
type answer struct {
	resp *http.Response
	body []byte
}

func (a answer) requestID() string { return a.resp.Header.Get("Apigw-Requestid") }

// send writes a request byte for byte as the vector has it.
func send(t *testing.T, addr, token string, e exchange) answer {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := []byte(e.Body)
	if e.BodyBase64 != "" {
		if body, err = base64.StdEncoding.DecodeString(e.BodyBase64); err != nil {
			t.Fatal(err)
		}
	}
	if e.Generate != nil {
		body = bytes.Repeat([]byte(e.Generate.Char), e.Generate.Bytes)
	}
	fill := func(s string) string {
		return repeat.ReplaceAllStringFunc(strings.ReplaceAll(s, "${TOKEN}", token), func(s string) string {
			m := repeat.FindStringSubmatch(s)
			n, err := strconv.Atoi(m[2])
			if err != nil {
				t.Fatal(err)
			}
			return strings.Repeat(m[1], n)
		})
	}
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\n", e.Method, fill(e.Path))
	for _, h := range e.Headers {
		fmt.Fprintf(&head, "%s: %s\r\n", h[0], fill(h[1]))
	}
	if len(body) > 0 || e.Method == "POST" {
		fmt.Fprintf(&head, "content-length: %d\r\n", len(body))
	}
	head.WriteString("\r\n")
	// A gateway that refuses a large body closes before it has read it.
	_, writing := conn.Write(append([]byte(head.String()), body...))
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: e.Method})
	if err != nil {
		t.Fatal(err, writing)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp, got}
}

// problems collects what differs from AWS.
type problems []string

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// response compares an answer with what is expected of it.
func (p *problems) response(x expectation, a answer) {
	if x.Status != 0 && a.resp.StatusCode != x.Status ||
		len(x.StatusIn) > 0 && !slices.Contains(x.StatusIn, a.resp.StatusCode) {
		p.add("status %d, want %d%v: %.200s", a.resp.StatusCode, x.Status, x.StatusIn, a.body)
	}
	if x.Body != nil && string(a.body) != *x.Body {
		p.add("body %.200q, want %.200q", a.body, *x.Body)
	}
	if x.BodyNotContains != "" && bytes.Contains(a.body, []byte(x.BodyNotContains)) {
		p.add("the body holds %q", x.BodyNotContains)
	}
	for name, want := range x.Headers {
		if got := strings.Join(a.resp.Header.Values(name), ","); !matches(got, want) {
			p.add("header %s is %q, want %v", name, got, want)
		}
	}
	for name, want := range x.HeaderValues {
		if got := a.resp.Header.Values(name); !slices.Equal(got, want) {
			p.add("header %s has the lines %q, want %q", name, got, want)
		}
	}
	for _, name := range x.HeadersAbsent {
		if _, ok := a.resp.Header[http.CanonicalHeaderKey(name)]; ok {
			p.add("header %s is there", name)
		}
	}
}

// event compares an event by dotted paths.
func (p *problems) event(what string, data []byte, want map[string]any) {
	if len(want) == 0 {
		return
	}
	var event any
	if err := json.Unmarshal(data, &event); err != nil {
		p.add("%s was not invoked", what)
		return
	}
	for path, want := range want {
		got, ok := lookUp(event, path)
		if m, isMap := want.(map[string]any); isMap && m["$absent"] == true {
			if ok {
				p.add("%s: %s is %v, want it absent", what, path, got)
			}
		} else if !ok || !matches(got, want) {
			p.add("%s: %s is %#v, want %#v", what, path, got, want)
		}
	}
}

func lookUp(v any, path string) (any, bool) {
	for path != "" {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if e, ok := m[path]; ok {
			return e, true
		}
		first, rest, _ := strings.Cut(path, ".")
		if v, ok = m[first]; !ok {
			return nil, false
		}
		path = rest
	}
	return v, true
}

func matches(got, want any) bool {
	m, ok := want.(map[string]any)
	if !ok {
		return reflect.DeepEqual(got, want)
	}
	if re, ok := m["$regex"].(string); ok {
		return regexp.MustCompile(re).MatchString(fmt.Sprint(got))
	}
	if keys, ok := m["$keys"].([]any); ok {
		have, isMap := got.(map[string]any)
		if !isMap || len(have) != len(keys) {
			return false
		}
		return !slices.ContainsFunc(keys, func(k any) bool { _, there := have[fmt.Sprint(k)]; return !there })
	}
	if tokens, ok := m["$containsTokens"].([]any); ok {
		have := strings.FieldsFunc(
			strings.ToLower(fmt.Sprint(got)),
			func(r rune) bool { return r == ',' || r == ' ' },
		)
		return !slices.ContainsFunc(
			tokens,
			func(t any) bool { return !slices.Contains(have, strings.ToLower(fmt.Sprint(t))) },
		)
	}
	return reflect.DeepEqual(got, want)
}
