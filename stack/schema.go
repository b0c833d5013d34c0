package stack

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/components"
)

// LocalStack is the stack whose table may be thrown away at any time.
const LocalStack = "local"

// Schema is the configuration key schema.
type Schema struct {
	Allow string `json:"allow"`
}

func (p *parser) schema(text string) Schema {
	var s Schema
	if p.object(text, &s) == nil {
		return s
	}
	if s.Allow != "" && !components.SchemaChange(s.Allow) {
		p.fail("allows %q; it is a change as a preview spells it, such as %q", s.Allow, "replace items-1a2b3c4")
	}
	return s
}

// guard makes the guard of the table, outside of the stack local. The name of
// the table that there is comes from the outputs of the stack's last deployment.
func (s Settings) guard(ctx *pulumi.Context) (*components.SchemaGuard, error) {
	if ctx.Stack() == LocalStack {
		return nil, nil
	}
	name := fmt.Sprintf("%s/%s/%s", ctx.Organization(), ctx.Project(), ctx.Stack())
	before, err := pulumi.NewStackReference(ctx, "before", &pulumi.StackReferenceArgs{Name: pulumi.String(name)})
	if err != nil {
		return nil, fmt.Errorf("reading the outputs of the last deployment of %s: %w", name, err)
	}
	table, err := before.GetOutputDetails("tableName")
	if err != nil {
		return nil, fmt.Errorf("reading the outputs of the last deployment of %s: %w", name, err)
	}
	existing, _ := table.Value.(string)
	return components.NewSchemaGuard(ctx, components.Schema{Existing: existing, Allow: s.Schema.Allow, How: func(change string) string {
		return fmt.Sprintf(`allow this one change: pulumi config set --path %s:schema.allow "%s" --stack %s`, Namespace, change, ctx.Stack())
	}})
}
