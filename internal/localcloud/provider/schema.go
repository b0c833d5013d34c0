package provider

import (
	"context"
	_ "embed"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// schemaText is the part of the aws package's schema that the supported types
// need, as `pulumi import` reads it to write code. A test makes it from
// Pulumi's SDK.
//
//go:embed schema.json
var schemaText string

// GetSchema describes the supported types.
func (s *Server) GetSchema(
	context.Context,
	*pulumirpc.GetSchemaRequest,
) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: schemaText}, nil
}
