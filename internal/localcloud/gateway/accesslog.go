package gateway

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

var variable = regexp.MustCompile(`\$context\.[A-Za-z0-9_.]+`)

// accessLine fills a format. A variable without a value is "-". Source: API
// Gateway developer guide, "Logging variables for HTTP API access logs".
func accessLine(format string, r *request, p reply, took time.Duration) []byte {
	integration := "-"
	status := "-"
	if p.called {
		integration = strconv.FormatInt(p.result.Duration.Milliseconds(), 10)
		status = "200"
	}
	known := map[string]string{
		"accountId": r.api.AccountID, "apiId": r.api.ID, "awsEndpointRequestId": p.result.RequestID,
		"domainName": host(r.http), "domainPrefix": prefix(host(r.http)),
		"httpMethod": r.http.Method, "identity.sourceIp": source(r.http), "identity.userAgent": r.http.UserAgent(),
		"integration.error": p.err, "integrationErrorMessage": p.err, "integration.integrationStatus": strconv.Itoa(p.status),
		"integration.latency": integration, "integrationLatency": integration, "integration.requestId": p.result.RequestID,
		"integration.status": status, "integrationStatus": status,
		"path": r.rawPath, "protocol": "HTTP/1.1", "requestId": r.id, "extendedRequestId": r.id,
		"requestTime": r.received.UTC().Format(clfTime), "requestTimeEpoch": strconv.FormatInt(r.received.UnixMilli(), 10),
		"responseLatency": strconv.FormatInt(took.Milliseconds(), 10), "responseLength": strconv.Itoa(len(p.body)),
		"routeKey": r.match.route.Key, "stage": r.stage.Name, "status": strconv.Itoa(p.status),
	}
	if p.called {
		known["integration.integrationStatus"] = strconv.Itoa(p.status)
	} else {
		known["integration.integrationStatus"] = "-"
	}
	return []byte(variable.ReplaceAllStringFunc(format, func(name string) string {
		v := known[name[len("$context."):]]
		if v == "" {
			return "-"
		}
		quoted := fmt.Sprintf("%q", v)
		return quoted[1 : len(quoted)-1]
	}))
}
