package iam

import (
	"strings"
	"testing"
)

func TestResourcePolicyLetsAServiceIn(t *testing.T) {
	t.Parallel()
	const bucket = "arn:aws:s3:::b/*"
	condition := func(operator, key, value string) string {
		return `,"Condition":{"` + operator + `":{"` + key + `":"` + value + `"}}`
	}
	statement := func(effect, principal, rest string) string {
		return `{"Effect":"` + effect + `","Principal":` + principal + `,"Action":"s3:PutObject","Resource":"` + bucket + `"` + rest + `}`
	}
	const service = `{"Service":"cloudtrail.amazonaws.com"}`
	allow := statement("Allow", service, "")
	for doc, want := range map[string]bool{
		allow:                                 true,
		statement("Allow", `"*"`, ""):         true,
		statement("Allow", `{"AWS":"*"}`, ""): true,
		statement("Allow", `{"AWS":"000000000000"}`, ""):                                          false,
		statement("Allow", `{"Service":"logs.amazonaws.com"}`, ""):                                false,
		statement("Allow", service, condition("StringEquals", "aws:SourceArn", "t")):              true,
		statement("Allow", service, condition("StringEquals", "aws:SourceArn", "u")):              false,
		statement("Allow", service, condition("StringEquals", "aws:PrincipalOrgID", "o")):         false,
		allow + "," + statement("Deny", `"*"`, condition("Bool", "aws:SecureTransport", "false")): true,
		allow + "," + statement("Deny", `"*"`, ""):                                                false,
		allow + "," + statement("Deny", `{"Service":"logs.amazonaws.com"}`, ""):                   true,
	} {
		p, err := ParseResource([]byte(`{"Version":"2012-10-17","Statement":[` + doc + `]}`))
		if err != nil {
			t.Errorf("%s: %v", doc, err)
			continue
		}
		got := p.AllowsService("cloudtrail.amazonaws.com", Request{
			Action:   "s3:PutObject",
			Resource: "arn:aws:s3:::b/x",
			Context:  map[string][]string{"aws:sourcearn": {"t"}, "aws:securetransport": {"true"}},
		})
		if got != want {
			t.Errorf("%s: got %v, want %v", doc, got, want)
		}
	}
}

func TestMalformedResourcePolicies(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		`{`: "MalformedPolicyDocument",
		`{"Version":"2012-10-17","Statement":[]}`:                                                             "no statement",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*"}}`:               "there must be a Principal",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a:b","Principal":"*"}}`:              "there must be Resource",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a","Principal":"*","Resource":"*"}}`: "no service prefix",
	} {
		if _, err := ParseResource([]byte(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", doc, err, want)
		}
	}
	// The keys of requests of functions are known; in their policies another is refused.
	identity := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{"StringEquals":{"aws:SourceArn":"t"}}}}`
	if _, err := Parse([]byte(identity)); err == nil || !strings.Contains(err.Error(), "aws:SourceArn") {
		t.Errorf("got %v", err)
	}
}
