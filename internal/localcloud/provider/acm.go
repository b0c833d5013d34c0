package provider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"items-api/internal/localcloud/state"
)

const (
	certificateType = "aws:acm/certificate:Certificate"
	validationType  = "aws:acm/certificateValidation:CertificateValidation"

	noImport = "certificates are requested, not imported; nothing serves TLS locally"
	noMail   = "nothing is sent locally; use DNS"

	pending = "PENDING_VALIDATION"
	issued  = "ISSUED"
	// validity is how long a public certificate of ACM lives: 13 months.
	// Source: ACM user guide, "Public certificates".
	validity = 395 * 24 * time.Hour
)

var (
	// fqdn is a domain name, which may begin with a wildcard. Source:
	// RequestCertificate, ACM API reference.
	fqdn = regexp.MustCompile(
		`^(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]$`,
	)
	certificateARN = regexp.MustCompile(`^arn:aws[a-z-]*:acm:[a-z0-9-]+:(\d{12}):certificate/[A-Za-z0-9-]+$`)
)

func acmTypes() []*Type {
	return []*Type{
		{
			Token: certificateType,
			Properties: []Property{
				refused("certificateAuthorityArn", String, "there are no private certificate authorities"),
				refused("certificateBody", String, noImport),
				refused("certificateChain", String, noImport),
				{
					Name:     "domainName",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Replace:  true,
					Check:    domainName,
				},
				refused("earlyRenewalDuration", String, "it belongs to private certificate authorities"),
				{
					Name:     "keyAlgorithm",
					Kind:     String,
					Level:    Recorded,
					Computed: true,
					Replace:  true,
					Note:     "there are no keys locally",
				},
				{
					Name:     "options",
					Kind:     Object,
					Level:    Recorded,
					Computed: true,
					Fields: []Property{
						{
							Name:    "certificateTransparencyLoggingPreference",
							Kind:    String,
							Level:   Recorded,
							Default: "ENABLED",
						}},
				},
				refused("privateKey", String, noImport),
				{
					Name:     "subjectAlternativeNames",
					Kind:     Set,
					Elem:     String,
					Level:    Enforced,
					Computed: true,
					Replace:  true,
					Each:     domainName,
				},
				tags(),
				{
					Name:     "validationMethod",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Replace:  true,
					Only:     []any{"DNS"},
					Note:     noMail,
				},
				refused("validationOptions", Set, noMail),
			},
			Outputs: []string{
				"arn",
				"domainValidationOptions",
				"notAfter",
				"notBefore",
				"pendingRenewal",
				"renewalEligibility",
				"renewalSummaries",
				"status",
				"tagsAll",
				"type",
				"validationEmails",
			},
			Check:    checkCertificate,
			Preview:  previewCertificate,
			Create:   createCertificate,
			Update:   updateCertificate,
			Delete:   unusedCertificate,
			Volatile: volatileTags,
		},
		{
			Token: validationType,
			Properties: []Property{
				{
					Name:     "certificateArn",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Replace:  true,
				},
				{
					Name:    "validationRecordFqdns",
					Kind:    Set,
					Elem:    String,
					Level:   Enforced,
					Replace: true,
					Note: "each must be a route53.Record of this cloud with the value that ACM asks " +
						"for; without the list the certificate is issued at once",
				},
			},
			Key:    func(_ string, props values) string { return props.str("certificateArn") },
			Create: createValidation,
		},
	}
}

func domainName(v any) error {
	s, _ := v.(string)
	if len(s) > 253 || !fqdn.MatchString(s) {
		return fmt.Errorf(
			"it must be a domain name such as api.example.com or *.example.com, without a final dot",
		)
	}
	return nil
}

// checkCertificate adds the domain name to the alternative names, as the AWS
// provider does: ACM answers with it.
func checkCertificate(_ *Provider, in values) []Failure {
	names := in.list("subjectAlternativeNames")
	if len(names) > 0 && in.has("domainName") && !slices.Contains(names, in["domainName"]) {
		in["subjectAlternativeNames"] = append(slices.Clone(names), in["domainName"])
	}
	return nil
}

// certificateNames returns what a certificate is for, its domain name first.
func certificateNames(in values) []string {
	names := in.strings("subjectAlternativeNames")
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(n string) bool { return n == in.str("domainName") })
	return append([]string{in.str("domainName")}, names...)
}

// previewCertificate knows how many validations there will be and for which
// domains, as the AWS provider does, but not their records.
func previewCertificate(_ *Provider, out values) {
	if !known(out["domainName"]) || !known(out.list("subjectAlternativeNames")) {
		return
	}
	var options []any
	for _, n := range certificateNames(out) {
		options = append(options, map[string]any{
			"domainName":          n,
			"resourceRecordName":  Unknown{},
			"resourceRecordType":  Unknown{},
			"resourceRecordValue": Unknown{},
		})
	}
	out["domainValidationOptions"] = options
}

func createCertificate(_ context.Context, p *Provider, in values) (state.Record, error) {
	arn := p.arn("acm", "certificate/"+p.uuid())
	props := certificateProperties(in)
	props["arn"], props["status"], props["type"] = arn, pending, "AMAZON_ISSUED"
	props["notBefore"], props["notAfter"], props["pendingRenewal"], props["renewalEligibility"] = "", "", false, "INELIGIBLE"
	props["renewalSummaries"], props["validationEmails"] = []any{}, []any{}
	var options []any
	names := certificateNames(in)
	for _, n := range names {
		name, value := validationRecord(n)
		options = append(options, map[string]any{
			"domainName":          n,
			"resourceRecordName":  name,
			"resourceRecordType":  "CNAME",
			"resourceRecordValue": value,
		})
	}
	props["domainValidationOptions"] = options
	if !in.has("subjectAlternativeNames") {
		props["subjectAlternativeNames"] = []any{names[0]}
	}
	return state.Record{ID: arn, Properties: props}, nil
}

