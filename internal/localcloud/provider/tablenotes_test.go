package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

func TestRecordsOfTablesAreAskedAndChangedAtTheGate(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	in := map[string]any{
		"name":                "noted",
		"hashKey":             "PK",
		"attributes":          []any{map[string]any{"name": "PK", "type": "S"}},
		"billingMode":         "PAY_PER_REQUEST",
		"tags":                map[string]any{"a": "1", "b": "2"},
		"pointInTimeRecovery": map[string]any{"enabled": true},
	}
	rec := tableRecord(s.p, in)
	rec.Type, rec.Key = tableType, rec.ID
	s.p.noteRecovery(&rec)
	if err := s.p.Store.Put(rec); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.p.Notes("another"); ok {
		t.Error("a table without a record has notes")
	}
	n, ok := s.p.Notes("noted")
	if !ok || !cmp.Equal(n.Tags, map[string]string{
		"a": "1",
		"b": "2",
	}) || n.RecoveryDays != 35 || n.RecoverySince.IsZero() {
		t.Fatalf("got %+v, %v", n, ok)
	}
	n.Tags, n.RecoveryDays, n.RecoverySince = map[string]string{"b": "3", "c": "4"}, 7, time.Unix(1000, 0)
	if err := s.p.SetNotes("noted", n); err != nil {
		t.Fatal(err)
	}
	if again, _ := s.p.Notes("noted"); !cmp.Equal(again, n) {
		t.Errorf("got %+v, want %+v", again, n)
	}
	// A refresh sees it, as on AWS.
	state := encode(t, toPulumi(rec.Properties))
	resp, err := s.Read(t.Context(), &pulumirpc.ReadRequest{
		Id:         "noted",
		Urn:        urn(tableType, "noted"),
		Properties: state,
		Inputs:     state,
	})
	if err != nil {
		t.Fatal(err)
	}
	read := values(resp.GetProperties().AsMap())
	if !cmp.Equal(read["tags"], any(map[string]any{
		"b": "3",
		"c": "4",
	})) || !cmp.Equal(read["tagsAll"], read["tags"]) ||
		read.object("pointInTimeRecovery").number("recoveryPeriodInDays") != 7 {
		t.Errorf("a refresh reads %v, %v and %v", read["tags"], read["tagsAll"], read["pointInTimeRecovery"])
	}
	n.RecoveryDays = 0
	if err := s.p.SetNotes("noted", n); err != nil {
		t.Fatal(err)
	}
	if again, _ := s.p.Notes("noted"); again.RecoveryDays != 0 || !again.RecoverySince.IsZero() {
		t.Errorf("got %+v", again)
	}
}

func TestMemberThatAppearsTwiceInAPolicyIsRefusedInThePreview(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	const twice = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"}]}`
	for token, in := range map[string]map[string]any{
		roleType:         {"assumeRolePolicy": twice},
		rolePolicyType:   {"role": "r", "policy": twice},
		policyType:       {"policy": twice},
		keyType:          {"policy": twice},
		bucketPolicyType: {"bucket": "b", "policy": twice},
		endpointType:     {"vpcId": "v", "serviceName": "com.amazonaws.us-east-1.dynamodb", "policy": twice},
	} {
		if got := refusal(
			t,
			s,
			token,
			in,
		); !strings.Contains(
			got,
			"the member Statement[0].Effect appears twice",
		) {
			t.Errorf("%s: got %q", token, got)
		}
	}
}
