package conformance

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// facts are those that AWS documents (d) or that were recorded from it (r):
// sections A events, B responses and routes, C CORS, D authorizers, E
// throttling. Each has a vector, or a test named here.
var facts = []struct{ id, level, what, test string }{
	{"A01", "d", "members of an event", ""},
	{"A02", "d", "the payload format must be 1.0 or 2.0, and Pulumi's default is 1.0", ""},
	{"A03", "d", "header names in lower case", ""},
	{"A04", "r", "header lines joined by a bare comma", ""},
	{"A05", "d", "query parameters joined by a bare comma", ""},
	{"A06", "r", "rawQueryString as sent", ""},
	{"A07", "r", "query parameters decoded", ""},
	{"A08", "r", "empty parameters present", ""},
	{"A09", "r", "cookies in a list of their own", ""},
	{"A10", "r", "rawPath decoded", ""},
	{"A13", "r", "path parameters decoded", ""},
	{"A16", "r", "absent query and body left out", ""},
	{"A17", "r", "headers that are always there", ""},
	{"A18", "r", "which bodies are text", ""},
	{"A19", "r", "bytes as base64", ""},
	{"A20", "r", "multipart as base64", ""},
	{"A22", "d", "routeKey not filled in", ""},
	{"A23", "d", "members of the request context", ""},
	{"A24", "d", "domainName from Host", ""},
	{"A25", "d", "protocol HTTP/1.1", ""},
	{"A26", "d", "time and timeEpoch", ""},
	{"A27", "r", "form of requestId", ""},
	{"A28", "r", "userAgent empty if none", ""},
	{"A29", "r", "stage $default", ""},
	{
		"A31",
		"d",
		"$request.path of parameter mapping (refused locally)",
		"TestWhatAWSDoesAndTheLocalCloudDoesNotIsRefusedByName",
	},
	{"A32", "d", "custom domains (refused locally)", "TestWhatAWSDoesAndTheLocalCloudDoesNotIsRefusedByName"},
	{"A34", "d", "10,240 bytes of request line and headers", ""},
	{"A35", "d", "10 MB of payload", ""},
	{"A37", "d", "stageVariables only if there are some, at most 100", "TestStageVariablesAreAtMostAHundred"},
	{"A38", "d", "stage chosen before the route", "TestNamedStageAndDeploymentSnapshot"},
	{"B01", "d", "an object without statusCode is a body", ""},
	{"B02", "d", "a text is unquoted", ""},
	{"B03", "r", "escapes resolved", ""},
	{"B04", "r", "exact bytes", ""},
	{"B05", "r", "lists, numbers, booleans", ""},
	{"B06", "r", "invalid JSON is a body", ""},
	{"B07", "r", "empty text", ""},
	{"B09", "r", "text/plain by default", ""},
	{"B11", "r", "statusCode 0", ""},
	{"B12", "r", "fractional statusCode", ""},
	{"B14", "r", "base64 bodies decoded", ""},
	{"B15", "d", "cookies become lines", ""},
	{"B16", "r", "cookies before set-cookie", ""},
	{"B17", "r", "comma in a header value", ""},
	{"B19", "r", "headers of every answer", ""},
	{"B20", "r", "function errors are 500", ""},
	{"B22", "d", "missing permission is 500", ""},
	{"B28", "d", "404 for no route or stage", ""},
	{"B29", "d", "route priority", ""},
	{"B30", "d", "static before parameter, longer greedy first", ""},
	{"B31", "d", "ANY after a method of its own", ""},
	{"B37", "d", "without autoDeploy a deployment is served", "TestNamedStageAndDeploymentSnapshot"},
	{
		"B38",
		"d",
		"reserved headers of parameter mapping (refused locally)",
		"TestWhatAWSDoesAndTheLocalCloudDoesNotIsRefusedByName",
	},
	{"C01", "d", "preflight answered by the gateway", ""},
	{"C02", "d", "the function's CORS headers replaced", "TestConfiguredCORSReplacesAllThatTheFunctionSends"},
	{"C03", "d", "which headers make a preflight", ""},
	{"C09", "d", "wildcard origins", "TestOriginsMayBeWildcardsOfTheScheme"},
	{"C11", "d", "wildcards of headers and methods", ""},
	{"C12", "d", "max-age on preflight only, -1 to 86,400", ""},
	{"C14", "d", "$default with an authorizer swallows OPTIONS", ""},
	{"C20", "d", "without CORS the function's headers pass", ""},
	{
		"C22",
		"d",
		"CORS headers in parameter mapping (refused locally)",
		"TestWhatAWSDoesAndTheLocalCloudDoesNotIsRefusedByName",
	},
	{"D01", "d", "token bare or after Bearer", ""},
	{"D02", "d", "RSA algorithms only", ""},
	{"D03", "d", "kid in the issuer's key set", "TestNewKeysOfAnIssuerAreFoundAndOldOnesForgotten"},
	{"D04", "d", "iss, and the metadata's issuer", "TestMetadataOfAnotherIssuerIsRefused"},
	{"D05", "d", "aud, or client_id without it", ""},
	{"D06", "d", "exp, nbf, iat", ""},
	{"D07", "d", "one of the route's scopes", ""},
	{"D08", "d", "401 and its body", ""},
	{"D09", "d", "the challenge", ""},
	{"D12", "r", "403 without a scope", ""},
	{"D13", "r", "claims as texts", ""},
	{"D14", "r", "lists as Go writes them", ""},
	{"D15", "r", "null left out, objects as JSON", ""},
	{"D16", "r", "scopes null without route scopes", ""},
	{"D17", "r", "all scopes of the token", ""},
	{"D18", "d", "150,000 bytes and 1,500 ms for an issuer", "TestIssuerLimits"},
	{"D19", "d", "keys kept for two hours", "TestNewKeysOfAnIssuerAreFoundAndOldOnesForgotten"},
	{"D22", "d", "JWT and REQUEST only, CUSTOM on routes", "TestRoutesNeedAnAuthorizerOfTheirKind"},
	{"D23", "d", "events of both formats", ""},
	{"D24", "d", "routeArn", ""},
	{"D25", "d", "simple responses and policies", ""},
	{"D26", "d", "missing identity source is 401", ""},
	{"D27", "d", "no identity source, no cache", ""},
	{"D28", "d", "identity sources", ""},
	{"D29", "d", "cached for all routes", "TestDecisionsAreKeptForTheirTimeAndNoLonger"},
	{"D30", "d", "TTL 0 to 3,600, 300 if not given", "TestTTLIsFiveMinutesUnlessGiven"},
	{"D33", "d", "failing authorizers are 500, 10 s", "TestAuthorizerFunctionHasTenSeconds"},
	{"D35", "d", "context keeps its types", ""},
	{"D37", "d", "10 authorizers, 50 audiences, 10 scopes", "TestLimitsOfAuthorizersAndScopes"},
	{"D38", "d", "AWS_IAM routes (refused locally)", "TestWhatAWSDoesAndTheLocalCloudDoesNotIsRefusedByName"},
	{"E01", "d", "token bucket", "TestTokenBucketFillsWithTimePerRoute"},
	{
		"E02",
		"d",
		"10,000 per second and 5,000 at once, for all APIs together",
		"TestAllAPIsShareTheAccountsLimit",
	},
	{"E03", "d", "route settings override the stage's", ""},
	{"E05", "d", "no route above the account", "TestThrottlesOfTheAccountBoundEveryRoute"},
	{"E06", "d", "429", ""},
	{"E11", "d", "not the concurrency's throttle", ""},
}

