package dynamodb

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func TestCallsOfCodeCarryTheirFunction(t *testing.T) {
	t.Parallel()
	table(t, "source")
	get := func(c *dynamodb.Client) error {
		_, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName: aws.String("source"),
			Key:       attrs{"PK": s("x")},
		})
		return err
	}
	where := func(operator, value string) string {
		return `{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"` + arn(
			"source",
		) + `","Condition":{"` + operator + `":{"lambda:SourceFunctionArn":"` + value + `"}}}`
	}
	itself, _ := person(
		t,
		"itself",
		where("ArnEquals", "arn:aws:lambda:us-east-1:000000000000:function:itself"),
	)
	if err := get(itself); err != nil {
		t.Errorf("the function itself: %v", err)
	}
	for name, condition := range map[string]string{
		"another": where("ArnEquals", "arn:aws:lambda:us-east-1:000000000000:function:itself"),
		"lambda":  where("Null", "true"),
	} {
		c, _ := person(t, name, condition)
		if err := get(c); code(err) != "AccessDeniedException" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
