package provider

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// database is a database of tables with a number of items.
type database struct {
	Tables
	items map[string]int
}

func (d *database) ListTables(
	context.Context,
	*dynamodb.ListTablesInput,
	...func(*dynamodb.Options),
) (*dynamodb.ListTablesOutput, error) {
	out := &dynamodb.ListTablesOutput{}
	for name := range d.items {
		out.TableNames = append(out.TableNames, name)
	}
	slices.Sort(out.TableNames)
	return out, nil
}

func (d *database) Scan(
	_ context.Context,
	in *dynamodb.ScanInput,
	_ ...func(*dynamodb.Options),
) (*dynamodb.ScanOutput, error) {
	n, ok := d.items[*in.TableName]
	if !ok {
		return nil, &types.ResourceNotFoundException{}
	}
	return &dynamodb.ScanOutput{Items: make([]map[string]types.AttributeValue, n)}, nil
}

func (d *database) DeleteTable(
	_ context.Context,
	in *dynamodb.DeleteTableInput,
	_ ...func(*dynamodb.Options),
) (*dynamodb.DeleteTableOutput, error) {
	delete(d.items, *in.TableName)
	return &dynamodb.DeleteTableOutput{}, nil
}

func (d *database) DescribeTable(
	context.Context,
	*dynamodb.DescribeTableInput,
	...func(*dynamodb.Options),
) (*dynamodb.DescribeTableOutput, error) {
	return nil, &types.ResourceNotFoundException{}
}

// withTables is the plane of a cloud that has a database.
type withTables struct {
	*plane
	db *database
}

func (w withTables) Tables() Tables { return w.db }

// stacks returns a server whose records are made by foreign and by own
// deployments, with a database.
func stacks(t *testing.T, items map[string]int) (own, foreign *Server, db *database) {
	t.Helper()
	own, cloud := server(t)
	db = &database{items: items}
	own.p.Cloud = withTables{cloud, db}
	return own, NewServer(own.p, Foreign), db
}

// role makes a role of a stack and returns how a state holds it.
func role(t *testing.T, s *Server, project, stack, name string) Held {
	t.Helper()
	urn := "urn:pulumi:" + stack + "::" + project + "::" + roleType + "::" + name
	in := props(map[string]any{"assumeRolePolicy": trust, "name": stack + "-" + name})
	r, err := s.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: encode(t, in)})
	if err != nil {
		t.Fatal(err)
	}
	return Held{urn, r.Id}
}

