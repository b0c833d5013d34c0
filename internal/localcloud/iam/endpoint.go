package iam

import "slices"

// EndpointKeys are the condition keys that calls carry through an endpoint for
// DynamoDB; a policy that tests another is refused. Source: IAM user guide,
// "AWS global condition context keys".
var EndpointKeys = slices.Concat(keys, []string{
	"aws:principalaccount",
	"aws:principalarn",
	"aws:principaltype",
	"aws:requestedregion",
	"aws:resourceaccount",
	"aws:securetransport",
	"aws:sourcevpc",
	"aws:sourcevpce",
	"aws:viaawsservice",
})

// CheckEndpoint tests the policy of an endpoint for DynamoDB that is new.
func CheckEndpoint(doc []byte) error {
	if err := CheckResource(doc); err != nil {
		return err
	}
	_, err := parsePolicy(doc, EndpointKeys)
	return err
}

// ForEverybody returns the statements whose Principal is *. The policy of a
// gateway endpoint has no others that functions could use: one that names an
// account lets its root user through only. Source: AWS PrivateLink guide,
// "Principals for gateway endpoints".
func (p Policy) ForEverybody() Policy {
	out := Policy{Version: p.Version}
	for _, s := range p.Statements {
		if s.AnyPrincipal || slices.Contains(s.Principals, "*") {
			out.Statements = append(out.Statements, s)
		}
	}
	return out
}
