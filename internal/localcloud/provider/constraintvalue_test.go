package provider

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const functionARN = "arn:aws:lambda:us-east-1:000000000000:function:f"

// TestConstraintIsExact checks values at the edge of each kind of constraint.
func TestConstraintIsExact(t *testing.T) {
	t.Parallel()
	cases := []struct {
		token, property string
		in              values
		want            string // of the refusal; "" if there is none
	}{
		{roleType, "name", values{"name": longName(64)}, ""},
		{roleType, "name", values{"name": longName(65)}, "a role's name has 1 to 64"},
		{functionType, "description", values{"description": longName(256)}, ""},
		{
			functionType,
			"description",
			values{"description": longName(257)},
			"at most 256 characters, not 257",
		},
		{functionType, "memorySize", values{"memorySize": 10240.0}, ""},
		{functionType, "memorySize", values{"memorySize": 10241.0}, "from 128 to 10240; got 10241"},
		{functionType, "reservedConcurrentExecutions", values{"reservedConcurrentExecutions": -1.0}, ""},
		{
			functionType,
			"reservedConcurrentExecutions",
			values{"reservedConcurrentExecutions": -2.0},
			"from 0 to",
		},
		{functionType, "kmsKeyArn", values{"kmsKeyArn": "key"}, "must match the regular expression"},
		{functionType, "kmsKeyArn", values{"kmsKeyArn": ""}, ""},
		{alarmType, "unit", values{"unit": "Bytes/Second"}, ""},
		{alarmType, "unit", values{"unit": "Bytes per second"}, "must be one of"},
		{aliasType, "name", values{"name": "7up"}, ""},
		{aliasType, "name", values{"name": "77"}, "is not a number"},
		{certificateType, "domainName", values{"domainName": "-a.example.com"}, "domainName"},
		{certificateType, "domainName", values{"domainName": "*.a-b.example.com"}, ""},
		{permissionType, "function", values{"function": functionARN + ":live"}, ""},
		{permissionType, "function", values{"function": "a function"}, "must match the regular expression"},
		{
			roleType,
			"tags",
			values{"tags": map[string]any{"team": "a*b"}},
			`the value of "team": it must match`,
		},
		{zoneType, "tags", values{"tags": manyTags(11)}, "must have 1 to 10 elements, not 11"},
		{poolDomainType, "domain", values{"domain": "auth.example.com"}, ""},
	}
	server, _ := server(t)
	for _, c := range cases {
		typ := server.p.types[c.token]
		_, failures := typ.check(server.p, nil, c.in, autonaming{resource: "x", random: "0123456789ab"})
		i := slices.IndexFunc(failures, func(f Failure) bool { return f.Property == c.property })
		switch {
		case c.want == "" && i >= 0:
			t.Errorf("%s: %s is refused: %s", c.token, text(c.in), failures[i].Reason)
		case c.want != "" && (i < 0 || !strings.Contains(failures[i].Reason, c.want)):
			t.Errorf("%s: %s gives %v, want %q", c.token, text(c.in), failures, c.want)
		}
	}
}

func longName(n int) string { return strings.Repeat("a", n) }

func manyTags(n int) map[string]any {
	return manyKeys(n, func(m map[string]any, i int) { m[fmt.Sprint("key", i)] = "value" })
}
