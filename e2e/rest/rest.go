// Package rest sends requests of black-box tests, and reads their answers.
package rest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Answer is a response with its body.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Send sends a request. The body is JSON as it stands if it is a string, or
// else what is encoded as JSON; nil for none. Headers are given as name and
// value in turn; Host is what the request is for, wherever it is sent.
func Send(t testing.TB, method, url string, body any, headers ...string) Answer {
	t.Helper()
	var in io.Reader
	text := ""
	if body != nil {
		var ok bool
		text, ok = body.(string)
		if !ok {
			data, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			text = string(data)
		}
		in = strings.NewReader(text)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, in)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	r.Host = r.Header.Get("Host") // the URL's if empty
	r.Header.Del("Host")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	a := Answer{Status: resp.StatusCode, Header: resp.Header}
	if a.Body, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	note(t, r, text, a)
	return a
}

// Want ends the test unless the answer has a status.
func (a Answer) Want(t testing.TB, status int) Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("got status %d, want %d: %s", a.Status, status, a.Body)
	}
	return a
}

// Decode reads the body strictly: a member that the type does not have ends the
// test.
func Decode[T any](t testing.TB, a Answer) T {
	t.Helper()
	var out T
	d := json.NewDecoder(strings.NewReader(string(a.Body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("%v in %s", err, a.Body)
	}
	return out
}
