package stack

import (
	"fmt"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/servicequotas"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/components"
	"items-api/internal/api"
)

// autoReservation stands for a reservation that the account's limit decides;
// reserve puts a number, or components.NoReservation, in its place.
const autoReservation = -2

// mostUnreserved is what AWS keeps of the account's limit for functions that
// reserve nothing; all of a limit that is not above it. Source: Lambda
// Developer Guide, "Configuring reserved concurrency", and the error of
// accounts with smaller limits ("below its minimum value of [10]").
const mostUnreserved = 100

// autoMost is what auto reserves for each function at most.
const autoMost = 100

func (p *parser) concurrency(text string) int {
	switch text {
	case "auto":
		return autoReservation
	case "none":
		return components.NoReservation
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 100000 {
		p.fail("must be a whole number from 1 to 100000, auto or none, not %q", text)
	}
	return n
}

// mostFunctions is how many functions there are in the mode that has the most.
// auto divides by it in every mode: the handler is changed before an authorizer
// that goes is deleted, and AWS would refuse what the two reserve meanwhile.
const mostFunctions = 2

// functions is how many functions reserve concurrency: the handler, and the
// authorizer for API keys.
func (s Settings) functions() int {
	if s.Auth.Mode == api.AuthLambda {
		return 2
	}
	return 1
}

// reserve asks for the account's limit and returns what each function
// reserves, or components.NoReservation. Nothing is asked for none.
func (s Settings) reserve(ctx *pulumi.Context) (int, error) {
	if s.ReservedConcurrency == components.NoReservation {
		return s.ReservedConcurrency, nil
	}
	code := "L-B99A9384"
	quota, err := servicequotas.LookupServiceQuota(ctx, &servicequotas.LookupServiceQuotaArgs{ServiceCode: "lambda", QuotaCode: &code})
	var n int
	var warning string
	if err != nil {
		n, warning, err = s.fitUnknown(err)
	} else {
		n, warning, err = s.fit(int(quota.Value))
	}
	if err == nil && warning != "" {
		err = ctx.Log.Warn(warning, nil)
	}
	return n, err
}

// fit returns what each function reserves of a limit, and what to warn of.
// Only this stack is looked at: what other stacks of the account have reserved
// in the region is not known here, and AWS may refuse for it.
func (s Settings) fit(limit int) (n int, warning string, err error) {
	unreserved := min(mostUnreserved, limit)
	most, auto := (limit-unreserved)/s.functions(), min(autoMost, (limit-unreserved)/mostFunctions)
	switch {
	case s.ReservedConcurrency == autoReservation && auto == 0:
		return components.NoReservation, fmt.Sprintf("%s:reservedConcurrency is auto, and nothing can be reserved of the account's limit of %d: "+
			"other functions of the account can take all of it, and requests then fail; %s to change that", Namespace, limit, increase(mostUnreserved+mostFunctions)), nil
	case s.ReservedConcurrency == autoReservation:
		return auto, "", nil
	case s.ReservedConcurrency > most:
		return 0, "", fmt.Errorf("%s:reservedConcurrency is %d for each of %d functions, and the account's limit of %d concurrent executions in this region leaves at most %d for each, because AWS keeps %d unreserved: "+
			"give a number that fits, say auto or none, or %s", Namespace, s.ReservedConcurrency, s.functions(), limit, most, unreserved, increase(s.ReservedConcurrency*s.functions()+mostUnreserved))
	}
	return s.ReservedConcurrency, "", nil
}

// fitUnknown is fit for a limit that could not be read. The provider asks for
// the default of the quota as well, which is another action.
func (s Settings) fitUnknown(cause error) (n int, warning string, err error) {
	const grant = "grant servicequotas:GetServiceQuota and servicequotas:GetAWSDefaultServiceQuota to whoever deploys"
	if s.ReservedConcurrency == autoReservation {
		return 0, "", fmt.Errorf("%s:reservedConcurrency is auto, and the account's limit of concurrent executions cannot be read: %s, or give a number or none: %w", Namespace, grant, cause)
	}
	return s.ReservedConcurrency, fmt.Sprintf("the account's limit of concurrent executions cannot be read, so that AWS itself decides whether %s:reservedConcurrency %d fits; "+
		"%s to have it checked before anything is created: %v", Namespace, s.ReservedConcurrency, grant, cause), nil
}

// increase says how to get a limit.
func increase(to int) string {
	return fmt.Sprintf("ask for more in the Service Quotas console or with `aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value %d`", to)
}
