package dynamodb

import (
	"fmt"
	"maps"

	"items-api/internal/localcloud/iam"
)

// Route is how the code of a function in a VPC reaches DynamoDB.
type Route struct {
	VPC string
	// Endpoints are the gateway endpoints on the way; each must let a call through.
	Endpoints []Endpoint
	// Unreachable says why there is no way; "" if there is one.
	Unreachable string
}

// Endpoint is a gateway endpoint.
type Endpoint struct {
	ID     string
	Policy iam.Policy
}

// through judges a call by the policies of the endpoints on its way. The
// sentence is the one of AWS. Source: IAM user guide, "Troubleshoot access
// denied error messages".
func (d *Database) through(q iam.Request, identity Identity, call *Call) *fault {
	if identity.Route == nil {
		return nil
	}
	for _, e := range identity.Route.Endpoints {
		decision := iam.Evaluate([]iam.Policy{e.Policy.ForEverybody()}, d.passing(q, identity, e))
		if decision.Allowed {
			continue
		}
		call.Unmet = unmet(decision)
		reason := fmt.Sprintf("because no VPC endpoint policy allows the %s action", q.Action)
		if decision.ExplicitDeny {
			reason = "with an explicit deny in a VPC endpoint policy"
		}
		return denial(identity, q, reason, call.Unmet)
	}
	return nil
}

// passing is a request as an endpoint sees it. A function's role is what
// aws:PrincipalArn names, not its session. Source: IAM user guide, "AWS global
// condition context keys".
func (d *Database) passing(q iam.Request, identity Identity, e Endpoint) iam.Request {
	out := d.byCode(q, identity)
	out.Context = maps.Clone(out.Context)
	if out.Context == nil {
		out.Context = map[string][]string{}
	}
	for key, value := range map[string]string{
		"aws:principalarn":     identity.RoleARN,
		"aws:principalaccount": d.AccountID,
		"aws:principaltype":    "AssumedRole",
		"aws:requestedregion":  d.Region,
		"aws:resourceaccount":  d.AccountID,
		// The code asks by HTTPS on AWS.
		"aws:securetransport": "true",
		"aws:sourcevpc":       identity.Route.VPC,
		"aws:sourcevpce":      e.ID,
		"aws:viaawsservice":   "false",
	} {
		out.Context[key] = []string{value}
	}
	return out
}

// unreachable is the end of a call that no route leads to DynamoDB: nobody
// answers it, as nobody does on AWS, where the caller's time runs out.
func unreachable(call *Call, reason string) answered {
	call.ErrorCode, call.Unreachable = "Unreachable", reason
	return answered{silent: true}
}