// listed returns what is left, each with why it stays.
func listed(t *testing.T, s *Server, c Census) map[string]string {
	t.Helper()
	left, err := s.p.Leftovers(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, l := range left {
		out[l.ID] = l.Keep
		if l.Removed {
			out[l.ID] = "removed"
		}
	}
	return out
}

func expect(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for id, w := range want {
		if g, ok := got[id]; !ok || (w == "") != (g == "") || !strings.Contains(g, w) {
			t.Errorf("%s: %s is %q (listed: %v), want %q", what, id, g, ok, w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: listed are %v, want %v", what, got, want)
	}
}

func TestLeftoversAreWhatNoStateKnows(t *testing.T) {
	t.Parallel()
	own, foreign, _ := stacks(t, nil)
	kept := role(t, own, "items", "local", "kept")
	role(t, own, "items", "local", "lost")
	role(t, own, "items", "removed", "all")
	theirs := role(t, foreign, "shop", "dev", "kept")
	role(t, foreign, "shop", "dev", "lost")
	role(t, foreign, "items", "local", "same") // a stack of the same name elsewhere
	later := time.Now().Add(time.Hour)
	mine := Known{
		Project:   "items",
		Stack:     "local",
		Origin:    Own,
		Taken:     later,
		Resources: []Held{kept},
	}
	c := Census{OwnTaken: later, States: []Known{mine}}

	expect(t, "own states alone", listed(t, own, c), map[string]string{
		"local-lost":  "",
		"removed-all": "",
		"dev-kept":    "the state of shop/dev, which may know it, is not given",
		"dev-lost":    "the state of shop/dev, which may know it, is not given",
		"local-same":  "the state of items/local, which may know it, is not given",
	})
	c.States = append(
		c.States,
		Known{
			Project:   "shop",
			Stack:     "dev",
			Origin:    Foreign,
			Taken:     later,
			Resources: []Held{theirs},
		},
	)
	c.Remove = true
	expect(t, "with another's state", listed(t, own, c), map[string]string{
		"local-lost":  "removed",
		"removed-all": "removed",
		"dev-lost":    "removed",
		"local-same":  "is not given",
	})
	c.Remove = false
	expect(t, "afterwards", listed(t, own, c), map[string]string{"local-same": "is not given"})
}

func TestWhatIsYoungerThanAStateIsNotJudgedByIt(t *testing.T) {
	t.Parallel()
	own, foreign, _ := stacks(t, nil)
	before := time.Now().Add(-time.Hour)
	role(t, own, "items", "local", "a")
	role(t, foreign, "shop", "dev", "b")
	c := Census{
		OwnTaken: before,
		Remove:   true,
		States:   []Known{{Project: "shop", Stack: "dev", Origin: Foreign, Taken: before}},
	}
	expect(t, "younger", listed(t, own, c), map[string]string{
		"local-a": "younger than the state",
		"dev-b":   "younger than the state",
	})
}

// An alias renames a resource in the state, and the provider is not told.
func TestRenamedResourcesAreKnown(t *testing.T) {
	t.Parallel()
	own, _, _ := stacks(t, nil)
	held := role(t, own, "items", "local", "old")
	held.URN = strings.Replace(held.URN, "::old", "::new", 1)
	later := time.Now().Add(time.Hour)
	c := Census{
		OwnTaken: later,
		States: []Known{
			{
				Project:   "items",
				Stack:     "local",
				Origin:    Own,
				Taken:     later,
				Resources: []Held{held},
			},
		},
	}
	expect(t, "renamed", listed(t, own, c), map[string]string{})
	if err := own.p.Forget(t.Context(), "urn:pulumi:local::items::", []Held{held}); err != nil {
		t.Fatal(err)
	}
	if left := own.p.Store.List(roleType); len(left) != 1 {
		t.Errorf("a renamed role was forgotten: %v", left)
	}
}

func TestTablesWithItemsStayUnlessItIsSaid(t *testing.T) {
	t.Parallel()
	own, _, db := stacks(t, map[string]int{"empty": 0, "full": 3})
	c := Census{OwnTaken: time.Now(), Remove: true}
	expect(
		t,
		"tables without a record",
		listed(t, own, c),
		map[string]string{"empty": "removed", "full": "holds items"},
	)
	if len(db.items) != 1 {
		t.Errorf("left are the tables %v", db.items)
	}
	c.Items = true
	expect(t, "with items", listed(t, own, c), map[string]string{"full": "removed"})
	if len(db.items) != 0 {
		t.Errorf("left are the tables %v", db.items)
	}
}

// A stack of the same name may be in the state of another program.
func TestForgetLeavesWhatOthersMayKnow(t *testing.T) {
	t.Parallel()
	own, foreign, _ := stacks(t, nil)
	role(t, own, "items", "local", "lost")
	role(t, foreign, "items", "local", "theirs")
	earlier := role(t, own, "items", "local", "earlier") // by a version that did not note it
	r, err := own.p.Store.Get(roleType, earlier.ID)
	if err != nil {
		t.Fatal(err)
	}
	delete(r.Private, privateOrigin)
	if err := own.p.Store.Put(r); err != nil {
		t.Fatal(err)
	}
	const prefix = "urn:pulumi:local::items::"
	remaining := func(held ...Held) []string {
		if err := own.p.Forget(t.Context(), prefix, held); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range own.p.Store.List(roleType) {
			ids = append(ids, r.ID)
		}
		return ids
	}
	if got := remaining(earlier); !slices.Equal(got, []string{"local-earlier", "local-theirs"}) {
		t.Errorf("left are %v", got)
	}
	if got := remaining(); !slices.Equal(got, []string{"local-theirs"}) {
		t.Errorf("what an earlier version made and a state has known is left: %v", got)
	}
}
