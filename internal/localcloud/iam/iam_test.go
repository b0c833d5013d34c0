package iam

import (
	"strings"
	"testing"

	"items-api/internal/seeds"
)

const table = "arn:aws:dynamodb:us-east-1:000000000000:table/items"

func parse(t *testing.T, statements ...string) Policy {
	t.Helper()
	p, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	allow := `{"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:Batch*"],"Resource":"` + table + `"}`
	deny := `{"Effect":"Deny","Action":"dynamodb:BatchWriteItem","Resource":"*"}`
	leading := `{"Effect":"Allow","Action":"dynamodb:Query","Resource":"` + table + `","Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["OWNER#a*"]}}}`
	notByCode := `{"Effect":"Allow","Action":"ec2:*","Resource":"*"},{"Effect":"Deny","Action":["ec2:DescribeSubnets"],"Resource":["*"],"Condition":{"Null":{"lambda:SourceFunctionArn":["false"]}}}`
	cases := []struct {
		name       string
		statements []string
		action     string
		resource   string
		context    map[string][]string
		allowed    bool
		explicit   bool
	}{
		{"exact", []string{allow}, "dynamodb:GetItem", table, nil, true, false},
		{"case of the action does not matter", []string{allow}, "dynamodb:getitem", table, nil, true, false},
		{"another action", []string{allow}, "dynamodb:PutItem", table, nil, false, false},
		{"another table", []string{allow}, "dynamodb:GetItem", table + "2", nil, false, false},
		{
			"index needs its own ARN",
			[]string{allow},
			"dynamodb:GetItem",
			table + "/index/a",
			nil,
			false,
			false,
		},
		{"wildcard in the action", []string{allow}, "dynamodb:BatchGetItem", table, nil, true, false},
		{"deny wins", []string{allow, deny}, "dynamodb:BatchWriteItem", table, nil, false, true},
		{
			"leading key fits",
			[]string{leading},
			"dynamodb:Query",
			table,
			map[string][]string{"dynamodb:leadingkeys": {"OWNER#ab"}},
			true,
			false,
		},
		{
			"one leading key does not fit",
			[]string{leading},
			"dynamodb:Query",
			table,
			map[string][]string{"dynamodb:leadingkeys": {"OWNER#ab", "OWNER#b"}},
			false,
			false,
		},
		{
			"ForAllValues holds for an absent key",
			[]string{leading},
			"dynamodb:Query",
			table,
			nil,
			true,
			false,
		},
		{
			"NotAction",
			[]string{`{"Effect":"Allow","NotAction":"dynamodb:Scan","Resource":"*"}`},
			"dynamodb:Scan",
			table,
			nil,
			false,
			false,
		},
		{
			"NotResource",
			[]string{`{"Effect":"Deny","Action":"*","NotResource":"` + table + `"}`, allow},
			"dynamodb:GetItem",
			table,
			nil,
			true,
			false,
		},
		{
			"denied to code, called by code",
			[]string{notByCode},
			"ec2:DescribeSubnets",
			"*",
			map[string][]string{SourceFunction: {"arn:aws:lambda:us-east-1:000000000000:function:f"}},
			false,
			true,
		},
		{
			"denied to code, called by Lambda",
			[]string{notByCode},
			"ec2:DescribeSubnets",
			"*",
			nil,
			true,
			false,
		},
		{
			"Null",
			[]string{
				`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"dynamodb:Select":"true"}}}`,
			},
			"a:b",
			table,
			map[string][]string{"dynamodb:select": {"COUNT"}},
			false,
			false,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := Evaluate([]Policy{parse(t, c.statements...)}, Request{c.action, c.resource, c.context})
			if d.Allowed != c.allowed || d.ExplicitDeny != c.explicit {
				t.Errorf("got %+v, want allowed %v, explicit deny %v", d, c.allowed, c.explicit)
			}
		})
	}
}

func TestParseRefusesByName(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"x"}}}`: "DateLessThan",
		`{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"StringEquals":{"aws:userid":"x"}}}`:      "aws:userid",
		`{"Effect":"Allow","Action":"a:b","Resource":"arn:aws:s3:::x/${aws:username}"}`:                         "policy variables",
		`{"Effect":"Maybe","Action":"a:b","Resource":"*"}`:                                                      "Maybe",
		`{"Effect":"Allow","Action":"a:b","Resource":"*","Colour":"red"}`:                                       "Colour",
		`{"Effect":"Allow","Action":"GetItem","Resource":"*"}`:                                                  "service prefix",
		`{"Effect":"Allow","Resource":"*"}`:                                                                     "Action",
		`{"Effect":"Allow","Action":"a:b"}`:                                                                     "Resource",
		`{"Effect":"Allow","Action":"a:b","Resource":"table"}`:                                                  "no ARN",
		`{"Effect":"Allow","Action":"a:b","Resource":"*","Sid":"λ"}`:                                            "character",
	}
	for statement, want := range cases {
		_, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[` + statement + `]}`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error that names %q", statement, err, want)
		}
	}
}

func TestPermissionMatchesSource(t *testing.T) {
	t.Parallel()
	p := Permission{Action: "lambda:InvokeFunction", Principal: "apigateway.amazonaws.com",
		SourceARN: "arn:aws:execute-api:us-east-1:000000000000:abc/$default/GET/items/*"}
	const base = "arn:aws:execute-api:us-east-1:000000000000:"
	for source, want := range map[string]bool{
		base + "abc/$default/GET/items/{id}": true,
		base + "abc/$default/PUT/items/{id}": false,
		base + "xyz/$default/GET/items/{id}": false,
	} {
		if got := p.Allows(
			"lambda:InvokeFunction",
			"apigateway.amazonaws.com",
			source,
			"000000000000",
		); got != want {
			t.Errorf("%s: got %v, want %v", source, got, want)
		}
	}
	if p.Allows("lambda:InvokeFunction", "events.amazonaws.com", base+"abc/$default/GET/items/{id}", "") {
		t.Error("another service was let in")
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	p := parse(
		t,
		`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}`,
	)
	if !p.TrustAllows("lambda.amazonaws.com", "sts:AssumeRole") ||
		p.TrustAllows("ec2.amazonaws.com", "sts:AssumeRole") {
		t.Error("the trust policy was misread")
	}
}

func FuzzParse(f *testing.F) {
	seeds.Add(f)
	f.Add([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*"}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		if p, err := Parse(doc); err == nil {
			Evaluate([]Policy{p}, Request{Action: "a:b", Resource: table})
			p.Grants()
		}
	})
}
