package dynamodb

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	coral = "com.amazon.coral.service#"
	// skew is how far a request's date may be off.
	skew = 15 * time.Minute
)

var authorization = regexp.MustCompile(
	`^AWS4-HMAC-SHA256 Credential=([^/, ]+)/(\d{8})/([^/, ]+)/([^/, ]+)/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$`,
)

// verify checks the signature, version 4, by signing the request again.
func (d *Database) verify(r *http.Request, body []byte) (Identity, *fault) {
	m := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return Identity{}, &fault{
			http.StatusBadRequest,
			coral + "MissingAuthenticationTokenException",
			"Request is missing Authentication Token",
		}
	}
	identity, ok := d.Identify(m[1])
	if !ok || !hmac.Equal([]byte(identity.SessionToken), []byte(r.Header.Get("X-Amz-Security-Token"))) {
		return Identity{}, &fault{
			http.StatusBadRequest,
			coral + "UnrecognizedClientException",
			"The security token included in the request is invalid.",
		}
	}
	invalid := func(format string, args ...any) (Identity, *fault) {
		return identity, &fault{
			http.StatusBadRequest,
			coral + "InvalidSignatureException",
			fmt.Sprintf(format, args...),
		}
	}
	date, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || date.Format("20060102") != m[2] {
		return invalid(
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP",
		)
	}
	if off := d.Now().Sub(date); off > skew || off < -skew {
		return invalid("Signature expired: %s is now outside of %s", r.Header.Get("X-Amz-Date"), skew)
	}
	if m[3] != d.Region || m[4] != "dynamodb" {
		return invalid(
			"Credential should be scoped to a valid region: %s and correct service: 'dynamodb', not %s/%s",
			d.Region,
			m[3],
			m[4],
		)
	}
	signed := strings.Split(m[5], ";")
	if !slices.Contains(signed, "host") || !slices.Contains(signed, "x-amz-target") {
		return invalid("'Host' and all 'x-amz-*' headers must be signed")
	}
	again, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+r.Host+r.URL.RequestURI(), nil)
	if err != nil {
		return invalid("the request cannot be read")
	}
	for _, name := range signed {
		switch name {
		case "host":
		case "content-length":
			again.ContentLength = r.ContentLength
		default:
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	sum := sha256.Sum256(body)
	signer := v4.NewSigner()
	credentials := aws.Credentials{
		AccessKeyID:     identity.AccessKeyID,
		SecretAccessKey: identity.SecretAccessKey,
		SessionToken:    identity.SessionToken,
	}
	if err := signer.SignHTTP(
		r.Context(),
		credentials,
		again,
		hex.EncodeToString(sum[:]),
		"dynamodb",
		d.Region,
		date,
	); err != nil {
		return invalid("the request cannot be signed: %v", err)
	}
	if !hmac.Equal(
		[]byte(again.Header.Get("Authorization")),
		[]byte(strings.ReplaceAll(r.Header.Get("Authorization"), ",S", ", S")),
	) {
		return invalid(
			"The request signature we calculated does not match the signature you provided. Check your " +
				"AWS Secret Access Key and signing method. Consult the service documentation for details.",
		)
	}
	return identity, nil
}
