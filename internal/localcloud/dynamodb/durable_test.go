package dynamodb

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// killsOfDatabase is how often the database is killed; DATABASE_KILLS overrides it.
const killsOfDatabase = 2

// TestAcknowledgedTransactionsSurviveKills kills the database while clients
// write, and looks for everything that was acknowledged.
func TestAcknowledgedTransactionsSurviveKills(t *testing.T) {
	t.Parallel()
	kills := killsOfDatabase
	if text := os.Getenv("DATABASE_KILLS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("DATABASE_KILLS is %q, and must be a number", text)
		}
		kills = n
	}
	d := own(t)
	table := "kept"
	makeTable(t, d, table)
	c := administrator(d)
	acknowledged, lost := 0, 0
	for kill := range kills {
		ids := writeUntilKilled(t, d, c, table, kill)
		acknowledged += len(ids)
		waitForDatabase(t, d)
		for _, id := range ids {
			out, err := d.Client().GetItem(t.Context(), &dynamodb.GetItemInput{
				TableName:      &table,
				Key:            attrs{"PK": s(id)},
				ConsistentRead: aws.Bool(true),
			})
			if err != nil {
				t.Fatal(err)
			}
			if out.Item == nil {
				lost++
			}
		}
	}
	t.Logf("%d transactions were acknowledged in %d kills", acknowledged, kills)
	if lost > 0 {
		t.Errorf("%d of %d acknowledged transactions are lost", lost, acknowledged)
	}
	if acknowledged < 10*kills {
		t.Errorf("only %d transactions were acknowledged in %d kills", acknowledged, kills)
	}
}

// writeUntilKilled writes with 8 clients until the database is killed in the
// middle of that, and returns what was acknowledged.
func writeUntilKilled(t *testing.T, d *Database, c *dynamodb.Client, table string, round int) []string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var mu sync.Mutex
	var ids []string
	enough := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprintf("%d-%d-%d", round, w, n)
				_, err := c.TransactWriteItems(context.WithoutCancel(ctx), &dynamodb.TransactWriteItemsInput{
					ClientRequestToken: aws.String(id),
					TransactItems: []types.TransactWriteItem{
						{Put: &types.Put{TableName: &table, Item: attrs{"PK": s(id)}}},
						{Put: &types.Put{TableName: &table, Item: attrs{"PK": s(id + "-key")}}},
					},
				})
				if err != nil {
					continue
				}
				mu.Lock()
				if ids = append(ids, id); len(ids) == 100+round%7 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(time.Minute):
		t.Fatal("too few transactions were acknowledged within a minute")
	}
	if err := syscall.Kill(d.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	stop()
	writers.Wait()
	return ids
}

// own starts a database of the test's own.
func own(t *testing.T) *Database {
	t.Helper()
	database(t) // tells where the program is
	d, err := Start(t.Context(), Config{
		JarDir:    started.JarDir,
		DataDir:   t.TempDir(),
		Region:    "us-east-1",
		AccountID: "000000000000",
		Now:       time.Now,
		Identify: func(key string) (Identity, bool) {
			return Identity{AccessKeyID: key, SecretAccessKey: "secret", Admin: true}, key == "ADMIN"
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// administrator returns a client of the gate that may do everything, and that
// tries nothing twice.
func administrator(d *Database) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:           "us-east-1",
		BaseEndpoint:     aws.String(d.Endpoint()),
		RetryMaxAttempts: 1,
		Credentials:      credentials.NewStaticCredentialsProvider("ADMIN", "secret", ""),
	})
}

// makeTable makes a table with one key.
func makeTable(t *testing.T, d *Database, name string) {
	t.Helper()
	_, err := d.Client().CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{{
			AttributeName: aws.String("PK"),
			KeyType:       types.KeyTypeHash,
		}},
		AttributeDefinitions: []types.AttributeDefinition{{
			AttributeName: aws.String("PK"),
			AttributeType: "S",
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// waitForDatabase waits until a database that was killed answers again.
func waitForDatabase(t *testing.T, d *Database) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := d.Client().ListTables(t.Context(), &dynamodb.ListTablesInput{}); err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatal("the database did not come back")
		case <-tick.C:
		}
	}
}
