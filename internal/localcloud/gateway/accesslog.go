package gateway

import (
	"encoding/json"
	"regexp"
	"strconv"
	"time"
)

var variable = regexp.MustCompile(`\$context\.[A-Za-z0-9_.:-]*[A-Za-z0-9_]`)

// accessLine fills a format. A variable without a value is "-". Source: API
// Gateway developer guide, "Logging variables for HTTP API access logs".
func accessLine(format string, r *request, p reply, took time.Duration) []byte {
	// latency and lambda are of the integration, answered is what the function
	// returned itself.
	latency, lambda, answered := "-", "-", "-"
	if p.called {
		latency, lambda = strconv.FormatInt(p.result.Duration.Milliseconds(), 10), "200"
	}
	if p.answered {
		answered = strconv.Itoa(p.status)
	}
	known := map[string]string{
		"accountId":                     r.api.AccountID,
		"apiId":                         r.api.ID,
		"awsEndpointRequestId":          p.result.RequestID,
		"customDomain.basePathMatched":  r.mapping.Key,
		"domainName":                    host(r.http),
		"domainPrefix":                  prefix(host(r.http)),
		"httpMethod":                    r.http.Method,
		"identity.sourceIp":             source(r.http),
		"identity.userAgent":            r.http.UserAgent(),
		"integration.error":             p.err,
		"integrationErrorMessage":       p.err,
		"integration.integrationStatus": lambda,
		"integrationStatus":             lambda,
		"integration.latency":           latency,
		"integrationLatency":            latency,
		"integration.requestId":         p.result.RequestID,
		"integration.status":            answered,
		"path":                          r.rawPath,
		"protocol":                      "HTTP/1.1",
		"requestId":                     r.id,
		"extendedRequestId":             r.id,
		"requestTime":                   r.received.UTC().Format(clfTime),
		"requestTimeEpoch":              strconv.FormatInt(r.received.UnixMilli(), 10),
		"responseLatency":               strconv.FormatInt(took.Milliseconds(), 10),
		"responseLength":                strconv.Itoa(len(p.body)),
		"routeKey":                      r.match.route.Key,
		"stage":                         r.stage.Name,
		"status":                        strconv.Itoa(p.status),
	}
	if p.status >= 400 && !p.called && len(p.body) > 0 {
		var made struct{ Message string }
		if json.Unmarshal(p.body, &made) == nil {
			known["error.message"], known["error.messageString"] = made.Message, strconv.Quote(made.Message)
		}
	}
	r.identity.variables(known)
	return []byte(variable.ReplaceAllStringFunc(format, func(name string) string {
		v := known[name[len("$context."):]]
		switch {
		case v == "":
			return "-"
		case name == "$context.error.messageString":
			return v // it carries its own quotes
		}
		return escape(v)
	}))
}

// variables adds what authorization found out. A principal is there for Lambda
// authorizers only.
func (i identity) variables(known map[string]string) {
	known["authorizer.error"], known["authorizer.principalId"] = i.err, i.principal
	for name, v := range i.claims {
		known["authorizer.claims."+name] = v
	}
	for name, v := range i.properties {
		if _, taken := known["authorizer."+name]; !taken {
			known["authorizer."+name] = claimText(plain(v))
		}
	}
}

// escape makes a value fit between the quotes of a JSON text.
func escape(v string) string {
	quoted, err := json.Marshal(v)
	if err != nil {
		return "-"
	}
	return string(quoted[1 : len(quoted)-1])
}
