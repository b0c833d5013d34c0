package components

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"items-api/internal/api"
)

const (
	keyToken   = "aws:kms/key:Key"
	aliasToken = "aws:kms/alias:Alias"
	tableToken = "aws:dynamodb/table:Table"
	logToken   = "aws:cloudwatch/logGroup:LogGroup"
)

func withKey(mode api.AuthMode) *RestAPIArgs {
	a := withAuth(modes[mode])
	a.Encryption.CustomerKey = true
	return a
}

func TestTableAndLogsAreEncryptedWithTheStacksKey(t *testing.T) {
	t.Parallel()
	both(t, withKey(api.AuthLambda), func(t *testing.T, r *recorder) {
		key, alias := r.one(t, keyToken), r.one(t, aliasToken)
		if !at(key, "enableKeyRotation").BoolValue() || at(key, "deletionWindowInDays").NumberValue() != 30 ||
			at(alias, "name").StringValue() != "alias/items-api-test-items" {
			t.Errorf("got %v and %v", key, alias)
		}
		if !r.named(t, keyToken, "items").RegisterRPC.GetRetainOnDelete() {
			t.Error("the key goes when it is switched off, and with it all backups")
		}
		if !at(r.one(t, tableToken), "serverSideEncryption", "enabled").BoolValue() {
			t.Error("the table is encrypted with another key")
		}
		if n := len(r.all(logToken)); n != 3 {
			t.Errorf("there are %d log groups", n)
		}
		for _, m := range r.made {
			if (m.TypeToken == tableToken || m.TypeToken == logToken) && !after(m, keyToken, "items") {
				t.Errorf("%s %s does not depend on the key", m.TypeToken, m.Name)
			}
		}
		if r.unknown {
			return
		}
		const arn = "arn:aws:x:us-east-1:000000000000:items"
		if got := at(r.one(t, tableToken), "serverSideEncryption", "kmsKeyArn"); got.StringValue() != arn {
			t.Errorf("the table has the key %v", got)
		}
		for _, g := range r.all(logToken) {
			if got := at(g, "kmsKeyId"); !got.IsString() || got.StringValue() != arn {
				t.Errorf("a log group has the key %v", got)
			}
		}
	})
}

func TestKeyPolicyGrantsWhatIsNeededAndNoMore(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:x:us-east-1:000000000000:items"
	for mode, roles := range map[api.AuthMode][]string{
		api.AuthNone:   {role},
		api.AuthLambda: {role, role + "-authorizer"},
	} {
		want := wanted(t, `{"Version":"2012-10-17","Statement":[
			{"Sid":"Account","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root"]},"Action":["kms:*"],"Resource":["*"]},
			{"Sid":"Functions","Effect":"Allow","Principal":{"AWS":`+quoted(roles)+`},"Action":["kms:Decrypt"],"Resource":["*"],
				"Condition":{"StringEquals":{"kms:ViaService":["dynamodb.eu-west-1.amazonaws.com"]}}},
			{"Sid":"Logs","Effect":"Allow","Principal":{"Service":"logs.eu-west-1.amazonaws.com"},"Resource":["*"],
				"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:Describe*"],
				"Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":[
					"arn:aws:logs:eu-west-1:111122223333:log-group:items-*",
					"arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vendedlogs/items-*"]}}}]}`)
		if diff := cmp.Diff(
			want,
			document(t, at(compose(t, false, withKey(mode)).one(t, keyToken), "policy")),
		); diff != "" {
			t.Errorf("%s (-want +got):\n%s", mode, diff)
		}
	}
}

func TestUnprotectedStackDeletesItsKey(t *testing.T) {
	t.Parallel()
	a := withKey(api.AuthNone)
	a.DeletionProtection = false
	if compose(t, false, a).named(t, keyToken, "items").RegisterRPC.GetRetainOnDelete() {
		t.Error("the key stays")
	}
}

// Enabled and without a key the AWS provider keeps the key that the table has,
// even one that is deleted.
func TestWithoutKeyTheTableNamesNone(t *testing.T) {
	t.Parallel()
	both(t, withAuth(modes[api.AuthLambda]), func(t *testing.T, r *recorder) {
		if n := len(r.all(keyToken)) + len(r.all(aliasToken)); n > 0 || r.lookups > 0 {
			t.Errorf("%d keys and aliases were registered, and %d things looked up", n, r.lookups)
		}
		sse := at(r.one(t, tableToken), "serverSideEncryption")
		if enabled := at(
			sse.ObjectValue(),
			"enabled",
		); !enabled.IsBool() || enabled.BoolValue() ||
			!at(sse.ObjectValue(), "kmsKeyArn").IsNull() {
			t.Errorf("the table is encrypted by %v", sse)
		}
		for _, g := range r.all(logToken) {
			if v := at(g, "kmsKeyId"); !v.IsNull() {
				t.Errorf("a log group has the key %v", v)
			}
		}
	})
}
