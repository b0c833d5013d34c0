package dynamodb

import (
	"fmt"
	"net/http"
	"strings"

	"items-api/internal/localcloud/iam"
)

const accessDenied = coral + "AccessDeniedException"

// judge evaluates the policies for all that a call must be allowed to do. The
// sentence is the one of AWS; the conditions after it are ours, since without
// them a statement that is there seems to be missing. Source of the sentence:
// IAM user guide, "Troubleshoot access denied error messages".
func (d *Database) judge(requests []iam.Request, identity Identity, call *Call) *fault {
	for _, q := range requests {
		decision := iam.Evaluate(identity.Policies, d.byCode(q, identity))
		if decision.Allowed {
			if denied := d.through(q, identity, call); denied != nil {
				return denied
			}
			continue
		}
		call.Denied, call.Unmet = q.Action, unmet(decision)
		reason := fmt.Sprintf("because no identity-based policy allows the %s action", q.Action)
		if decision.ExplicitDeny {
			reason = "with an explicit deny in an identity-based policy"
		}
		return denial(identity, q, reason, call.Unmet)
	}
	return nil
}

// denial is the answer to a call that policies do not allow.
func denial(identity Identity, q iam.Request, reason string, unmet []string) *fault {
	message := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s",
		identity.PrincipalARN, q.Action, q.Resource, reason)
	if len(unmet) > 0 {
		message += ": " + strings.Join(unmet, "; ")
	}
	return &fault{http.StatusBadRequest, accessDenied, message}
}

// unmet says which conditions a request does not meet. What the gate cannot
// tell of a request is said to be that.
func unmet(decision iam.Decision) []string {
	var out []string
	for _, u := range decision.Unmet {
		got := make([]string, len(u.Got))
		for i, v := range u.Got {
			if got[i] = v; v == unreadable {
				got[i] = "(what cannot be told from the request)"
			}
		}
		u.Got = got
		out = append(out, u.String())
	}
	return out
}
