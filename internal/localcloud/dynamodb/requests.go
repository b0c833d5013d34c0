package dynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"items-api/internal/localcloud/iam"
)

// body is what the gate reads of a request.
type body struct {
	TableName, IndexName      string
	ResourceArn               string
	Key, Item                 map[string]json.RawMessage
	ExpressionAttributeValues map[string]json.RawMessage
	ExpressionAttributeNames  map[string]string
	KeyConditionExpression    string
	KeyConditions             json.RawMessage
	Select, ReturnValues      string
	ReturnConsumedCapacity    string
	RequestItems              map[string]json.RawMessage
	TransactItems             []map[string]json.RawMessage
	Tags                      []tag
}

// members decodes a JSON object by the exact names of its members, as the
// database does; encoding/json alone would let "tablename" pass for TableName.
func members(data []byte, into map[string]any) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	for name, target := range into {
		if v, ok := raw[name]; ok {
			if err := json.Unmarshal(v, target); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func parse(data []byte) (body, error) {
	var b body
	err := members(data, map[string]any{
		"TableName":                 &b.TableName,
		"ResourceArn":               &b.ResourceArn,
		"IndexName":                 &b.IndexName,
		"Key":                       &b.Key,
		"Item":                      &b.Item,
		"ExpressionAttributeValues": &b.ExpressionAttributeValues,
		"ExpressionAttributeNames":  &b.ExpressionAttributeNames,
		"KeyConditionExpression":    &b.KeyConditionExpression,
		"KeyConditions":             &b.KeyConditions,
		"Select":                    &b.Select,
		"ReturnValues":              &b.ReturnValues,
		"ReturnConsumedCapacity":    &b.ReturnConsumedCapacity,
		"RequestItems":              &b.RequestItems,
		"TransactItems":             &b.TransactItems,
		"Tags":                      &b.Tags,
	})
	return b, err
}

// operations are those of the DynamoDB API, version 2012-08-10, that the gate
// judges; another is unknown. Reads and writes belong to them too.
var operations = slices.Concat(
	reads,
	writes,
	[]string{
		"CreateTable",
		"DeleteTable",
		"DescribeTable",
		"UpdateTable",
		"ListTables",
		"DescribeLimits",
		"DescribeEndpoints",
		"DescribeTimeToLive",
		"UpdateTimeToLive",
		"TagResource",
		"UntagResource",
		"ListTagsOfResource",
		"DescribeContinuousBackups",
		"UpdateContinuousBackups",
		"ExecuteStatement",
		"BatchExecuteStatement",
		"ExecuteTransaction",
	},
)

// tableName is a bare name. Source: DynamoDB developer guide, "Naming rules".
var tableName = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)

// canonical returns the bare name of a table that is given by its name or by
// its ARN, which must be one of this cloud: the database would take any.
func (d *Database) canonical(name string) (string, error) {
	bare := name
	if strings.HasPrefix(name, "arn:") {
		var ours bool
		if bare, ours = strings.CutPrefix(name, d.table("")); !ours {
			return "", fmt.Errorf(
				"the table %s is not one of the account %s in %s",
				name,
				d.AccountID,
				d.Region,
			)
		}
	}
	if !tableName.MatchString(bare) {
		return "", fmt.Errorf(
			"Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and "+
				"may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.': %q",
			bare,
		)
	}
	return bare, nil
}

// requests returns what a call must be allowed to do: each action on each
// resource. Transactions need the actions of what they contain. Source:
// Service Authorization Reference, "Actions, resources, and condition keys for
// Amazon DynamoDB"; DynamoDB developer guide, "Using IAM with transactions".
func (d *Database) requests(ctx context.Context, operation string, data []byte) ([]iam.Request, error) {
	b, err := parse(data)
	if err != nil {
		return nil, serialization(err)
	}
	switch operation {
	case "CreateTable":
		q, err := d.single(ctx, operation, b, data)
		out := []iam.Request{q}
		if len(b.Tags) > 0 {
			out = append(out, iam.Request{Action: "dynamodb:TagResource", Resource: q.Resource})
		}
		return out, err
	case "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction":
		return nil, fmt.Errorf(
			"the local cloud does not evaluate policies for PartiQL (%s): use the operations of "+
				"the DynamoDB API",
			operation,
		)
	case "ListTables", "DescribeLimits", "DescribeEndpoints":
		return []iam.Request{{Action: "dynamodb:" + operation, Resource: d.table("*")}}, nil
	case "BatchGetItem", "BatchWriteItem":
		var out []iam.Request
		for _, given := range slices.Sorted(maps.Keys(b.RequestItems)) {
			table, err := d.canonical(given)
			if err != nil {
				return nil, err
			}
			keys, attributes, err := d.batchKeys(ctx, table, operation, b.RequestItems[given])
			if err != nil {
				return nil, err
			}
			out = append(out, iam.Request{
				Action:   "dynamodb:" + operation,
				Resource: d.table(table),
				Context: map[string][]string{
					"dynamodb:leadingkeys": keys,
					"dynamodb:attributes":  attributes,
				},
			})
		}
		return out, nil
	case "TransactWriteItems", "TransactGetItems":
		actions := map[string]string{
			"Put":            "PutItem",
			"Update":         "UpdateItem",
			"Delete":         "DeleteItem",
			"ConditionCheck": "ConditionCheckItem",
			"Get":            "GetItem",
		}
		var out []iam.Request
		for _, item := range b.TransactItems {
			for kind, part := range item {
				action, ok := actions[kind]
				if !ok {
					return nil, fmt.Errorf("the local cloud does not know %s in a transaction", kind)
				}
				inner, err := parse(part)
				if err != nil {
					return nil, serialization(fmt.Errorf("%s: %w", kind, err))
				}
				q, err := d.single(ctx, action, inner, part)
				if err != nil {
					return nil, err
				}
				q.Context["dynamodb:enclosingoperation"] = []string{operation}
				out = append(out, q)
			}
		}
		return out, nil
	}
	q, err := d.single(ctx, operation, b, data)
	return []iam.Request{q}, err
}

func (d *Database) table(name string) string {
	return fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/%s", d.Region, d.AccountID, name)
}

// unreadable stands for a partition key that the gate cannot tell, so that a
// policy that asks for one denies. No key has this value.
const unreadable = "\x00"

func (d *Database) single(ctx context.Context, operation string, b body, data []byte) (iam.Request, error) {
	q := iam.Request{Action: "dynamodb:" + operation, Context: map[string][]string{}}
	table, err := d.canonical(b.TableName)
	if strings.HasSuffix(operation, "Resource") || operation == "ListTagsOfResource" {
		table, err = d.canonical(b.ResourceArn)
	}
	if err != nil {
		return q, err
	}
	q.Resource = d.table(table)
	// The database looks at these members in these operations only.
	if operation != "Query" && operation != "Scan" {
		b.IndexName, b.Select = "", ""
	}
	if b.IndexName != "" {
		q.Resource += "/index/" + b.IndexName
	}
	set := func(key, value string) {
		if value != "" {
			q.Context["dynamodb:"+key] = []string{value}
		}
	}
	e, err := parseExpressions(data)
	if err != nil {
		return q, err
	}
	reading := slices.Contains(reads, operation)
	if reading {
		// What is not said is what the database does.
		if b.Select == "" {
			if b.Select = "SPECIFIC_ATTRIBUTES"; e.everything() {
				b.Select = "ALL_ATTRIBUTES"
			}
		}
		reading = b.Select != "COUNT"
	}
	set("select", b.Select)
	if reading || slices.Contains(writes, operation) || operation == "ConditionCheckItem" {
		q.Context["dynamodb:attributes"] = e.attributes(reading, b.Key, b.Item)
	}
	set("returnvalues", b.ReturnValues)
	set("returnconsumedcapacity", b.ReturnConsumedCapacity)
	// Only the members that belong to the operation count: the database does
	// not look at others.
	var key map[string]json.RawMessage
	switch operation {
	case "Scan":
		set("fulltablescan", "true")
		return q, nil
	case "Query":
		if len(b.KeyConditions) > 0 {
			return q, errors.New(
				"the local cloud does not evaluate policies for the legacy parameter KeyConditions: use " +
					"KeyConditionExpression",
			)
		}
	case "PutItem":
		key = b.Item
	case "GetItem", "UpdateItem", "DeleteItem", "ConditionCheckItem":
		key = b.Key
	default:
		return q, nil // the control plane has no leading keys
	}
	name, err := d.schemas.hashKey(ctx, d, table, b.IndexName)
	if err != nil {
		return q, err
	}
	value := unreadable
	if operation == "Query" {
		value = leading(b, name)
	} else if v, ok := key[name]; ok {
		value = scalar(v)
	}
	set("leadingkeys", value)
	return q, nil
}

// batchKeys returns the partition keys and the attributes of one table's part
// of a batch.
func (d *Database) batchKeys(
	ctx context.Context,
	table, operation string,
	data json.RawMessage,
) (keys, attributes []string, err error) {
	hash, err := d.schemas.hashKey(ctx, d, table, "")
	if err != nil {
		return nil, nil, err
	}
	var all []map[string]json.RawMessage // keys, or items
	e := expressions{}
	if operation == "BatchGetItem" {
		if err := members(data, map[string]any{"Keys": &all}); err != nil {
			return nil, nil, fmt.Errorf("RequestItems: %v", err)
		}
		if e, err = parseExpressions(data); err != nil {
			return nil, nil, fmt.Errorf("RequestItems: %v", err)
		}
	} else if all, err = written(data); err != nil {
		return nil, nil, fmt.Errorf("RequestItems: %v", err)
	}
	for _, m := range all {
		keys = append(keys, scalar(m[hash]))
	}
	return keys, e.attributes(operation == "BatchGetItem", all...), nil
}

// written returns the items and keys of one table's part of a BatchWriteItem.
func written(data json.RawMessage) ([]map[string]json.RawMessage, error) {
	var writes []json.RawMessage
	if err := json.Unmarshal(data, &writes); err != nil {
		return nil, err
	}
	var out []map[string]json.RawMessage
	for _, w := range writes {
		var put, remove json.RawMessage
		var item, key map[string]json.RawMessage
		err := members(w, map[string]any{"PutRequest": &put, "DeleteRequest": &remove})
		if err == nil && put != nil {
			err = members(put, map[string]any{"Item": &item})
		}
		if err == nil && remove != nil {
			err = members(remove, map[string]any{"Key": &key})
		}
		if err != nil {
			return nil, err
		}
		for _, m := range []map[string]json.RawMessage{item, key} {
			if m != nil {
				out = append(out, m)
			}
		}
	}
	return out, nil
}

// scalar returns the text of a key attribute such as {"S":"x"}.
func scalar(data json.RawMessage) string {
	var v map[string]string
	if json.Unmarshal(data, &v) != nil || len(v) != 1 {
		return unreadable
	}
	for _, s := range v {
		return s
	}
	return unreadable
}

// leading finds the partition key's value in a key condition such as
// "#pk = :pk AND begins_with(#sk, :sk)".
func leading(b body, hash string) string {
	expression := strings.NewReplacer(
		"(",
		" ",
		")",
		" ",
		"=",
		" = ",
		",",
		" ",
	).Replace(
		b.KeyConditionExpression,
	)
	words := strings.Fields(expression)
	for i := 0; i+2 < len(words); i++ {
		if words[i+1] != "=" {
			continue
		}
		name, value := words[i], words[i+2]
		if strings.HasPrefix(name, ":") {
			name, value = value, name
		}
		if n, ok := b.ExpressionAttributeNames[name]; ok {
			name = n
		}
		if name == hash {
			return scalar(b.ExpressionAttributeValues[value])
		}
	}
	return unreadable
}

// errBusy means that the database could not be asked.
var errBusy = errors.New("the database does not answer")

// schemas remembers the partition keys of tables and indexes.
type schemas struct {
	mu   sync.Mutex
	keys map[string]string
}

// Forget drops what is remembered of tables; call it when one may change.
func (d *Database) Forget() { d.schemas.forget() }

func (s *schemas) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = nil
}

func (s *schemas) hashKey(ctx context.Context, d *Database, table, index string) (string, error) {
	s.mu.Lock()
	name, ok := s.keys[table+"/"+index]
	s.mu.Unlock()
	if ok {
		return name, nil
	}
	out, err := d.Client().DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return "", nil // the call fails in the database
	}
	if err != nil {
		return "", fmt.Errorf("%w: reading the keys of the table %s: %w", errBusy, table, err)
	}
	found := map[string]string{table + "/": hash(out.Table.KeySchema)}
	for _, i := range out.Table.GlobalSecondaryIndexes {
		found[table+"/"+aws.ToString(i.IndexName)] = hash(i.KeySchema)
	}
	for _, i := range out.Table.LocalSecondaryIndexes {
		found[table+"/"+aws.ToString(i.IndexName)] = hash(i.KeySchema)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = map[string]string{}
	}
	maps.Copy(s.keys, found)
	return s.keys[table+"/"+index], nil
}

func hash(schema []types.KeySchemaElement) string {
	for _, k := range schema {
		if k.KeyType == types.KeyTypeHash {
			return aws.ToString(k.AttributeName)
		}
	}
	return ""
}
