package store_test

import (
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"items-api/internal/api"
	"items-api/internal/localcloud/dynamodb/databasetest"
	"items-api/internal/store/storetest"
)

var shared databasetest.Shared

func TestMain(m *testing.M) { shared.Main(m) }

// TestConformance runs the suite against DynamoDB Local, and against the table
// on AWS that STORE_TABLE names, with the credentials that AWS tools use.
func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("DynamoDB Local", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, shared.Client(t), shared.Table(t, api.PartitionKey, api.SortKey))
	})
	if table := os.Getenv("STORE_TABLE"); table != "" {
		t.Run("AWS", func(t *testing.T) {
			t.Parallel()
			c, err := config.LoadDefaultConfig(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			storetest.Run(t, dynamodb.NewFromConfig(c), table)
		})
	}
}
