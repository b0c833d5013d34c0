package plugin

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
)

// bytesCodec passes messages on as they are, without knowing what they say. It
// has the name of the real one, which is part of the protocol.
type bytesCodec struct{}

var _ encoding.CodecV2 = bytesCodec{}

// Name returns the name of the encoding of the messages.
func (bytesCodec) Name() string { return "proto" }

// Marshal returns the bytes that v points to.
func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("a %T is not a message to pass on", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(*b)}, nil
}

// Unmarshal copies a message to the bytes that v points to.
func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("a %T does not take a message to pass on", v)
	}
	*b = data.Materialize()
	return nil
}
