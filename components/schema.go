package components

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Schema says what a SchemaGuard lets through.
type Schema struct {
	// Existing is the name of the table that the stack has, "" if it has none.
	Existing string
	// Adopt is the name of a table that the stack takes over, if any. Retained
	// says that the table that it has then stays in the account.
	Adopt    string
	Retained bool
	// Allow lets one change through, as the guard's errors spell it, such as
	// "replace items-1a2b3c4". It names the table or the indexes, so that it
	// allows nothing any more once the change is made.
	Allow string
	// How tells in an error how to allow a change; the default names Allow.
	How func(change string) string
}

// SchemaGuard stops deployments, in their preview, that would lose the items
// of a table or keep them from being found: a table that is replaced or
// deleted, and more than one secondary index added or removed at a time, since
// DynamoDB makes one at a time and each can take hours (UpdateTable, DynamoDB
// API reference: "You can create or delete only one global secondary index per
// UpdateTable operation").
//
// It works by resource hooks. The engine keeps their names in the state: so a
// program must register the guard as long as its stack has a guarded table,
// and `pulumi destroy` asks for --run-program.
type SchemaGuard struct {
	Schema
	binding *pulumi.ResourceHookBinding
}

// schemaHook names the hooks; it must never change, because states hold it.
const schemaHook = "items-api-schema-guard"

// NewSchemaGuard registers a guard; one for all RestAPIs of a program.
func NewSchemaGuard(ctx *pulumi.Context, s Schema) (*SchemaGuard, error) {
	if s.How == nil {
		s.How = func(change string) string {
			return fmt.Sprintf("set Schema.Allow to %q for this one deployment", change)
		}
	}
	if s.Allow != "" && !SchemaChange(s.Allow) {
		return nil, fmt.Errorf(
			"Schema.Allow must be a change as the guard spells it, such as %q, not %q",
			"replace items-1a2b3c4",
			s.Allow,
		)
	}
	g := &SchemaGuard{Schema: s, binding: &pulumi.ResourceHookBinding{}}
	for name, hook := range map[string]struct {
		callback pulumi.ResourceHookFunction
		bound    *[]*pulumi.ResourceHook
	}{
		"-create": {g.beforeCreate, &g.binding.BeforeCreate},
		"-update": {g.beforeUpdate, &g.binding.BeforeUpdate},
		"-delete": {g.beforeDelete, &g.binding.BeforeDelete},
	} {
		h, err := ctx.RegisterResourceHook(
			schemaHook+name,
			hook.callback,
			&pulumi.ResourceHookOptions{OnDryRun: true},
		)
		if err != nil {
			return nil, fmt.Errorf("registering the guard of the table: %w", err)
		}
		*hook.bound = append(*hook.bound, h)
	}
	return g, nil
}

// option binds the guard to a table; none does nothing.
func (g *SchemaGuard) option() []pulumi.ResourceOption {
	if g == nil {
		return nil
	}
	return []pulumi.ResourceOption{pulumi.ResourceHooks(g.binding)}
}

// beforeCreate finds a replacement before it is made, from a state without
// hooks too: the stack has a table, and another one would be created.
func (g *SchemaGuard) beforeCreate(*pulumi.ResourceHookArgs) error {
	change := "replace " + g.Existing
	if g.Existing == "" || g.Allow == change {
		return nil
	}
	return fmt.Errorf(
		"this would make a new, empty table in the place of %s, and remove that with all its items, "+
			"because its keys, its name or the name of its component has changed. "+
			"Undo that; or copy the items first, take deletion protection away, and %s",
		g.Existing,
		g.How(change),
	)
}

func (g *SchemaGuard) beforeDelete(a *pulumi.ResourceHookArgs) error {
	name := string(a.ID)
	if g.Allow == "delete "+name || g.Allow == "replace "+name {
		return nil
	}
	if adopting := g.Adopt != "" && g.Adopt != name && name == g.Existing; adopting {
		if g.Retained {
			return nil
		}
		return fmt.Errorf("this would take the table %s over and remove %s with all its items. "+
			"Deploy once before with deletion protection, and without the table to take over: "+
			"then %s stays in the account; or, if nobody needs its items any more, %s", g.Adopt, name, name, g.How("replace "+name))
	}
	return fmt.Errorf(
		"this would remove the table %s with all its items. Keep it in the program; or, if nobody needs "+
			"the items any more, take deletion protection away, and %s",
		name,
		g.How("delete "+name),
	)
}

func (g *SchemaGuard) beforeUpdate(a *pulumi.ResourceHookArgs) error {
	before, after := indexes(a.OldInputs), indexes(a.NewInputs)
	var changes []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if v, kept := after[name]; !kept || !v.DeepEquals(before[name]) {
			changes = append(changes, "-"+name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if v, known := before[name]; !known || !v.DeepEquals(after[name]) {
			changes = append(changes, "+"+name)
		}
	}
	change := "index " + strings.Join(changes, ",")
	if len(changes) < 2 || g.Allow == change {
		return nil
	}
	return fmt.Errorf(
		"this would change %d secondary indexes of the table %s in one deployment (%s), and DynamoDB "+
			"builds one at a time, which can take hours and makes queries of an index fail that is rebuilt. "+
			"Change one per deployment, a changed index under a new name; or %s",
		len(changes),
		a.ID,
		strings.Join(changes, ", "),
		g.How(change),
	)
}

// indexes returns the global secondary indexes of a table's inputs by name.
// Local ones cannot be changed: a table with others is another table.
func indexes(inputs resource.PropertyMap) map[string]resource.PropertyValue {
	out := map[string]resource.PropertyValue{}
	list := inputs["globalSecondaryIndexes"]
	if !list.IsArray() {
		return out
	}
	for _, v := range list.ArrayValue() {
		if !v.IsObject() {
			continue
		}
		fields := v.ObjectValue().Copy()
		delete(fields, "__defaults")
		// Capacity is no part of what an index is.
		delete(fields, "readCapacity")
		delete(fields, "writeCapacity")
		delete(fields, "onDemandThroughput")
		if name := fields["name"]; name.IsString() {
			out[name.StringValue()] = resource.NewObjectProperty(fields)
		}
	}
	return out
}

// SchemaChange reports whether a text spells a change that a guard may let
// through.
func SchemaChange(text string) bool {
	kind, what, ok := strings.Cut(text, " ")
	return ok && what != "" && slices.Contains([]string{"replace", "delete", "index"}, kind)
}
