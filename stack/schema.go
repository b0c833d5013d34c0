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
		p.fail(
			"allows %q; it is a change as a preview spells it, such as %q",
			s.Allow,
			"replace items-1a2b3c4",
		)
	}
	return s
}

// last is what the last deployment of a stack said of itself.
type last struct {
	table    string   // "" if there was none
	retained bool     // the table stays in the account when it leaves the stack
	zones    []string // of the private network
}

// lastDeployment reads the stack's own outputs. Nothing is read for the stack
// local, which may lose what it has.
func lastDeployment(ctx *pulumi.Context) (last, error) {
	var out last
	if ctx.Stack() == LocalStack {
		return out, nil
	}
	name := fmt.Sprintf("%s/%s/%s", ctx.Organization(), ctx.Project(), ctx.Stack())
	before, err := pulumi.NewStackReference(
		ctx,
		"before",
		&pulumi.StackReferenceArgs{Name: pulumi.String(name)},
	)
	if err != nil {
		return out, fmt.Errorf("reading the outputs of the last deployment of %s: %w", name, err)
	}
	for key, read := range map[string]func(any){
		"tableName": func(v any) { out.table, _ = v.(string) },
		"zones":     func(v any) { out.zones = list(v) },

		"tableRetained": func(v any) { out.retained, _ = v.(bool) },
	} {
		value, err := before.GetOutputDetails(key)
		if err != nil {
			return out, fmt.Errorf("reading the outputs of the last deployment of %s: %w", name, err)
		}
		read(value.Value)
	}
	return out, nil
}

// list returns the texts of an output that is a list.
func list(v any) []string {
	var out []string
	all, _ := v.([]any)
	for _, e := range all {
		if text, ok := e.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// guard makes the guard of the table, outside of the stack local.
func (s Settings) guard(ctx *pulumi.Context, before last) (*components.SchemaGuard, error) {
	if ctx.Stack() == LocalStack {
		return nil, nil
	}
	return components.NewSchemaGuard(ctx, components.Schema{
		Existing: before.table,
		Adopt:    s.Table.Name,
		Retained: before.retained,
		Allow:    s.Schema.Allow,
		How: func(change string) string {
			return fmt.Sprintf(
				`allow this one change: pulumi config set --path %s:schema.allow "%s" --stack %s`,
				Namespace,
				change,
				ctx.Stack(),
			)
		},
	})
}
