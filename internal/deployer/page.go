package deployer

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Page returns docs/permissions.md.
func Page() (string, error) {
	var b strings.Builder
	b.WriteString(introduction)
	for _, p := range Parts() {
		fmt.Fprintf(&b, "\n## %s\n", p.Name)
		if p.Key != "" {
			fmt.Fprintf(&b, "\nWith `%s`.\n", p.Key)
		}
		if p.Note != "" {
			fmt.Fprintf(&b, "\n%s\n", p.Note)
		}
		data, err := json.MarshalIndent(p.Policy(), "", "  ")
		if err != nil {
			return "", fmt.Errorf("encoding the policy of %q: %w", p.Name, err)
		}
		fmt.Fprintf(&b, "\n```json\n%s\n```\n", data)
		b.WriteString("\n| for | |\n| --- | --- |\n")
		for _, t := range p.Types {
			fmt.Fprintf(
				&b,
				"| `%s` | %s |\n",
				t.Token,
				strings.Join(append(append([]string{}, t.Actions...), t.Anywhere...), ", "),
			)
		}
	}
	return b.String(), nil
}

const introduction = `# What a deployer may do

This page is made from the code: ` + "`go test ./internal/deployer -update`" + `. A test compares it with all that the stack's program registers and looks up, with every option.

Whoever runs ` + "`pulumi up`" + `, ` + "`preview --refresh`" + ` and ` + "`destroy`" + ` needs the first policy below, and that of each option that the stack has. Put the account's number for ` + "`ACCOUNT`" + `, the region for ` + "`REGION`" + `, the hosted zone's id for ` + "`ZONE`" + `; outside of the partition ` + "`aws`" + ` its name for the ` + "`aws`" + ` of the ARNs. A managed policy of IAM may have 6,144 characters without white space, and each of these has less. A table that is [taken over](data.md#going-back-to-a-point-in-time) under a name that does not begin with ` + "`items-`" + ` has to be added to the tables.

The names of what a stack makes begin with ` + "`items-`" + `, so that most actions are limited to those, other stacks of this program in the account and region included. Who may make roles and pass them on may give a function more than the own rights: a permissions boundary of your own limits that.

The actions are those on which the AWS provider's calls for each type are judged, to our knowledge: their names were checked against AWS's API models, and what the provider calls was read in its source for a part of the types only. Nothing was tried on AWS. A missing one is an ` + "`AccessDenied`" + ` that names it, and the deployment can be repeated.

To read a private backend of Pulumi's state, such as a bucket, whoever deploys needs what that asks, too.
`
