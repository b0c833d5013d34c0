package localcloud

import (
	"strings"
	"testing"

	"items-api/internal/localcloud/provider"
)

func TestPortIsGivenToOneAPIAndTakenFromNone(t *testing.T) {
	t.Parallel()
	at := func(id, stack string, port int) provider.Address {
		return provider.Address{
			ID:   id,
			URN:  "urn:pulumi:" + stack + "::p::aws:apigatewayv2/api:Api::a",
			Port: port,
		}
	}
	apis := []provider.Address{
		at("local", "local", 8080),
		at("b1", "b", 8081),
		at("b2", "b", 8082),
		at("bb", "bb", 8083),
	}
	for name, c := range map[string]struct {
		stack, want, refused string
		port                 int
	}{
		"its own":                  {"b", "", "", 8081},
		"that of its second API":   {"b", "", "", 8082},
		"a free one":               {"b", "b1", "", 9000},
		"for a stack without APIs": {"c", "", "", 9000},
		"another stack's":          {"b", "", "stack local:", 8080},
		"one of a longer name":     {"b", "", "stack bb:", 8083},
		"another's, without APIs":  {"c", "", "stack b:", 8081},
	} {
		got, err := toMove(apis, "urn:pulumi:"+c.stack+"::", c.port)
		if c.refused == "" && (err != nil || got != c.want) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		if c.refused != "" &&
			(err == nil || !strings.Contains(err.Error(), c.refused) || !strings.Contains(err.Error(), "--port")) {
			t.Errorf("%s: %v does not say %q", name, err, c.refused)
		}
	}
}
