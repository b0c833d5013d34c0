package dynamodb

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
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
	Key, Item                 map[string]json.RawMessage
	ExpressionAttributeValues map[string]json.RawMessage
	ExpressionAttributeNames  map[string]string
	KeyConditionExpression    string
	Select, ReturnValues      string
	ReturnConsumedCapacity    string
	RequestItems              map[string]json.RawMessage
	TransactItems             []map[string]body
}

// requests returns what a call must be allowed to do: each action on each
// resource. Transactions need the actions of what they contain. Source:
// Service Authorization Reference, "Actions, resources, and condition keys for
// Amazon DynamoDB"; DynamoDB developer guide, "Using IAM with transactions".
func (d *Database) requests(ctx context.Context, operation string, data []byte) ([]iam.Request, error) {
	var b body
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, fmt.Errorf("the request is no JSON object: %v", err)
	}
	switch operation {
	case "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction":
		return nil, fmt.Errorf("the local cloud does not evaluate policies for PartiQL (%s): use the operations of the DynamoDB API", operation)
	case "ListTables", "DescribeLimits", "DescribeEndpoints":
		return []iam.Request{{Action: "dynamodb:" + operation, Resource: d.table("*")}}, nil
	case "BatchGetItem", "BatchWriteItem":
		var out []iam.Request
		for _, table := range slices.Sorted(maps.Keys(b.RequestItems)) {
			keys, err := d.batchKeys(ctx, table, operation, b.RequestItems[table])
			if err != nil {
				return nil, err
			}
			out = append(out, iam.Request{Action: "dynamodb:" + operation, Resource: d.table(table),
				Context: map[string][]string{"dynamodb:leadingkeys": keys}})
		}
		return out, nil
	case "TransactWriteItems", "TransactGetItems":
		actions := map[string]string{"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem"}
		var out []iam.Request
		for _, item := range b.TransactItems {
			for kind, part := range item {
				action, ok := actions[kind]
				if !ok {
					return nil, fmt.Errorf("the local cloud does not know %s in a transaction", kind)
				}
				q := d.single(ctx, action, part)
				q.Context["dynamodb:enclosingoperation"] = []string{operation}
				out = append(out, q)
			}
		}
		return out, nil
	}
	return []iam.Request{d.single(ctx, operation, b)}, nil
}

func (d *Database) table(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/%s", d.Region, d.AccountID, name)
}

func (d *Database) single(ctx context.Context, operation string, b body) iam.Request {
	q := iam.Request{Action: "dynamodb:" + operation, Resource: d.table(b.TableName), Context: map[string][]string{}}
	if b.IndexName != "" {
		q.Resource += "/index/" + b.IndexName
	}
	set := func(key, value string) {
		if value != "" {
			q.Context["dynamodb:"+key] = []string{value}
		}
	}
	set("select", b.Select)
	set("returnvalues", b.ReturnValues)
	set("returnconsumedcapacity", b.ReturnConsumedCapacity)
	if operation == "Scan" {
		set("fulltablescan", "true")
	}
	hash, err := d.schemas.hashKey(ctx, d, b.TableName, b.IndexName)
	if err != nil {
		return q // an unknown table fails in the database
	}
	for _, m := range []map[string]json.RawMessage{b.Key, b.Item} {
		if v, ok := m[hash]; ok {
			set("leadingkeys", scalar(v))
		}
	}
	if b.KeyConditionExpression != "" {
		set("leadingkeys", leading(b, hash))
	}
	return q
}

// batchKeys returns the partition keys of one table's part of a batch.
func (d *Database) batchKeys(ctx context.Context, table, operation string, data json.RawMessage) ([]string, error) {
	hash, err := d.schemas.hashKey(ctx, d, table, "")
	if err != nil {
		return nil, nil // an unknown table fails in the database
	}
	var out []string
	if operation == "BatchGetItem" {
		var get struct{ Keys []map[string]json.RawMessage }
		if err := json.Unmarshal(data, &get); err != nil {
			return nil, fmt.Errorf("RequestItems: %v", err)
		}
		for _, k := range get.Keys {
			out = append(out, scalar(k[hash]))
		}
		return out, nil
	}
	var writes []struct {
		PutRequest    *struct{ Item map[string]json.RawMessage }
		DeleteRequest *struct{ Key map[string]json.RawMessage }
	}
	if err := json.Unmarshal(data, &writes); err != nil {
		return nil, fmt.Errorf("RequestItems: %v", err)
	}
	for _, w := range writes {
		if w.PutRequest != nil {
			out = append(out, scalar(w.PutRequest.Item[hash]))
		}
		if w.DeleteRequest != nil {
			out = append(out, scalar(w.DeleteRequest.Key[hash]))
		}
	}
	return out, nil
}

// scalar returns the text of a key attribute such as {"S":"x"}.
func scalar(data json.RawMessage) string {
	var v map[string]string
	if json.Unmarshal(data, &v) != nil {
		return ""
	}
	for _, s := range v {
		return s
	}
	return ""
}

// leading finds the partition key's value in a key condition such as
// "#pk = :pk AND begins_with(#sk, :sk)".
func leading(b body, hash string) string {
	expression := strings.NewReplacer("(", " ", ")", " ", "=", " = ", ",", " ").Replace(b.KeyConditionExpression)
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
	return ""
}

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
	table = table[strings.LastIndex(table, "/")+1:]
	s.mu.Lock()
	name, ok := s.keys[table+"/"+index]
	s.mu.Unlock()
	if ok {
		return name, nil
	}
	out, err := d.Client().DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return "", err
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
