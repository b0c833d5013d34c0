package dynamodb

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// What AWS says comes first, whatever comes after it.
func TestDenialNamesTheConditionThatIsNotMet(t *testing.T) {
	t.Parallel()
	table(t, "conditions")
	n := aws.String("conditions")
	c, i := person(
		t,
		"conditioned",
		`{"Sid":"Own","Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Query"],"Resource":"`+arn(
			"conditions",
		)+`",`+
			`"Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["OWNER#*"]}}}`,
	)
	_, got := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: n, Key: attrs{"PK": s("KEY#1")}})
	_, query := c.Query(t.Context(), &dynamodb.QueryInput{
		TableName:                 n,
		KeyConditionExpression:    aws.String("PK = :p OR PK = :q"),
		ExpressionAttributeValues: attrs{":p": s("OWNER#1")},
		IndexName:                 aws.String("byG"),
	})
	_, unknown := c.Query(t.Context(), &dynamodb.QueryInput{
		TableName:                 n,
		KeyConditionExpression:    aws.String("G = :p"),
		ExpressionAttributeValues: attrs{":p": s("OWNER#1")},
	})
	_, other := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: n,
		Key:       attrs{"PK": s("KEY#1")},
	})
	const wants = `: the condition ForAllValues:StringLike of dynamodb:LeadingKeys in the statement "Own" wants ["OWNER#*"], and the request has `
	user := "User: " + i.PrincipalARN + " is not authorized to perform: "
	because := func(action, resource string) string {
		return user + action + " on resource: " + resource + " because no identity-based policy allows the " + action + " action"
	}
	for _, x := range []struct {
		err  error
		want string
	}{
		{got, because("dynamodb:GetItem", arn("conditions")) + wants + `["KEY#1"]`},
		{query, because("dynamodb:Query", arn("conditions")+"/index/byG")},
		{unknown, because("dynamodb:Query", arn("conditions")) + wants + `["(what cannot be told from the request)"]`},
		{other, because("dynamodb:DeleteItem", arn("conditions"))},
	} {
		if code(x.err) != "AccessDeniedException" || !strings.HasSuffix(x.err.Error(), ": "+x.want) {
			t.Errorf("got %v, want %s", x.err, x.want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, call := range calls {
		if call.Function == "conditioned" && call.Operation == "GetItem" &&
			(len(call.Unmet) != 1 || !strings.Contains(call.Unmet[0], "KEY#1")) {
			t.Errorf("the call was observed with %q", call.Unmet)
		}
	}
}
