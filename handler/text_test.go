package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"items-api/internal/api"
)

// arriving is a request as the function gets it: the gateway writes an event as
// JSON, in which there is no place for bytes that are not UTF-8.
func arriving(t *testing.T, r request) request {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var out request
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// sent is a request with a body of the client's, and its length.
func sent(route, body string) request {
	r := post(route, body)
	r.Headers["content-length"] = fmt.Sprint(len(body))
	return r
}

func TestTextThatIsNotUnicodeIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, field string }{
		"byte in a value":          {"{\"name\":\"\xff\"}", ""},
		"byte in a name":           {"{\"name\":\"x\",\"attributes\":{\"\xfe\":1}}", ""},
		"surrogate as bytes":       {"{\"name\":\"\xed\xa0\x80\"}", ""},
		"overlong slash":           {"{\"name\":\"\xc0\xaf\"}", ""},
		"high surrogate":           {`{"name":"\ud800"}`, "/name"},
		"low surrogate":            {`{"name":"\udc00"}`, "/name"},
		"two high surrogates":      {`{"name":"\ud83d\ud83d"}`, "/name"},
		"high surrogate and text":  {`{"name":"\uD83Dx"}`, "/name"},
		"surrogate after a slash":  {`{"name":"\\\ud800"}`, "/name"},
		"surrogate in a member":    {`{"name":"x","attributes":{"a":["\ud800"]}}`, "/attributes/a/0"},
		"surrogate in a name":      {`{"name":"x","attributes":{"\ud800":1}}`, "/attributes"},
		"surrogates as two names":  {`{"name":"x","attributes":{"\ud800":1,"\ud801":2}}`, "/attributes"},
		"surrogate in an own name": {`{"name":"x","\udfff":1}`, ""},
	} {
		for _, route := range []string{"POST /items", "PUT /items/{id}"} {
			f := &fake{}
			out := handle(t, f, arriving(t, sent(route, c.body)))
			var p api.Problem
			if err := json.Unmarshal(
				[]byte(out.Body),
				&p,
			); err != nil || out.StatusCode != 400 ||
				f.calls > 0 {
				t.Errorf("%s: got %d %s after %d calls, %v", name, out.StatusCode, out.Body, f.calls, err)
				continue
			}
			if p.Code != api.InvalidBody || len(p.Errors) == 0 || p.Errors[0].Field != c.field {
				t.Errorf("%s: got %+v, want the field %q", name, p.Errors, c.field)
			}
		}
	}
}

func TestTextThatIsUnicodeIsAccepted(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"pair":                           `{"name":"\ud83d\ude00"}`,
		"escaped slash before u":         `{"name":"\\ud800"}`,
		"replacement character":          `{"name":"` + string(utf8.RuneError) + `"}`,
		"escaped replacement character":  `{"name":"\ufffd"}`,
		"noncharacter":                   `{"name":"\uffff"}`,
		"four bytes":                     `{"name":"😀"}`,
		"zero":                           `{"name":"\u0000"}`,
		"replacement in a name of a map": `{"name":"x","attributes":{"` + string(utf8.RuneError) + `":1}}`,
	} {
		if out := handle(t, &fake{}, arriving(t, sent("POST /items", body))); out.StatusCode != 201 {
			t.Errorf("%s: got %d %s", name, out.StatusCode, out.Body)
		}
	}
}

// A decoder before the handler has put U+FFFD in the place of what is not
// Unicode, so that two subjects would be one owner.
func TestSubjectsThatAreNotUnicodeAreRefused(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"alice\xff", "\xed\xa0\x80", "alice" + string(utf8.RuneError)} {
		for mode, authorizer := range map[api.AuthMode]*events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
			api.AuthJWT: {
				JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{
					Claims: map[string]string{"sub": who},
				},
			},
			api.AuthLambda: {
				Lambda: map[string]any{api.ContextOwner: who},
			},
		} {
			f := &fake{}
			h, err := NewHandler(f, mode, slog.New(slog.NewJSONHandler(io.Discard, nil)))
			if err != nil {
				t.Fatal(err)
			}
			r := request{RouteKey: "GET /items/{id}", PathParameters: map[string]string{"id": id}}
			r.RequestContext.Authorizer = authorizer
			for label, r := range map[string]request{"as sent": r, "as it arrives": arriving(t, r)} {
				out, err := h.Handle(t.Context(), r)
				if err != nil || out.StatusCode != 401 || f.calls > 0 ||
					!strings.Contains(out.Body, "Unicode") {
					t.Errorf("%s, %q, %s: got %d %s, %v", mode, who, label, out.StatusCode, out.Body, err)
				}
			}
		}
	}
}

func TestIdempotencyKeysThatAreNotUnicodeAreRefused(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"\xff", "k\xed\xa0\x80", string(utf8.RuneError), "\u00e4"} {
		f := &fake{}
		r := with(post("POST /items", `{"name":"x"}`), "idempotency-key", key)
		for _, r := range []request{r, arriving(t, r)} {
			if out := handle(t, f, r); out.StatusCode != 400 || f.calls > 0 {
				t.Errorf("%q: got %d %s", key, out.StatusCode, out.Body)
			}
		}
	}
}

// What the document says of a header is what the handler enforces.
func TestHeadersAreRefusedByTheirDeclaredPatterns(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, r := range api.Routes() {
		for _, h := range r.RequestHeaders {
			if h.Pattern == "" {
				continue
			}
			tried++
			declared := regexp.MustCompile(h.Pattern)
			longest := strings.Repeat("k", 255)
			for _, value := range []string{"", " ", "a", "~", "\x7f", "\t", "\u00e4", longest, longest + "k"} {
				out := handle(t, &fake{}, with(post(r.Key(), `{"name":"x"}`), strings.ToLower(h.Name), value))
				if accepted := out.StatusCode < 400; accepted != declared.MatchString(value) {
					t.Errorf(
						"%s: %s %q gave %d, and its pattern is %s",
						r.Key(),
						h.Name,
						value,
						out.StatusCode,
						h.Pattern,
					)
				}
			}
		}
	}
	if tried == 0 {
		t.Error("no header has a pattern")
	}
}
