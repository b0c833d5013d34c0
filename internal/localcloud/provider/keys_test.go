package provider

import (
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

func TestKeysOfTablesAndLogGroupsAreTested(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	key := func(name string, in map[string]any) string {
		_, out, _ := create(t, s, keyType, name, props(in))
		return out.str("arn")
	}
	good := key("k", map[string]any{"policy": serviceKey("logs.us-east-1.amazonaws.com", logsCondition("g"))})
	disabled := key("d", map[string]any{
		"isEnabled": false,
		"policy":    serviceKey("logs.us-east-1.amazonaws.com", ""),
	})
	create(t, s, keyAliasType, "a", props(map[string]any{"name": "alias/good", "targetKeyId": good}))
	for _, c := range []struct{ key, log, table string }{
		{"", "", ""},
		{good, "", ""},
		{"arn:aws:kms:us-east-1:000000000000:alias/good", "", ""},
		{"arn:aws:kms:us-east-1:111111111111:key/x", "", ""},
		{"arn:aws:kms:us-east-1:000000000000:key/x", "does not exist or is not allowed", "NotFoundException: Key 'arn:aws:kms:us-east-1:000000000000:key/x' does not exist"},
		{disabled, "is disabled", "is disabled"},
	} {
		match := func(what string, err error, want string) {
			if want == "" && err != nil ||
				want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("the key %s of a %s gave %v, want %q", c.key, what, err, want)
			}
		}
		match("log group", s.p.logKey(values{"name": "g", "kmsKeyId": c.key}), c.log)
		match("table", s.p.tableKey(values{"serverSideEncryption": map[string]any{
			"enabled":   true,
			"kmsKeyArn": c.key,
		}}), c.table)
	}
	if err := s.p.logKey(values{"name": "h", "kmsKeyId": good}); err == nil {
		t.Error("a key for one log group is given to another")
	}
	in := map[string]any{
		"name":                 "items",
		"hashKey":              "PK",
		"attributes":           []any{map[string]any{"name": "PK", "type": "S"}},
		"billingMode":          "PAY_PER_REQUEST",
		"serverSideEncryption": map[string]any{"enabled": true, "kmsKeyArn": disabled},
	}
	if got := refusal(t, s, tableType, in); !strings.Contains(got, "serverSideEncryption.kmsKeyArn") {
		t.Errorf("a table with a disabled key gave %q", got)
	}
	// An update is tested too.
	id, out, inputs := create(t, s, logGroupType, "x", props(map[string]any{"name": "g", "kmsKeyId": good}))
	news := checked(t, s, logGroupType, "x", inputs, props(map[string]any{"name": "g", "kmsKeyId": disabled}))
	if _, err := s.Update(t.Context(), &pulumirpc.UpdateRequest{
		Urn:  urn(logGroupType, "x"),
		Id:   id,
		Olds: encode(t, toPulumi(out)),
		News: news,
	}); err == nil {
		t.Error("a log group was given a disabled key")
	}
}
