package dynamodb

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestNamesInExpressions(t *testing.T) {
	t.Parallel()
	names := map[string]string{"#n": "name", "#odd": "a-b.c", "#inner": "secret"}
	for expression, want := range map[string][]string{
		"": nil, "PK, #n": {"PK", "name"}, "doc.inner[0].#inner, list[3]": {"doc", "list"}, "doc . #inner": {"doc"}, "#odd": {"a-b.c"},
		"attribute_exists(PK) AND #n = :n OR NOT begins_with ( SK, :x )":    {"PK", "name", "SK"},
		"SET #n = if_not_exists(other, :v), n2 = :w REMOVE gone ADD k :one": {"name", "other", "n2", "gone", "k"},
		"size BETWEEN :a and :b": {"size"}, "v in (:a, :b)": {"v"},
	} {
		if got := named(expression, names); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", expression, got, want)
		}
	}
}

// A policy that names attributes lets requests for those pass, and none that
// returns or touches others.
func TestAttributesLimitWhatIsReadAndWritten(t *testing.T) {
	t.Parallel()
	table(t, "limited")
	c, _ := person(t, "limited", `{"Effect":"Allow","Action":"dynamodb:*","Resource":["`+arn("limited")+`","`+arn("limited")+`/index/*"],"Condition":{"ForAllValues:StringEquals":{"dynamodb:Attributes":["PK","open"]},"StringEqualsIfExists":{"dynamodb:Select":"SPECIFIC_ATTRIBUTES"}}}`)
	n, key := aws.String("limited"), attrs{"PK": s("x")}
	update := func(expression string) error {
		_, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: n, Key: key, UpdateExpression: &expression, ExpressionAttributeValues: attrs{":v": s("v")}})
		return err
	}
	get := func(projection *string) error {
		_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: n, Key: key, ProjectionExpression: projection})
		return err
	}
	put := func(item attrs) error {
		_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: n, Item: item})
		return err
	}
	batch := func(projection *string) error {
		_, err := c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"limited": {Keys: []map[string]types.AttributeValue{key}, ProjectionExpression: projection}}})
		return err
	}
	query := func(projection *string, condition string) error {
		_, err := c.Query(t.Context(), &dynamodb.QueryInput{TableName: n, KeyConditionExpression: aws.String("PK = :v"), FilterExpression: &condition, ProjectionExpression: projection, ExpressionAttributeValues: attrs{":v": s("v")}})
		return err
	}
	legacy := func() error {
		_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: n, Key: key, AttributesToGet: []string{"PK"}})
		return err
	}
	transaction := func(item attrs) error {
		_, err := c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Put: &types.Put{TableName: n, Item: item}}}})
		return err
	}
	secret := aws.String("PK, secret")
	for label, c := range map[string]struct {
		err     error
		allowed bool
	}{
		"put":              {put(attrs{"PK": s("x"), "open": s("1")}), true},
		"put more":         {put(attrs{"PK": s("x"), "secret": s("1")}), false},
		"update":           {update("SET open = :v"), true},
		"update more":      {update("SET open = :v REMOVE secret, :v"), false},
		"get":              {get(aws.String("PK, open")), true},
		"get more":         {get(secret), false},
		"get everything":   {get(nil), false},
		"batch":            {batch(aws.String("open")), true},
		"batch more":       {batch(secret), false},
		"batch everything": {batch(nil), false},
		"query":            {query(aws.String("open"), "open <> :v"), true},
		"query more":       {query(aws.String("open"), "secret <> :v"), false},
		"query everything": {query(nil, "open <> :v"), false},
		"legacy":           {legacy(), false},
		"transaction":      {transaction(attrs{"PK": s("y")}), true},
		"transaction more": {transaction(attrs{"PK": s("y"), "secret": s("1")}), false},
	} {
		if denied := code(c.err) == "AccessDeniedException"; denied == c.allowed {
			t.Errorf("%s: got %v", label, c.err)
		}
	}
}
