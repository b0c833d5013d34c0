package provider

import (
	"fmt"
	"strings"
)

// Table renders, as Markdown, what the local cloud does with each property of
// each supported resource type.
func Table() string {
	var b strings.Builder
	b.WriteString(
		"<!-- Made from the code by `go test ./internal/localcloud/provider -run TestTable -update`. -->\n",
	)
	b.WriteString("# What the local cloud supports\n\n")
	b.WriteString(
		"**enforced**: behaves as on AWS. **recorded**: kept and shown, without effect. **refused**: an " +
			"error that names type and property, before anything is created. ",
	)
	b.WriteString("Resource types that are not listed are refused by name.\n\nLookups: ")
	for i, token := range Invokes() {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "`%s`", token)
	}
	b.WriteString(
		".\n\nSettings of the provider: `region` is the cloud's own, and `defaultTags` are in `tagsAll`, ",
	)
	b.WriteString(
		"under the tags of the resource, as on AWS; variables `TF_AWS_DEFAULT_TAGS_...` are not read. ",
	)
	fmt.Fprintf(&b, "Without effect: `%s`. Others are refused.\n", strings.Join(ineffective, "`, `"))
	for _, t := range Types() {
		fmt.Fprintf(&b, "\n## %s\n\n| property | | change | note |\n| --- | --- | --- | --- |\n", t.Token)
		rows(&b, "", t.Properties, false)
	}
	return b.String()
}

func rows(b *strings.Builder, path string, props []Property, replace bool) {
	for _, p := range props {
		effect := "in place"
		if p.Replace || replace {
			effect = "replaces"
		}
		note := p.Note
		if len(p.Only) > 0 {
			note = strings.TrimSuffix("only "+quoted(p.Only)+"; "+note, "; ")
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", join(path, p.Name), p.Level, effect, note)
		rows(b, join(path, p.Name), p.Fields, p.Replace || replace)
	}
}
