package lifecycle

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"

	"items-api/e2e/project"
	"items-api/internal/client"
	"items-api/internal/localcloud"
)

// admin returns a client that may do everything with the tables of a cloud.
func admin(t *testing.T, p *project.Project) *dynamodb.Client {
	t.Helper()
	dir := filepath.Join(p.Dir, ".local")
	instance, ok := localcloud.Running(dir)
	if !ok {
		t.Fatal("the local cloud is not running")
	}
	env, err := localcloud.AdminEnvironment(dir, instance)
	if err != nil {
		t.Fatal(err)
	}
	db, err := client.FromEnvironment(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// stray makes a table that no resource knows, as a deployment does that is
// killed before it notes the table.
func stray(t *testing.T, db *dynamodb.Client, name string) {
	t.Helper()
	_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModePayPerRequest,
		KeySchema: []types.KeySchemaElement{
			{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash},
		},
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// export writes the state of a stack to a file, as the plain command does.
func export(t *testing.T, s auto.Stack) string {
	t.Helper()
	d, err := s.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "state.json")
	text := `{"version":3,"deployment":` + string(d.Deployment) + `}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCleanRemovesWhatNoStateKnows(t *testing.T) {
	t.Parallel()
	p := clone(t)
	u := serving(t, p)
	kept := newUser(t, u).stack(t, "another", "kept", other("id", false))
	lost := newUser(t, u).stack(t, "another", "lost", other("id", false))
	table, _ := up(t, kept).Outputs["arn"].Value.(string)
	up(t, lost)
	db := admin(t, p)
	stray(t, db, "stray")
	clean := func(args ...string) string {
		out, err := p.Run(append([]string{"clean"}, args...)...)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return strings.Join(strings.Fields(out), " ") // columns are aligned
	}
	has := func(text string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%q is missing from\n%s", w, text)
			}
		}
	}
	has(
		clean("--yes", "--items"),
		"1 of the stack another/kept stay: its state is not given",
		"stray removed",
	)
	file := export(t, kept)
	listed := clean("--state", file, "--gone", "another/lost")
	has(
		listed,
		"urn:pulumi:lost::another::aws:dynamodb/table:Table::things",
		"1 can be removed: run this again with --yes.",
	)
	if strings.Contains(listed, "urn:pulumi:kept::") {
		t.Errorf("what a state knows is listed:\n%s", listed)
	}
	has(clean("--state", file, "--gone", "another/lost", "--yes"), "removed")

	// It does the same without a running cloud.
	if err := u.Stop(); err != nil {
		t.Fatal(err)
	}
	has(clean("--state", file), "Nothing is known to be left over.")
	serving(t, p)
	tables, err := admin(t, p).ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil {
		t.Fatal(err)
	}
	_, name, _ := strings.Cut(table, "table/")
	if !slices.Equal(tables.TableNames, []string{name}) {
		t.Errorf("the tables are %v, want %s alone", tables.TableNames, name)
	}
	destroyed(t, kept)
}
