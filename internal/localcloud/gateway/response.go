package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// reply is what the client gets.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    string // of the integration, for logs
	result Result
	// called: the function was invoked; answered: this is its own answer.
	called, answered bool
}

// message is an answer that the gateway makes itself.
func message(status int, text, cause string) reply {
	return reply{
		status: status,
		body:   []byte(`{"message":"` + text + `"}`),
		err:    cause,
		header: http.Header{"Content-Type": {"application/json"}},
	}
}

func internalError(cause string) reply {
	return message(http.StatusInternalServerError, "Internal Server Error", cause)
}

// respond maps what a function returned, by the rules of payload format 2.0: an
// object with statusCode describes the response, anything else is the body of
// a 200. Source: API Gateway developer guide, and responses recorded from AWS.
func respond(payload []byte) reply {
	var fields map[string]json.RawMessage
	if json.Unmarshal(payload, &fields) != nil || fields["statusCode"] == nil {
		return inferred(payload)
	}
	return described(fields)
}

// described maps an object that has a statusCode.
func described(fields map[string]json.RawMessage) reply {
	status, err := statusCode(fields["statusCode"])
	if err != nil {
		return internalError("the function's response is malformed: " + err.Error())
	}
	var (
		headers map[string]any
		body    string
		cookies []string
		encoded bool
	)
	// Member by member, since names count letter by letter.
	for name, to := range map[string]any{
		"headers":         &headers,
		"body":            &body,
		"cookies":         &cookies,
		"isBase64Encoded": &encoded,
	} {
		if err := decodeMember(fields, name, to); err != nil {
			return internalError("the function's response is malformed: " + err.Error())
		}
	}
	out := reply{
		status: status,
		header: http.Header{},
		body:   []byte(body),
	}
	for _, c := range cookies {
		out.header.Add("Set-Cookie", c)
	}
	out.header.Set("Content-Type", "text/plain; charset=utf-8")
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if text, ok := scalar(headers[name]); ok {
			out.setHeader(name, text)
		}
	}
	if encoded {
		if out.body, err = base64.StdEncoding.DecodeString(string(out.body)); err != nil {
			return internalError("the function's response is malformed: the body is no base64")
		}
	}
	return out
}

// setHeader adds a line of a header. There is one Content-Type only.
func (p reply) setHeader(name, text string) {
	if strings.EqualFold(name, "content-type") {
		p.header.Set(name, text)
		return
	}
	p.header.Add(name, text)
}

func inferred(payload []byte) reply {
	out := reply{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {"application/json"}},
		body:   payload,
	}
	var text string
	if trimmed := bytes.TrimSpace(
		payload,
	); len(trimmed) > 0 && trimmed[0] == '"' &&
		json.Unmarshal(trimmed, &text) == nil {
		out.body = []byte(text)
	}
	return out
}

func statusCode(raw json.RawMessage) (int, error) {
	var n float64
	var text string
	if json.Unmarshal(raw, &text) == nil {
		// A numeric text is accepted by AWS's own emulators; there is no
		// recording from AWS.
		v, err := strconv.Atoi(text)
		if err != nil {
			return 0, errors.New("statusCode is no number")
		}
		n = float64(v)
	} else if err := json.Unmarshal(raw, &n); err != nil {
		return 0, errors.New("statusCode is no number")
	}
	// An informational status cannot end a request; what AWS makes of one is
	// not established.
	if n != math.Trunc(n) || n < 200 || n > 599 {
		return 0, errors.New("statusCode is not a whole number from 200 to 599")
	}
	return int(n), nil
}

func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}

// dropped are headers that the gateway sets itself.
var dropped = []string{"connection", "content-length", "transfer-encoding", "apigw-requestid", "date"}

// write sends the reply.
func (p reply) write(w http.ResponseWriter, method, id string) {
	h := w.Header()
	for name, lines := range p.header {
		if slices.Contains(dropped, strings.ToLower(name)) {
			continue
		}
		for _, line := range lines {
			h.Add(name, line)
		}
	}
	h.Set("Apigw-Requestid", id)
	h.Set("Connection", "keep-alive")
	if p.status >= 200 && p.status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(p.body)))
	}
	w.WriteHeader(p.status)
	if method != http.MethodHead && p.status != http.StatusNoContent && p.status != http.StatusNotModified {
		// A client that is gone does not want it.
		_, _ = w.Write(p.body)
	}
}