// factTable says what stands for each fact. A fact without a vector or an
// existing test fails.
func factTable(t *testing.T, vectors []vector) string {
	t.Helper()
	tests := testNames(t)
	var b strings.Builder
	b.WriteString(
		"\n## Facts\n\nEach fact of those areas that AWS documents, or that was recorded from it, and " +
			"what tests it.\n\n| fact | established by | what | tested by |\n| --- | --- | --- | --- |\n",
	)
	for _, f := range facts {
		var by []string
		for _, v := range vectors {
			if slices.Contains(
				strings.FieldsFunc(v.Fact, func(r rune) bool { return r == ',' || r == ' ' }),
				f.id,
			) {
				by = append(by, v.ID)
			}
		}
		if f.test != "" {
			if !tests[f.test] {
				t.Errorf("the test %s of the fact %s does not exist", f.test, f.id)
			}
			by = append(by, "`"+f.test+"`")
		}
		if len(by) == 0 {
			t.Errorf("nothing tests the fact %s: %s", f.id, f.what)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.id, map[string]string{
			"d": "documentation",
			"r": "recording",
		}[f.level], f.what, strings.Join(by, ", "))
	}
	return b.String()
}

// testNames returns the names of all tests of the local cloud.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	err := filepath.WalkDir("../../internal/localcloud", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(data)) {
			if name, ok := strings.CutPrefix(line, "func Test"); ok {
				name, _, _ = strings.Cut(name, "(")
				out["Test"+name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
