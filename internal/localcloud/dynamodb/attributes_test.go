package dynamodb

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestNamesInExpressions(t *testing.T) {
	t.Parallel()
	names := map[string]string{"#n": "name", "#odd": "a-b.c", "#inner": "secret", "#s": "s"}
	for expression, want := range map[string][]string{
		"":                             nil,
		"PK, #n":                       {"PK", "name"},
		"doc.inner[0].#inner, list[3]": {"doc", "list"},
		"doc . #inner":                 {"doc"},
		"#odd":                         {"a-b.c"},
		"attribute_exists(PK) AND #n = :n OR NOT begins_with ( SK, :x )": {"PK", "name", "SK"},
		"SET #n = if_not_exists(other, :v), n2 = :w REMOVE gone ADD k :one": {
			"name", "other", "n2", "gone", "k",
		},
		"SET x = #s-:z":          {"x", "s"},
		"#none = :v":             {unreadable},
		"size BETWEEN :a and :b": {"size"},
		"v in (:a, :b)":          {"v"},
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
	c, _ := person(
		t,
		"limited",
		`{"Effect":"Allow","Action":"dynamodb:*","Resource":["`+arn(
			"limited",
		)+`","`+arn(
			"limited",
		)+`/index/*"],"Condition":{"ForAllValues:StringEquals":{"dynamodb:Attributes":["PK","open"]},"StringEqualsIfExists":{"dynamodb:Select":"SPECIFIC_ATTRIBUTES"}}}`,
	)
	n, key := aws.String("limited"), attrs{"PK": s("x")}
	update := func(expression string) error {
		_, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName:                 n,
			Key:                       key,
			UpdateExpression:          &expression,
			ExpressionAttributeValues: attrs{":v": s("v")},
		})
		return err
	}
	get := func(projection *string) error {
		_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName:            n,
			Key:                  key,
			ProjectionExpression: projection,
		})
		return err
	}
	put := func(item attrs) error {
		_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: n, Item: item})
		return err
	}
	batch := func(projection *string) error {
		_, err := c.BatchGetItem(
			t.Context(),
			&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"limited": {
				Keys:                 []map[string]types.AttributeValue{key},
				ProjectionExpression: projection,
			}}},
		)
		return err
	}
	query := func(projection *string, condition string) error {
		_, err := c.Query(t.Context(), &dynamodb.QueryInput{
			TableName:                 n,
			KeyConditionExpression:    aws.String("PK = :v"),
			FilterExpression:          &condition,
			ProjectionExpression:      projection,
			ExpressionAttributeValues: attrs{":v": s("v")},
		})
		return err
	}
	counted := func() error {
		raw := &dynamodb.GetItemInput{TableName: n, Key: key}
		_, err := c.GetItem(
			t.Context(),
			raw,
			func(o *dynamodb.Options) { o.HTTPClient = adds{`"Select":"COUNT"`} },
		)
		return err
	}
	minus := func() error {
		_, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName:                 n,
			Key:                       key,
			UpdateExpression:          aws.String("SET open = #s-:v"),
			ExpressionAttributeNames:  map[string]string{"#s": "secret"},
			ExpressionAttributeValues: attrs{":v": &types.AttributeValueMemberN{Value: "0"}},
		})
		return err
	}
	legacy := func() error {
		_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName:       n,
			Key:             key,
			AttributesToGet: []string{"PK"},
		})
		return err
	}
	transaction := func(item attrs) error {
		_, err := c.TransactWriteItems(
			t.Context(),
			&dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Put: &types.Put{
				TableName: n,
				Item:      item,
			}}}},
		)
		return err
	}
	secret := aws.String("PK, secret")
	for label, c := range map[string]struct {
		err     error
		allowed bool
	}{
		"put":               {put(attrs{"PK": s("x"), "open": s("1")}), true},
		"put more":          {put(attrs{"PK": s("x"), "secret": s("1")}), false},
		"update":            {update("SET open = :v"), true},
		"update more":       {update("SET open = :v REMOVE secret, :v"), false},
		"get":               {get(aws.String("PK, open")), true},
		"get more":          {get(secret), false},
		"get everything":    {get(nil), false},
		"batch":             {batch(aws.String("open")), true},
		"batch more":        {batch(secret), false},
		"batch everything":  {batch(nil), false},
		"query":             {query(aws.String("open"), "open <> :v"), true},
		"query more":        {query(aws.String("open"), "secret <> :v"), false},
		"query everything":  {query(nil, "open <> :v"), false},
		"hidden by a minus": {minus(), false},
		"get as a count":    {counted(), false},
		"legacy":            {legacy(), false},
		"transaction":       {transaction(attrs{"PK": s("y")}), true},
		"transaction more":  {transaction(attrs{"PK": s("y"), "secret": s("1")}), false},
	} {
		if denied := code(c.err) == "AccessDeniedException"; denied == c.allowed {
			t.Errorf("%s: got %v", label, c.err)
		}
	}
}

// adds is a client that puts a member into a body and signs it again.
type adds struct{ member string }

func (a adds) Do(r *http.Request) (*http.Response, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	data = slices.Concat([]byte("{"+a.member+","), data[1:])
	mu.Lock()
	i := people["KEYlimited"]
	mu.Unlock()
	q, err := http.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	q.Header.Set("X-Amz-Target", r.Header.Get("X-Amz-Target"))
	q.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	sum := sha256.Sum256(data)
	err = v4.NewSigner().SignHTTP(r.Context(), aws.Credentials{
		AccessKeyID:     i.AccessKeyID,
		SecretAccessKey: i.SecretAccessKey,
		SessionToken:    i.SessionToken,
	},
		q, hex.EncodeToString(sum[:]), "dynamodb", "us-east-1", time.Now())
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(q)
}
