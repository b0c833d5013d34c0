package stack

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/components"
)

// Domain is the configuration key domain.
type Domain struct {
	Name                    string `json:"name"`
	ZoneID                  string `json:"zoneId"`
	CertificateARN          string `json:"certificateArn"`
	BasePath                string `json:"basePath"`
	Truststore              string `json:"truststore"`
	TruststoreVersion       string `json:"truststoreVersion"`
	OwnershipCertificateARN string `json:"ownershipCertificateArn"`
}

func (d Domain) component() components.Domain { return components.Domain(d) }

var (
	label          = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	zoneID         = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)
	certificateARN = regexp.MustCompile(
		`^arn:aws(-[a-z]+)*:acm:([a-z0-9-]+):[0-9]{12}:certificate/[A-Za-z0-9-]+$`,
	)
	truststore = regexp.MustCompile(`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^/\s][^\s]*$`)
	// AWS takes $, +, !, *, ', ( and ) as well ("An ApiMapping key may contain
	// only letters, numbers and one of $-_.+!*'(),"); here the path also stands
	// in URLs and command lines, where those would have to be quoted.
	segment = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*$`)
)

// maxCommonName is how long the name of a certificate may be that ACM makes,
// in bytes (RFC 5280; RequestCertificate, ACM API reference).
const maxCommonName = 64

func (p *parser) domain(text string) Domain {
	var d Domain
	given := p.object(text, &d)
	if given == nil {
		return d
	}
	if d.Name == "" {
		p.withoutName(d, given)
		return d
	}
	if why := noHost(d.Name); why != "" {
		p.fail("holds the name %q: %s", d.Name, why)
	}
	if d.ZoneID != "" && !zoneID.MatchString(d.ZoneID) {
		p.fail("holds zoneId %q; the id of a hosted zone of Route 53 looks like Z1D633PJN98FT9", d.ZoneID)
	}
	switch {
	case d.CertificateARN == "" && d.ZoneID == "":
		p.fail(
			"lacks zoneId, in which a certificate for %s is validated, or else certificateArn, a "+
				"certificate that is there",
			d.Name,
		)
	case d.CertificateARN == "" && len(d.Name) > maxCommonName:
		p.fail(
			"holds a name of %d characters, and ACM makes certificates for at most %d: give certificateArn",
			len(d.Name),
			maxCommonName,
		)
	}
	for what, arn := range d.certificates() {
		if !certificateARN.MatchString(arn) {
			p.fail(
				"holds %s %q; one of ACM looks like "+
					"arn:aws:acm:us-east-1:111122223333:certificate/12345678-1234-1234-1234-123456789012",
				what,
				arn,
			)
		}
	}
	for _, s := range strings.Split(d.BasePath, "/") {
		if d.BasePath != "" && !segment.MatchString(s) {
			p.fail(
				"holds basePath %q; it is a name, or several with / between them, of letters, digits, "+
					"'-', '_' and '.', such as v1 or shop/v1",
				d.BasePath,
			)
			break
		}
	}
	p.mutualTLS(d)
	return d
}

// withoutName reports what was given for a custom domain that has no name.
func (p *parser) withoutName(d Domain, given map[string]json.RawMessage) {
	if d.Truststore != "" {
		p.fail("holds truststore without name: mutual TLS needs a custom domain")
		return
	}
	if d != (Domain{}) {
		var others []string
		for k, v := range given {
			if string(v) != `""` && k != "name" {
				others = append(others, k)
			}
		}
		slices.Sort(others)
		p.fail("lacks name, the custom domain's, and holds %s", strings.Join(others, ", "))
	}
}

func (p *parser) mutualTLS(d Domain) {
	if d.Truststore != "" && !truststore.MatchString(d.Truststore) {
		p.fail(
			"holds truststore %q; it is s3://bucket/key, a PEM file of certificate authorities",
			d.Truststore,
		)
	}
	if d.TruststoreVersion != "" && d.Truststore == "" {
		p.fail("holds truststoreVersion without truststore")
	}
	if d.OwnershipCertificateARN != "" && (d.Truststore == "" || d.CertificateARN == "") {
		p.fail(
			"holds ownershipCertificateArn, which is for mutual TLS (truststore) with a certificateArn " +
				"that was imported or is of a private authority",
		)
	}
}

// curl is the argument with which curl shows a client certificate, from the
// files that CERT and KEY name; "" if none is asked for.
func (d Domain) curl() string {
	if d.Truststore == "" {
		return ""
	}
	return ` --cert "$CERT" --key "$KEY"`
}

// certificates returns the given ARNs by what they are for.
func (d Domain) certificates() map[string]string {
	out := map[string]string{}
	if d.CertificateARN != "" {
		out["certificateArn"] = d.CertificateARN
	}
	if d.OwnershipCertificateARN != "" {
		out["ownershipCertificateArn"] = d.OwnershipCertificateARN
	}
	return out
}

// noHost says why a text is no name for a custom domain; "" if it is one.
func noHost(name string) string {
	labels := strings.Split(name, ".")
	switch {
	case strings.Contains(name, "://"):
		return "leave out the scheme"
	case strings.Contains(name, "/"):
		return "leave out the path, which is basePath"
	case strings.Contains(name, "*"):
		return "a wildcard is not supported: name one host"
	case name != strings.ToLower(name):
		return "write it in lower case"
	case net.ParseIP(name) != nil:
		return "it is an address, and AWS wants a name"
	case len(name) > 253:
		return "it has more than 253 characters"
	case len(labels) < 2:
		return "it has at least two labels, such as api.example.com"
	}
	for _, l := range labels {
		if !label.MatchString(l) {
			return fmt.Sprintf(
				"the label %q must have 1 to 63 letters, digits and '-', and neither begin nor end with "+
					"'-'; others than ASCII in the form xn--",
				l,
			)
		}
	}
	return ""
}

// region is the one that AWS's provider is configured with, as far as the
// program can see.
func region(ctx *pulumi.Context) string {
	configured, _ := ctx.GetConfig("aws:region")
	return cmp.Or(configured, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))
}

// checkRegion tests that certificates are where the API is, which AWS demands
// of a regional domain name. An empty region is not known here.
func (d Domain) checkRegion(region string) error {
	var errs []error
	for what, arn := range d.certificates() {
		if m := certificateARN.FindStringSubmatch(arn); region != "" && m != nil && m[2] != region {
			errs = append(
				errs,
				fmt.Errorf(
					"%s:domain holds %s of the region %s, and the API is in %s: give one of ACM in %s",
					Namespace,
					what,
					m[2],
					region,
					region,
				),
			)
		}
	}
	return errors.Join(errs...)
}
