// Package databasetest gives the tests of a package one DynamoDB Local. It is
// started when a test first asks for it, so that fuzzing, which runs a test's
// binary several times, starts none.
package databasetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	local "items-api/internal/localcloud/dynamodb"
)

// Shared is the database of one test binary. The zero value is ready for use.
type Shared struct {
	once     sync.Once
	tables   atomic.Int64
	database *local.Database
	dir      string
	err      error
}

// Main runs the tests, stops the database and exits.
func (s *Shared) Main(m *testing.M) {
	code := m.Run()
	var err error
	if s.database != nil {
		err = s.database.Close()
	}
	if err = errors.Join(err, os.RemoveAll(s.dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// Client returns a client that may do everything.
func (s *Shared) Client(t testing.TB) *dynamodb.Client {
	t.Helper()
	s.once.Do(s.start)
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.database.Client()
}

func (s *Shared) start() {
	jar := os.Getenv("DYNAMODB_LOCAL_DIR")
	if jar == "" {
		jar, s.err = tools()
	}
	if s.err == nil {
		s.dir, s.err = os.MkdirTemp("", "database-test-")
	}
	if s.err == nil {
		s.database, s.err = local.Start(context.Background(), local.Config{
			JarDir:    jar,
			DataDir:   s.dir,
			Region:    "us-east-1",
			AccountID: "000000000000",
			Now:       time.Now,
			Identify:  func(string) (local.Identity, bool) { return local.Identity{}, false },
		})
	}
}

// tools looks for DynamoDB Local in .tools of the directories above.
func tools() (string, error) {
	dir, err := filepath.Abs(".")
	for err == nil {
		jar := filepath.Join(dir, ".tools", "dynamodb-local")
		if _, e := os.Stat(jar); e == nil {
			return jar, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("there is no DynamoDB Local in .tools: run `make tools`")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// Table makes a table of the test's own, with two keys that are texts, and
// returns its name.
func (s *Shared) Table(t testing.TB, partition, sort string) string {
	t.Helper()
	name := fmt.Sprintf("%s-%d", strings.NewReplacer("/", "_", " ", "_").Replace(t.Name()), s.tables.Add(1))
	_, err := s.Client(t).CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: &partition, AttributeType: "S"},
			{AttributeName: &sort, AttributeType: "S"},
		},
		KeySchema: []types.KeySchemaElement{
			{AttributeName: &partition, KeyType: "HASH"},
			{AttributeName: &sort, KeyType: "RANGE"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}
