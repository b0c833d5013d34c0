package api

import _ "embed"

// OpenAPI is the OpenAPI 3.1 document of the API. It is made from the
// declaration by `go generate ./internal/api`; a test keeps it true.
//
//go:generate go test ./openapi -run TestDocumentIsMadeFromTheDeclaration -update
//go:embed openapi.json
var OpenAPI []byte

// DocumentServer is the server in the document: the root of the host that the
// document comes from. Where a stage or a base path precedes the routes, the
// handler replaces it.
const DocumentServer = "/"
