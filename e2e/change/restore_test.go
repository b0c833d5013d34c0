package change

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"items-api/e2e/rest"
	"items-api/internal/api"
	"items-api/internal/localcloud"
)

// restored makes what a restore to a point in time makes of a table: another one
// with its keys and its items of now, without a time to live, recovery, tags and
// protection.
func restored(t *testing.T, db *dynamodb.Client, from, to string) {
	t.Helper()
	d, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &from})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:            &to,
		KeySchema:            d.Table.KeySchema,
		AttributeDefinitions: d.Table.AttributeDefinitions,
		BillingMode:          types.BillingModePayPerRequest,
	}); err != nil {
		t.Fatal(err)
	}
	all, err := db.Scan(t.Context(), &dynamodb.ScanInput{TableName: &from})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range all.Items {
		if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &to, Item: item}); err != nil {
			t.Fatal(err)
		}
	}
}

// names returns the names of the items that a stack answers with.
func names(t *testing.T, out map[string]any) string {
	t.Helper()
	return string(rest.Send(t, "GET", out["url"].(string)+"/items", nil).Want(t, http.StatusOK).Body)
}

// docs/data.md, "Going back to a point in time", step by step.
func TestRestoredTableIsTakenOverAndTheOldOneStays(t *testing.T) {
	t.Parallel()
	const copied = "items-restored"
	s := newSite(t, "dev", localcloud.Config{})
	db := s.Admin(t)
	c := settings()
	_, out := s.must(t, c)
	table := out["tableName"].(string)
	rest.Send(t, "POST", out["url"].(string)+"/items", `{"name":"kept"}`).Want(t, http.StatusCreated)
	restored(t, db, table, copied)
	rest.Send(t, "POST", out["url"].(string)+"/items", `{"name":"damage"}`).Want(t, http.StatusCreated)

	adopting := c
	adopting.Table.Name = copied
	s.refused(t, "an unprotected table", "Deploy once before with deletion protection", s.program(adopting))
	c.DeletionProtection, adopting.DeletionProtection = true, true
	s.must(t, c)
	elsewhere := adopting
	elsewhere.Table.Name = "items-nowhere"
	s.refused(t, "a table that is not there", "'items-nowhere' does not exist", s.program(elsewhere))
	if _, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("items-other"),
		KeySchema: []types.KeySchemaElement{{
			AttributeName: aws.String("key"),
			KeyType:       types.KeyTypeHash,
		}},
		AttributeDefinitions: []types.AttributeDefinition{{
			AttributeName: aws.String("key"),
			AttributeType: "S",
		}},
		BillingMode: types.BillingModePayPerRequest,
	}); err != nil {
		t.Fatal(err)
	}
	elsewhere.Table.Name = "items-other"
	s.refused(t, "a table of other keys", "may not be replaced", s.program(elsewhere))
	pinned := adopting
	pinned.Release.Version = "1"
	s.refused(t, "a pinned version", `is for the table "`+table+`"`, s.program(pinned))

	planned, err := s.preview(t, s.program(adopting))
	if err != nil {
		t.Fatal(err)
	}
	done, out := s.must(t, adopting)
	for what, steps := range map[string][]step{"the preview": planned, "the deployment": done} {
		if !slices.Contains(steps, step{"import-replacement", "Table", "items"}) ||
			!slices.Contains(steps, step{"update", "Function", "items"}) {
			t.Errorf("%s does %v", what, relevant(steps))
		}
	}
	if out["tableName"] != copied {
		t.Errorf("the table is %v", out["tableName"])
	}
	if got := names(t, out); !strings.Contains(got, "kept") || strings.Contains(got, "damage") {
		t.Errorf("after the restore the items are %s", got)
	}
	ttl, err := db.DescribeTimeToLive(
		t.Context(),
		&dynamodb.DescribeTimeToLiveInput{TableName: aws.String(copied)},
	)
	if err != nil || ttl.TimeToLiveDescription.TimeToLiveStatus != types.TimeToLiveStatusEnabled ||
		aws.ToString(ttl.TimeToLiveDescription.AttributeName) != api.TTLAttribute {
		t.Errorf("the restored table has the time to live %+v, %v", ttl, err)
	}
	s.settled(t, "the restore", adopting)
	old, err := db.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil || len(old.Items) != 2 {
		t.Errorf("the old table has lost items: %d, %v", len(old.Items), err)
	}

	// From now on the restored table is guarded, and versions of before do not
	// fit it.
	s.refused(t, "the restored table given up", "in the place of "+copied, s.program(c))
	s.refused(t, "a version of before", `is for the table "`+table+`"`, s.program(pinned))
	rest.Send(t, "POST", out["url"].(string)+"/items", `{"name":"later"}`).Want(t, http.StatusCreated)

	// And back, should the restored one be the wrong one.
	adopting.Table.Name = table
	if _, out = s.must(t, adopting); out["tableName"] != table || !strings.Contains(names(t, out), "damage") {
		t.Errorf("the old table does not come back: %v", out["tableName"])
	}
	s.settled(t, "going back", adopting)
}