func certificateProperties(in values) map[string]any {
	props := base(in)
	props["tagsAll"] = tagsOf(in)
	for k, v := range map[string]any{
		"keyAlgorithm": "RSA_2048",
		"options":      map[string]any{"certificateTransparencyLoggingPreference": "ENABLED"},
	} {
		if !in.has(k) {
			props[k] = v
		}
	}
	return props
}

func updateCertificate(_ context.Context, _ *Provider, old state.Record, in values) (state.Record, error) {
	for k, v := range certificateProperties(in) {
		old.Properties[k] = v
	}
	if !in.has("tags") {
		delete(old.Properties, "tags")
	}
	return old, nil
}

// validationRecord is what proves a domain: the same for each certificate of
// an account, and for a domain and its wildcard.
func validationRecord(domain string) (name, value string) {
	domain = strings.TrimPrefix(domain, "*.")
	sum := sha256.Sum256([]byte(Account + "/" + domain))
	text := hex.EncodeToString(sum[:])
	return "_" + text[:32] + "." + domain + ".", "_" + text[32:] + ".localcloud.acm-validations.aws."
}

func unusedCertificate(_ context.Context, p *Provider, r state.Record) error {
	for _, d := range p.Store.List(domainType) {
		if values(d.Properties).object("domainNameConfiguration").str("certificateArn") == r.ID {
			return fmt.Errorf(
				"ResourceInUseException: Certificate %s in account %s is in use: the domain name %s uses it",
				r.ID,
				Account,
				d.ID,
			)
		}
	}
	return nil
}

func createValidation(_ context.Context, p *Provider, in values) (state.Record, error) {
	arn := in.str("certificateArn")
	cert, err := p.Store.Get(certificateType, arn)
	if err != nil {
		return state.Record{}, fmt.Errorf(
			"ResourceNotFoundException: Could not find certificate %s: only a certificate of this cloud "+
				"can be validated",
			arn,
		)
	}
	if in.has("validationRecordFqdns") {
		if err := p.validated(cert, in.strings("validationRecordFqdns")); err != nil {
			return state.Record{}, err
		}
	}
	v := values(cert.Properties)
	now := p.Now().UTC()
	if v.str("status") != issued {
		cert = cert.Clone()
		cert.Properties["status"], cert.Properties["renewalEligibility"] = issued, "ELIGIBLE"
		cert.Properties["notBefore"], cert.Properties["notAfter"] = now.Format(
			time.RFC3339,
		), now.Add(
			validity,
		).Format(
			time.RFC3339,
		)
		if err := p.Store.Put(cert); err != nil {
			return state.Record{}, err
		}
	}
	// The AWS provider takes the time of issue for the id.
	return state.Record{ID: now.String(), Properties: base(in)}, nil
}

// validated compares the records that prove a certificate's domains with
// those that exist. AWS waits up to 75 minutes for them.
func (p *Provider) validated(cert state.Record, given []string) error {
	have := map[string]bool{}
	for _, f := range given {
		have[strings.ToLower(strings.TrimSuffix(f, "."))] = true
	}
	for _, e := range values(cert.Properties).list("domainValidationOptions") {
		o := values(e.(map[string]any))
		name := strings.TrimSuffix(o.str("resourceRecordName"), ".")
		if !have[name] {
			return fmt.Errorf("missing %s DNS validation record: %s", o.str("domainName"), name)
		}
		want := o.str("resourceRecordValue")
		if !slices.ContainsFunc(p.Store.List(recordType), func(r state.Record) bool {
			v := values(r.Properties)
			return v.str("fqdn") == name && v.str("type") == "CNAME" &&
				slices.ContainsFunc(v.strings("records"), func(s string) bool {
					return strings.TrimSuffix(s, ".") == strings.TrimSuffix(want, ".")
				})
		}) {
			return fmt.Errorf(
				"the certificate %s would stay in %s: no route53.Record of this cloud has the name %s, "+
					"the type CNAME and the value %s; create it, or leave validationRecordFqdns out if "+
					"another DNS provider has it",
				cert.ID,
				pending,
				name,
				want,
			)
		}
	}
	return nil
}

// usableCertificate checks a certificate for a domain. One of another account
// cannot be looked at.
func (p *Provider) usableCertificate(arn, domain string) error {
	if m := certificateARN.FindStringSubmatch(arn); m == nil || m[1] != Account {
		return nil
	}
	r, err := p.Store.Get(certificateType, arn)
	if err != nil {
		return fmt.Errorf(
			"the certificate %s does not exist in this cloud: create it, or name one of another account",
			arn,
		)
	}
	v := values(r.Properties)
	if v.str("status") != issued {
		return fmt.Errorf(
			"the certificate %s has the status %s: let the domain name depend on an "+
				"acm.CertificateValidation, and use its certificateArn",
			arn,
			v.str("status"),
		)
	}
	names := certificateNames(v)
	if !slices.ContainsFunc(names, func(n string) bool { return covers(n, domain) }) {
		return fmt.Errorf("the certificate %s is for %s, not for %s", arn, strings.Join(names, ", "), domain)
	}
	return nil
}

// covers reports whether a name of a certificate is good for a domain: a
// wildcard stands for exactly one label.
func covers(name, domain string) bool {
	if strings.EqualFold(name, domain) {
		return true
	}
	_, parent, ok := strings.Cut(domain, ".")
	return ok && strings.EqualFold(name, "*."+parent)
}

// uuid makes an identifier in the form that AWS uses for many resources.
func (p *Provider) uuid() string {
	sum := sha256.Sum256([]byte(p.ID(32)))
	s := hex.EncodeToString(sum[:16])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
