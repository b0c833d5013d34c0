package store

import (
	"fmt"

	"items-api/internal/api"
)

func wrap(doing string, err error) error { return fmt.Errorf("%s: %w", doing, err) }

// notFound is the answer for an item that does not exist, and for one that
// another owner has.
func notFound() error { return &api.Error{Code: api.NotFound} }

// refused says why a conditional write was not applied.
func refused(current attributes) error {
	if current == nil {
		return notFound()
	}
	v := intOf(current, attrVersion)
	return &api.Error{
		Code:           api.PreconditionFailed,
		CurrentVersion: v,
		Detail:         fmt.Sprintf("The item has version %d.", v),
	}
}
