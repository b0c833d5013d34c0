package openapi

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"items-api/internal/api"
)

var update = flag.Bool("update", false, "write the document")

func TestDocumentIsMadeFromTheDeclaration(t *testing.T) {
	want, err := Document()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("../openapi.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(api.OpenAPI, want) {
		t.Error("internal/api/openapi.json is out of date: run go generate ./internal/api")
	}
}

func TestDocumentHoldsEveryRouteAndConstraint(t *testing.T) {
	t.Parallel()
	text := string(api.OpenAPI)
	for _, r := range api.Routes() {
		if !strings.Contains(text, `"`+r.Path+`"`) ||
			!strings.Contains(text, `"operationId": "`+string(r.Operation)+`"`) {
			t.Errorf("the route %s is missing", r.Key())
		}
	}
	for _, c := range []string{`"maxLength": 256`, `"maxItems": 100`, `"application/problem+json"`, `"openapi": "3.1.0"`} {
		if !strings.Contains(text, c) {
			t.Errorf("%s is missing", c)
		}
	}
}
