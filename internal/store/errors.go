package store

import (
	"errors"
	"io"
	"net"
	"strings"

	"items-api/internal/api"
)

func networkError(err error) bool {
	var n net.Error
	return errors.As(err, &n) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func bytesOf(s string) io.Reader { return strings.NewReader(s) }

// notFound is the answer for an item that does not exist, and for one that
// another owner has.
func notFound() error { return &api.Error{Code: api.NotFound} }
