package dynamodb

import (
	"encoding/json"
	"strings"

	"items-api/internal/localcloud/iam"
)

// streamOperations are those of the DynamoDB Streams API, version 2012-08-10.
var streamOperations = []string{"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"}

// streamRequests returns what a call to a stream must be allowed to do. A list
// is judged on the streams of the table that it names, or of all. Source:
// DynamoDB developer guide, "Using IAM to grant access to DynamoDB Streams".
func (d *Database) streamRequests(operation string, data []byte) ([]iam.Request, error) {
	var stream, table, iterator string
	err := members(data, map[string]any{
		"StreamArn":     &stream,
		"TableName":     &table,
		"ShardIterator": &iterator,
	})
	if err != nil {
		return nil, serialization(err)
	}
	q := iam.Request{Action: "dynamodb:" + operation, Resource: stream}
	switch operation {
	case "GetRecords":
		q.Resource = d.streamOf(iterator)
	case "ListStreams":
		if table == "" {
			table = "*"
		} else if table, err = d.canonical(table); err != nil {
			return nil, err
		}
		q.Resource = d.table(table) + "/stream/*"
	}
	if !strings.HasPrefix(q.Resource, d.table("")) {
		return nil, invalid("Invalid StreamArn: Invalid StreamArn provided as input %s", q.Resource)
	}
	return []iam.Request{q}, nil
}

// streamOf returns the stream of an iterator, in which the database writes its
// ARN between bars.
func (d *Database) streamOf(iterator string) string {
	for _, part := range strings.Split(iterator, "|") {
		if name, ok := strings.CutPrefix(part, innerTable); ok {
			return d.table(name)
		}
	}
	return d.table("*/stream/*")
}

// innerStream puts the ARNs by which the database knows streams in the place
// of those that the gate has handed out, and the name of a table in the place
// of its ARN.
func (d *Database) innerStream(body []byte) []byte {
	var raw map[string]json.RawMessage
	if json.Unmarshal(body, &raw) != nil {
		return body
	}
	for member, inner := range map[string]string{
		"StreamArn":               innerTable,
		"ExclusiveStartStreamArn": innerTable,
		"TableName":               "",
	} {
		var given string
		if raw[member] == nil || json.Unmarshal(raw[member], &given) != nil {
			continue // the database says what is wrong with it
		}
		if name, ours := strings.CutPrefix(given, d.table("")); ours {
			raw[member] = must(inner + name)
		}
	}
	return must(raw)
}
