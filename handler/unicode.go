package main

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// An event is JSON, in which bytes that are not UTF-8 and halves of surrogate
// pairs have no place. Whoever writes or reads it puts U+FFFD there, so that
// different texts become one.

// replaced reports whether something in a body that came as text was replaced
// by U+FFFD on the way: then it is longer than what the client sent. A U+FFFD of
// the client's own is left alone.
func replaced(r request) bool {
	sent, err := strconv.Atoi(r.Headers["content-length"])
	return err == nil && !r.IsBase64Encoded && sent != len(r.Body) &&
		strings.ContainsRune(r.Body, utf8.RuneError)
}

// unicode reports whether a name of somebody is what its issuer wrote. Nothing
// tells where a U+FFFD in it comes from, and two names must not be one.
func unicode(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsRune(name, utf8.RuneError)
}
