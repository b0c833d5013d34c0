package stack

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/servicequotas"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/components"
	"items-api/internal/api"
)

// autoReservation stands for a reservation that the account's limit decides;
// sized puts a number, or components.NoReservation, in its place.
const autoReservation = -2

// autoBurst stands for a burst that follows from the reservation; sized puts a
// number in its place.
const autoBurst = 0

// maxBurst is the account's limit of a burst in most regions. Source: API
// Gateway developer guide, "Quotas for configuring and running an HTTP API".
const maxBurst = 5000

// usualMs is how long an invocation is taken to run, in milliseconds, when a
// rate is compared with a reservation. One that hits a running environment
// takes a few; the rest is room for cold starts and for slow calls.
const usualMs = 100

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

func (p *parser) burst(text string) int {
	if text == "auto" {
		return autoBurst
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxBurst {
		p.fail("must be a whole number from 1 to %d, or auto, not %q", maxBurst, text)
	}
	return n
}

// sized asks for the account's limit and returns the settings with numbers in
// place of what follows from it: the reservation, or components.NoReservation,
// and the burst. It warns of set numbers that do not fit each other. Nothing is
// asked for none.
func (s Settings) sized(ctx *pulumi.Context) (Settings, error) {
	var limit int
	var unread error
	if s.ReservedConcurrency != components.NoReservation {
		limit, unread = concurrencyLimit(ctx)
	}
	out, warnings, err := s.sizedFor(limit, unread)
	if err != nil {
		return s, err
	}
	for _, w := range warnings {
		if err := ctx.Log.Warn(w, nil); err != nil {
			return s, fmt.Errorf("warning of %q: %w", w, err)
		}
	}
	return out, nil
}

func concurrencyLimit(ctx *pulumi.Context) (int, error) {
	code := "L-B99A9384"
	quota, err := servicequotas.LookupServiceQuota(ctx, &servicequotas.LookupServiceQuotaArgs{
		ServiceCode: "lambda",
		QuotaCode:   &code,
	})
	if err != nil {
		return 0, err
	}
	return int(quota.Value), nil
}

// sizedFor is sized for a limit, or for the reason why it could not be read.
func (s Settings) sizedFor(limit int, unread error) (out Settings, warnings []string, err error) {
	reserved, warning := s.ReservedConcurrency, ""
	switch {
	case s.ReservedConcurrency == components.NoReservation:
	case unread != nil:
		reserved, warning, err = s.fitUnknown(unread)
	default:
		reserved, warning, err = s.fit(limit)
	}
	if err != nil {
		return s, nil, err
	}
	// What is not reserved is shared, and how much of it the others leave is
	// not known: no more is let in than auto would reserve.
	atOnce, known := reserved, true
	if reserved == components.NoReservation {
		if atOnce, known = autoMost, limit > 0; known {
			atOnce = min(autoMost, limit)
		}
	}
	out = s
	out.ReservedConcurrency = reserved
	if s.ThrottleBurst == autoBurst {
		out.ThrottleBurst = min(atOnce, maxBurst)
	}
	warnings = append(warnings, warning)
	if known {
		warnings = append(warnings, out.burstWarning(atOnce), out.rateWarning(atOnce))
	}
	return out, slices.DeleteFunc(warnings, func(w string) bool { return w == "" }), nil
}

// burstWarning says that a burst of one route alone is more than the function
// may work on at once; "" if it is not.
func (s Settings) burstWarning(atOnce int) string {
	if s.ThrottleBurst <= atOnce {
		return ""
	}
	return fmt.Sprintf("%[1]s:throttleBurst is %[2]d and the function may work on %[3]d requests at once: "+
		"of %[2]d that come together on one route, the gateway answers up to %[4]d with 503 Service "+
		"Unavailable. "+
		"Say auto, or at most %[3]d, or reserve more with %[1]s:reservedConcurrency",
		Namespace, s.ThrottleBurst, atOnce, s.ThrottleBurst-atOnce)
}

// rateWarning says that the rate of one route alone keeps more busy than the
// function may work on at once, if an invocation takes usualMs; "" if not.
func (s Settings) rateWarning(atOnce int) string {
	fits := atOnce * 1000 / usualMs
	if s.ThrottleRate <= fits {
		return ""
	}
	return fmt.Sprintf(
		"%[1]s:throttleRate is %[2]d requests per second and the function may work on %[3]d at once: "+
			"that fits only while a request takes less than %[4]d ms on average, and the gateway answers "+
			"the rest with "+
			"503 Service Unavailable. Give at most %[5]d, or reserve more with %[1]s:reservedConcurrency",
		Namespace,
		s.ThrottleRate,
		atOnce,
		max(1, atOnce*1000/s.ThrottleRate),
		fits,
	)
}

// fit returns what each function reserves of a limit, and what to warn of.
// Only this stack is looked at: what others of the account have reserved in the
// region is in Lambda's GetAccountSettings, which pulumi-aws v6 has no function
// for, and AWS may refuse for it.
func (s Settings) fit(limit int) (n int, warning string, err error) {
	unreserved := min(mostUnreserved, limit)
	most, auto := (limit-unreserved)/s.functions(), min(autoMost, (limit-unreserved)/mostFunctions)
	switch {
	case s.ReservedConcurrency == autoReservation && auto == 0:
		return components.NoReservation, fmt.Sprintf(
			"%s:reservedConcurrency is auto, and nothing can be reserved of the account's limit of %d: "+
				"other functions of the account can take all of it, and requests then fail; %s to change that",
			Namespace,
			limit,
			increase(mostUnreserved+mostFunctions),
		), nil
	case s.ReservedConcurrency == autoReservation:
		return auto, "", nil
	case s.ReservedConcurrency > most:
		return 0, "", fmt.Errorf(
			"%s:reservedConcurrency is %d for each of %d functions, and the account's limit of %d "+
				"concurrent executions in this region leaves at most %d for each, because AWS keeps "+
				"%d unreserved: "+
				"give a number that fits, say auto or none, or %s",
			Namespace,
			s.ReservedConcurrency,
			s.functions(),
			limit,
			most,
			unreserved,
			increase(s.ReservedConcurrency*s.functions()+mostUnreserved),
		)
	}
	return s.ReservedConcurrency, "", nil
}

// fitUnknown is fit for a limit that could not be read. The provider asks for
// the default of the quota as well, which is another action.
func (s Settings) fitUnknown(cause error) (n int, warning string, err error) {
	const grant = "grant servicequotas:GetServiceQuota and servicequotas:GetAWSDefaultServiceQuota to " +
		"whoever deploys"
	if s.ReservedConcurrency == autoReservation {
		return 0, "", fmt.Errorf(
			"%s:reservedConcurrency is auto, and the account's limit of concurrent executions cannot be "+
				"read: %s, or give a number or none: %w",
			Namespace,
			grant,
			cause,
		)
	}
	return s.ReservedConcurrency, fmt.Sprintf(
		"the account's limit of concurrent executions cannot be read, so that AWS itself decides whether "+
			"%s:reservedConcurrency %d fits; "+
			"%s to have it checked before anything is created: %v",
		Namespace,
		s.ReservedConcurrency,
		grant,
		cause,
	), nil
}

// increase says how to get a limit.
func increase(to int) string {
	return fmt.Sprintf(
		"ask for more in the Service Quotas console or with `aws service-quotas "+
			"request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value %d`",
		to,
	)
}
