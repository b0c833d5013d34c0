package iam

import (
	"strings"
	"testing"
)

func TestMemberThatAppearsTwiceIsRefused(t *testing.T) {
	t.Parallel()
	const version = `{"Version":"2012-10-17","Statement":`
	for doc, want := range map[string]string{
		version + `[],"Statement":[]}`: "the member Statement appears twice",
		version + `[{"Effect":"Allow","Effect":"Deny","Action":"a:b","Resource":"*"}]}`: "the member Statement[0].Effect appears twice",
		version + `[{"Effect":"Allow","effect":"Deny","Action":"a:b","Resource":"*"}]}`: "the member Statement[0].effect appears twice",
		version + `{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":` +
			`{"StringLike":{"dynamodb:LeadingKeys":"a","dynamodb:LeadingKeys":"b"}}}}`: "the member Statement.Condition.StringLike.dynamodb:LeadingKeys appears twice",
		version + `{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":` +
			`{"StringLike":{"dynamodb:LeadingKeys":"a"},"StringLike":{"dynamodb:Select":"b"}}}}`: "the member Statement.Condition.StringLike appears twice",
		version + `[{"Effect":"Allow","Action":"a:b","Resource":"*","Action":"c:d"},{}]}`: "the member Statement[0].Action appears twice",
	} {
		for name, check := range map[string]func([]byte) error{
			"Check":         Check,
			"CheckResource": CheckResource,
		} {
			if err := check(
				[]byte(doc),
			); err == nil ||
				!strings.Contains(err.Error(), "MalformedPolicyDocument: "+want) {
				t.Errorf("%s of %s: got %v, want %s", name, doc, err, want)
			}
		}
	}
	// The same name in two objects is nothing twice, and what is no JSON is said to be that.
	if err := Check(
		[]byte(
			version + `[{"Effect":"Allow","Action":"a:b","Resource":"*"},{"Effect":"Allow","Action":"a:b","Resource":"*"}]}`,
		),
	); err != nil {
		t.Error(err)
	}
	if err := Check([]byte(`{"Version":[1 2`)); err == nil || strings.Contains(err.Error(), "twice") {
		t.Errorf("got %v", err)
	}
}

func TestDenialNamesTheConditionThatIsNotMet(t *testing.T) {
	t.Parallel()
	own := parse(t, `{"Sid":"Own","Effect":"Allow","Action":"dynamodb:GetItem","Resource":"`+table+`",`+
		`"Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["OWNER#*"]}}}`)
	all := parse(
		t,
		`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqualsIfExists":{"dynamodb:Select":"COUNT"},"Null":{"dynamodb:Attributes":"false"}}}`,
	)
	ask := func(p Policy, action string, context map[string][]string) []Unmet {
		return Evaluate([]Policy{p}, Request{action, table, context}).Unmet
	}
	for _, c := range []struct {
		policy  Policy
		action  string
		context map[string][]string
		want    []string
	}{
		{own, "dynamodb:GetItem", map[string][]string{"dynamodb:leadingkeys": {"KEY#1"}}, []string{
			`the condition ForAllValues:StringLike of dynamodb:LeadingKeys in the statement "Own" wants ["OWNER#*"], and the request has ["KEY#1"]`,
		}},
		{own, "dynamodb:GetItem", map[string][]string{"dynamodb:leadingkeys": {"OWNER#1"}}, nil},
		{own, "dynamodb:PutItem", map[string][]string{"dynamodb:leadingkeys": {"KEY#1"}}, nil},
		{all, "a:b", map[string][]string{"dynamodb:select": {"ALL_ATTRIBUTES"}}, []string{
			`the condition Null of dynamodb:Attributes in a statement wants ["false"], and the request has none`,
			`the condition StringEqualsIfExists of dynamodb:Select in a statement wants ["COUNT"], and the request has ["ALL_ATTRIBUTES"]`,
		}},
	} {
		got := ask(c.policy, c.action, c.context)
		if len(got) != len(c.want) {
			t.Errorf("%s with %v: got %v, want %v", c.action, c.context, got, c.want)
			continue
		}
		for i, u := range got {
			if u.String() != c.want[i] {
				t.Errorf("got %s, want %s", u, c.want[i])
			}
		}
	}
}
