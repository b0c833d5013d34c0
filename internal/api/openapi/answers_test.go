package openapi

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"items-api/internal/api"
)

func described(t *testing.T) document {
	t.Helper()
	var doc document
	if err := json.Unmarshal(api.OpenAPI, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestLimitIsAnIntegerAndListsAreNotNull(t *testing.T) {
	t.Parallel()
	doc := described(t)
	i := slices.IndexFunc(
		doc.Paths["/items"]["get"].Parameters,
		func(p parameter) bool { return p.Name == "limit" },
	)
	if i < 0 {
		t.Fatal("there is no limit")
	}
	limit := doc.Paths["/items"]["get"].Parameters[i].Schema
	if limit.Type != "integer" || limit.Minimum != "1" || limit.Maximum != "100" || limit.Default != 20.0 {
		t.Errorf("limit is %+v", limit)
	}
	for name, s := range doc.Components.Schemas {
		for member, p := range s.Properties {
			if types, several := p.Type.([]any); several && slices.Contains(types, any("null")) {
				t.Errorf("%s.%s may be null", name, member)
			}
		}
	}
	for _, list := range []struct{ schema, member string }{
		{"ItemList", "items"},
		{"BatchGetResponse", "items"},
		{"BatchGetResponse", "missing"},
		{"BatchWriteResponse", "results"},
	} {
		s := doc.Components.Schemas[list.schema]
		if s.Properties[list.member].Type != "array" || !slices.Contains(s.Required, list.member) {
			t.Errorf("%s.%s is %+v", list.schema, list.member, s.Properties[list.member])
		}
	}
}

func TestServersAndSecurityAreDescribed(t *testing.T) {
	t.Parallel()
	doc := described(t)
	if len(doc.Servers) != 1 || doc.Servers[0].URL != api.DocumentServer {
		t.Errorf("the servers are %+v", doc.Servers)
	}
	if n := strings.Count(string(api.OpenAPI), `"url": "`+api.DocumentServer+`"`); n != 1 {
		t.Errorf("the server's address appears %d times, so that the handler cannot replace it", n)
	}
	for _, r := range api.Routes() {
		op := doc.Paths[r.Path][strings.ToLower(r.Method)]
		if op.Security == nil || r.Public != (len(op.Security) == 0) {
			t.Errorf("%s has the security %v", r.Key(), op.Security)
		}
	}
}

// Whoever made an answer, its body is described: the handler's problems and the
// gateway's messages.
func TestEveryErrorHasItsBodies(t *testing.T) {
	t.Parallel()
	doc := described(t)
	for _, r := range api.Routes() {
		op := doc.Paths[r.Path][strings.ToLower(r.Method)]
		gateway := []string{"404", "413", "429", "500", "503"}
		if !r.Public {
			gateway = append(gateway, "401", "403")
		}
		for _, status := range gateway {
			if _, ok := op.Responses[status].Content[jsonType]; !ok {
				t.Errorf("%s: the gateway's %s has no body", r.Key(), status)
			}
		}
		handler := []string{"500", "503"}
		if !r.Public {
			handler = append(handler, "401")
		}
		for _, c := range r.Errors {
			handler = append(handler, strconv.Itoa(c.Status()))
		}
		for _, status := range handler {
			if op.Responses[status].Content[problemType].Schema.Ref != "#/components/schemas/Problem" {
				t.Errorf("%s: the handler's %s has no body: %+v", r.Key(), status, op.Responses[status])
			}
		}
		for _, status := range []string{"500", "503"} {
			if !strings.Contains(op.Responses[status].Description, "perhaps done") {
				t.Errorf("%s: %s does not say that a write was perhaps done", r.Key(), status)
			}
		}
	}
}

func TestEveryPathParameterIsDescribed(t *testing.T) {
	t.Parallel()
	type place struct {
		Shop string `json:"shop" required:"true" pattern:"^[a-z]+$" description:"The shop."`
		Row  int    `json:"row"  required:"true"                                            minimum:"1"`
	}
	doc, err := describe([]api.Route{{
		Method:         "GET",
		Path:           "/shops/{shop}/rows/{row}",
		PathParameters: place{},
		Status:         200,
	}})
	if err != nil {
		t.Fatal(err)
	}
	got := doc.Paths["/shops/{shop}/rows/{row}"]["get"].Parameters
	if len(got) != 2 || got[0].Name != "shop" || got[0].In != "path" || !got[0].Required ||
		got[0].Schema.Pattern != "^[a-z]+$" || got[1].Name != "row" || got[1].Schema.Minimum != "1" {
		t.Errorf("got %+v", got)
	}
	if _, err := describe([]api.Route{{Method: "GET", Path: "/shops/{proxy+}", Status: 200}}); err == nil {
		t.Error("a greedy parameter was described")
	}
}
