package stack

import "regexp"

// Table is the configuration key table.
type Table struct {
	Name string `json:"name"`
}

// tableName is what DynamoDB takes. Source: CreateTable, DynamoDB API reference.
var tableName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)

func (p *parser) table(text string) Table {
	var t Table
	if p.object(text, &t) == nil {
		return t
	}
	if t.Name != "" && !tableName.MatchString(t.Name) {
		p.fail("holds the name %q; a table's has 3 to 255 letters, digits, '-', '_' and '.'", t.Name)
	}
	return t
}
