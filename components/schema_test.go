package components

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// tableWith returns inputs of a table with indexes, given as "name key".
func tableWith(indexes ...string) resource.PropertyMap {
	var list []any
	for _, i := range indexes {
		name, key, _ := strings.Cut(i, " ")
		list = append(list, map[string]any{"name": name, "hashKey": key, "projectionType": "ALL"})
	}
	return resource.NewPropertyMapFromMap(map[string]any{"globalSecondaryIndexes": list})
}

func TestGuardStopsWhatLosesItemsAndNothingElse(t *testing.T) {
	t.Parallel()
	grown := tableWith("a x")
	grown["globalSecondaryIndexes"].ArrayValue()[0].ObjectValue()["readCapacity"] = resource.NewNumberProperty(
		5,
	)
	grown["globalSecondaryIndexes"].ArrayValue()[0].ObjectValue()["onDemandThroughput"] = resource.NewObjectProperty(
		resource.PropertyMap{"maxReadRequestUnits": resource.NewNumberProperty(5)},
	)
	for name, c := range map[string]struct {
		hook            func(*SchemaGuard, *pulumi.ResourceHookArgs) error
		existing, allow string
		before, after   resource.PropertyMap
		want            string // "" if it is let through
	}{
		"the first table":                 {(*SchemaGuard).beforeCreate, "", "", nil, tableWith(), ""},
		"another table":                   {(*SchemaGuard).beforeCreate, "t1", "", nil, tableWith(), `"replace t1"`},
		"another table, allowed":          {(*SchemaGuard).beforeCreate, "t1", "replace t1", nil, tableWith(), ""},
		"another table, another allowed":  {(*SchemaGuard).beforeCreate, "t1", "replace t0", nil, tableWith(), `"replace t1"`},
		"another table, deletion allowed": {(*SchemaGuard).beforeCreate, "t1", "delete t1", nil, tableWith(), `"replace t1"`},
		"no table":                        {(*SchemaGuard).beforeDelete, "t1", "", tableWith(), nil, `"delete t1"`},
		"no table, allowed":               {(*SchemaGuard).beforeDelete, "t1", "delete t1", tableWith(), nil, ""},
		"the replaced table":              {(*SchemaGuard).beforeDelete, "t2", "replace t1", tableWith(), nil, ""},
		"no table, another allowed":       {(*SchemaGuard).beforeDelete, "t1", "delete t2", tableWith(), nil, `"delete t1"`},
		"no change of indexes":            {(*SchemaGuard).beforeUpdate, "t1", "", tableWith("a x", "b y"), tableWith("b y", "a x"), ""},
		"one more":                        {(*SchemaGuard).beforeUpdate, "t1", "", tableWith("a x"), tableWith("a x", "b y"), ""},
		"one less":                        {(*SchemaGuard).beforeUpdate, "t1", "", tableWith("a x"), tableWith(), ""},
		"two more":                        {(*SchemaGuard).beforeUpdate, "t1", "", tableWith(), tableWith("b y", "a x"), `"index +a,+b"`},
		"two more, allowed":               {(*SchemaGuard).beforeUpdate, "t1", "index +a,+b", tableWith(), tableWith("b y", "a x"), ""},
		"two less, with two more allowed": {(*SchemaGuard).beforeUpdate, "t1", "index +a,+b", tableWith("b y", "a x"), tableWith(), `"index -a,-b"`},
		"one for another":                 {(*SchemaGuard).beforeUpdate, "t1", "", tableWith("a x"), tableWith("b x"), `"index -a,+b"`},
		"one with another key":            {(*SchemaGuard).beforeUpdate, "t1", "", tableWith("a x"), tableWith("a y"), `"index -a,+a"`},
		"one with other capacity":         {(*SchemaGuard).beforeUpdate, "t1", "", tableWith("a x"), grown, ""},
	} {
		g := &SchemaGuard{Schema: Schema{
			Existing: c.existing,
			Allow:    c.allow,
			How:      func(change string) string { return `allow "` + change + `"` },
		}}
		err := c.hook(g, &pulumi.ResourceHookArgs{ID: "t1", OldInputs: c.before, NewInputs: c.after})
		if (err == nil) != (c.want == "") ||
			err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "t1")) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// A table that stays in the account loses nothing when another is taken over.
func TestGuardLetsATableGoThatStaysWhenAnotherIsTakenOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		schema Schema
		want   string // "" if it is let through
	}{
		"one that stays": {Schema{Existing: "t1", Adopt: "t2", Retained: true}, ""},
		"one that does not": {Schema{
			Existing: "t1",
			Adopt:    "t2",
		}, "Deploy once before with deletion protection"},
		"one that nobody needs":       {Schema{Existing: "t1", Adopt: "t2", Allow: "replace t1"}, ""},
		"the one that is taken over":  {Schema{Existing: "t1", Adopt: "t1", Retained: true}, `"delete t1"`},
		"nothing is taken over":       {Schema{Existing: "t1", Retained: true}, `"delete t1"`},
		"one that the stack had once": {Schema{Existing: "t2", Adopt: "t3", Retained: true}, `"delete t1"`},
	} {
		c.schema.How = func(change string) string { return `allow "` + change + `"` }
		err := (&SchemaGuard{Schema: c.schema}).beforeDelete(&pulumi.ResourceHookArgs{
			ID:        "t1",
			OldInputs: tableWith(),
		})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestTableIsTakenOverByName(t *testing.T) {
	t.Parallel()
	for _, protected := range []bool{false, true} {
		for _, name := range []string{"", "items-restored"} {
			a := *args
			a.DeletionProtection, a.Table.Name = protected, name
			both(t, &a, func(t *testing.T, r *recorder) {
				m := r.named(t, tableToken, "items")
				if got := m.RegisterRPC.GetImportId(); got != name ||
					m.RegisterRPC.GetRetainOnDelete() != protected {
					t.Errorf("%q: imports %q and stays: %v", name, got, m.RegisterRPC.GetRetainOnDelete())
				}
				if v := at(
					m.Inputs,
					"name",
				); v.IsString() != (name != "") ||
					v.IsString() && v.StringValue() != name {
					t.Errorf("%q: the table has the name %v", name, v)
				}
			})
		}
	}
}

func TestGuardIsBoundToTheTableAlone(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		guard, err := NewSchemaGuard(ctx, Schema{})
		if err != nil {
			return err
		}
		a := *args
		a.Schema = guard
		_, err = NewRestAPI(ctx, "items", &a)
		return err
	}, pulumi.WithMocks("items-api", "test", r))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range r.made {
		h := m.RegisterRPC.GetHooks()
		bound := len(h.GetBeforeCreate()) == 1 && len(h.GetBeforeUpdate()) == 1 &&
			len(h.GetBeforeDelete()) == 1
		if table := m.TypeToken == "aws:dynamodb/table:Table"; table != bound {
			t.Errorf("the hooks of %s are %v", m.TypeToken, h)
		}
	}
	if err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		_, err := NewSchemaGuard(ctx, Schema{Allow: "everything"})
		return err
	}, pulumi.WithMocks("items-api", "test", r)); err == nil || !strings.Contains(err.Error(), "Schema.Allow") {
		t.Errorf("a permission for everything gave %v", err)
	}
}
