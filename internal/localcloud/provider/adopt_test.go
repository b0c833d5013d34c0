package provider

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// tabled is a data plane whose database has one table.
type tabled struct {
	*plane
	tables oneTable
}

// oneTable answers for the table "there".
type oneTable struct {
	Tables
	table types.TableDescription
	ttl   *types.TimeToLiveDescription
}

func (d tabled) Tables() Tables { return d.tables }

func (d oneTable) DescribeTable(
	_ context.Context, in *dynamodb.DescribeTableInput, _ ...func(*dynamodb.Options),
) (*dynamodb.DescribeTableOutput, error) {
	if aws.ToString(in.TableName) != "there" {
		return nil, &types.ResourceNotFoundException{}
	}
	return &dynamodb.DescribeTableOutput{Table: &d.table}, nil
}

func (d oneTable) DescribeTimeToLive(
	context.Context, *dynamodb.DescribeTimeToLiveInput, ...func(*dynamodb.Options),
) (*dynamodb.DescribeTimeToLiveOutput, error) {
	return &dynamodb.DescribeTimeToLiveOutput{TimeToLiveDescription: d.ttl}, nil
}

func keysOf(hash, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &hash, KeyType: types.KeyTypeHash},
		{AttributeName: &sort, KeyType: types.KeyTypeRange},
	}
}

// A table that nobody deployed, such as one that was restored, can be imported
// as it is.
func TestTableWithoutARecordIsFound(t *testing.T) {
	t.Parallel()
	s, cloud := server(t)
	s.p.Cloud = tabled{cloud, oneTable{
		table: types.TableDescription{
			BillingModeSummary: &types.BillingModeSummary{BillingMode: types.BillingModePayPerRequest},
			KeySchema:          keysOf("PK", "SK"),
			AttributeDefinitions: []types.AttributeDefinition{
				{AttributeName: aws.String("PK"), AttributeType: types.ScalarAttributeTypeS},
				{AttributeName: aws.String("SK"), AttributeType: types.ScalarAttributeTypeN},
			},
			GlobalSecondaryIndexes: []types.GlobalSecondaryIndexDescription{{
				IndexName:  aws.String("g"),
				KeySchema:  keysOf("SK", "PK"),
				Projection: &types.Projection{ProjectionType: "INCLUDE", NonKeyAttributes: []string{"a"}},
			}},
			LocalSecondaryIndexes: []types.LocalSecondaryIndexDescription{{
				IndexName:  aws.String("l"),
				KeySchema:  keysOf("PK", "a"),
				Projection: &types.Projection{ProjectionType: "ALL"},
			}},
		},
		ttl: &types.TimeToLiveDescription{
			AttributeName:    aws.String("ends"),
			TimeToLiveStatus: types.TimeToLiveStatusEnabled,
		},
	}}
	found, err := s.Read(t.Context(), &pulumirpc.ReadRequest{Urn: urn(tableType, "t"), Id: "there"})
	if err != nil || found.Id != "there" {
		t.Fatalf("got %v, %v", found, err)
	}
	in, err := read(found.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"attributes":[{"name":"PK","type":"S"},{"name":"SK","type":"N"}],"billingMode":"PAY_PER_REQUEST",` +
		`"deletionProtectionEnabled":false,"globalSecondaryIndexes":[{"hashKey":"SK","name":"g",` +
		`"nonKeyAttributes":["a"],"projectionType":"INCLUDE","rangeKey":"PK"}],"hashKey":"PK",` +
		`"localSecondaryIndexes":[{"name":"l","projectionType":"ALL","rangeKey":"a"}],"name":"there",` +
		`"pointInTimeRecovery":{"enabled":false},"rangeKey":"SK","readCapacity":0,` +
		`"ttl":{"attributeName":"ends","enabled":true},"writeCapacity":0}`
	got, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("the inputs differ (-want +got):\n%s", diff)
	}
	// It has a record now, which a deployment can change.
	if _, err := s.p.Store.Get(tableType, "there"); err != nil {
		t.Error(err)
	}
	none, err := s.Read(t.Context(), &pulumirpc.ReadRequest{Urn: urn(tableType, "t"), Id: "elsewhere"})
	if err != nil || none.Id != "" {
		t.Errorf("a table that is not there: %v, %v", none, err)
	}
}
