package components

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigatewayv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Domain is a name of one's own for the API, which then answers there and
// nowhere else: its own endpoint is switched off, since that would be a way
// past mutual TLS.
type Domain struct {
	// Name is the host's; there is no custom domain if it is empty.
	Name string
	// ZoneID is the Route 53 hosted zone that gets the records. Without it
	// whoever runs the DNS makes the name an alias of RestAPI.DomainTarget.
	ZoneID string
	// CertificateARN is of ACM in the API's region. A certificate is made and
	// validated through the zone if it is empty.
	CertificateARN string
	// BasePath is where the API begins, such as v1 or shop/v1; the root if
	// empty.
	BasePath string
	// Truststore is s3://bucket/key, the PEM file of the authorities that sign
	// clients' certificates; no client certificate is asked for if it is empty.
	// TruststoreVersion is that of the object in a versioned bucket.
	Truststore, TruststoreVersion string
	// OwnershipCertificateARN proves that the name is one's own; AWS wants it
	// for mutual TLS with a certificate that was imported or is of a private
	// authority. It is of a public certificate that ACM issued.
	OwnershipCertificateARN string
}

func (d Domain) check() error {
	var errs []error
	need := func(given bool, what string) {
		if given {
			errs = append(errs, fmt.Errorf("Domain.%s is missing", what))
		}
	}
	need(d.Name == "" && d != Domain{}, "Name")
	need(d.Name != "" && d.ZoneID == "" && d.CertificateARN == "", "CertificateARN or Domain.ZoneID")
	need(d.Truststore == "" && (d.TruststoreVersion != "" || d.OwnershipCertificateARN != ""), "Truststore")
	if d.OwnershipCertificateARN != "" && d.CertificateARN == "" {
		errs = append(
			errs,
			errors.New(
				"Domain.OwnershipCertificateARN is for a CertificateARN that was imported or is of a "+
					"private authority",
			),
		)
	}
	return errors.Join(errs...)
}

// path precedes the routes' paths in what clients send.
func (d Domain) path() string {
	if d.BasePath == "" {
		return ""
	}
	return "/" + d.BasePath
}

// addDomain makes the name and its records. The API waits for them, so that
// its own endpoint, which is switched off with a domain, answers until the
// certificate is valid.
func (r *RestAPI) addDomain(ctx *pulumi.Context, name string, a RestAPIArgs) error {
	d := a.Domain
	if d.Name == "" {
		return nil
	}
	certificate, err := r.certificate(ctx, name, a)
	if err != nil {
		return err
	}
	configuration := apigatewayv2.DomainNameDomainNameConfigurationArgs{
		CertificateArn: certificate,
		EndpointType:   pulumi.String("REGIONAL"),
		SecurityPolicy: pulumi.String("TLS_1_2"),
	}
	if d.OwnershipCertificateARN != "" {
		configuration.OwnershipVerificationCertificateArn = pulumi.String(d.OwnershipCertificateARN)
	}
	var mutual apigatewayv2.DomainNameMutualTlsAuthenticationPtrInput
	if d.Truststore != "" {
		m := apigatewayv2.DomainNameMutualTlsAuthenticationArgs{TruststoreUri: pulumi.String(d.Truststore)}
		if d.TruststoreVersion != "" {
			m.TruststoreVersion = pulumi.String(d.TruststoreVersion)
		}
		mutual = m
	}
	if r.domain, err = apigatewayv2.NewDomainName(ctx, name, &apigatewayv2.DomainNameArgs{
		DomainName:              pulumi.String(d.Name),
		DomainNameConfiguration: configuration,
		MutualTlsAuthentication: mutual,
		Tags:                    pulumi.ToStringMap(a.Tags),
	}, r.child()...); err != nil {
		return fmt.Errorf("creating the domain name %s: %w", d.Name, err)
	}
	target := r.domain.DomainNameConfiguration
	r.DomainTarget = within(r.domain.ID(), target.TargetDomainName())
	r.beforeAPI = append(r.beforeAPI, r.domain)
	if d.ZoneID == "" {
		return nil
	}
	record, err := route53.NewRecord(ctx, name, &route53.RecordArgs{
		ZoneId: pulumi.String(d.ZoneID),
		Name:   pulumi.String(d.Name),
		Type:   pulumi.String("A"),
		Aliases: route53.RecordAliasArray{route53.RecordAliasArgs{
			Name:                 r.DomainTarget,
			ZoneId:               within(r.domain.ID(), target.HostedZoneId()),
			EvaluateTargetHealth: pulumi.Bool(false),
		}},
	}, r.child()...)
	if err != nil {
		return fmt.Errorf("creating the record of %s: %w", d.Name, err)
	}
	r.beforeAPI = append(r.beforeAPI, record)
	return nil
}

// certificate returns the ARN of one that is valid: the given one, or one that
// is made and waited for.
func (r *RestAPI) certificate(ctx *pulumi.Context, name string, a RestAPIArgs) (pulumi.StringInput, error) {
	d := a.Domain
	if d.CertificateARN != "" {
		return pulumi.String(d.CertificateARN), nil
	}
	made, err := acm.NewCertificate(ctx, name, &acm.CertificateArgs{
		DomainName:       pulumi.String(d.Name),
		ValidationMethod: pulumi.String("DNS"),
		Tags:             pulumi.ToStringMap(a.Tags),
	}, r.child()...)
	if err != nil {
		return nil, fmt.Errorf("creating the certificate of %s: %w", d.Name, err)
	}
	// One name has one option. Its record is the same for every certificate of
	// the name in the account, so that it may be there already.
	option := made.DomainValidationOptions.Index(pulumi.Int(0))
	record, err := route53.NewRecord(ctx, name+"-validation", &route53.RecordArgs{
		ZoneId:         pulumi.String(d.ZoneID),
		AllowOverwrite: pulumi.Bool(true),
		Ttl:            pulumi.Int(60),
		Name:           within(made.ID(), option.ResourceRecordName()),
		Type:           within(made.ID(), option.ResourceRecordType()),
		Records:        pulumi.StringArray{within(made.ID(), option.ResourceRecordValue())},
	}, r.child()...)
	if err != nil {
		return nil, fmt.Errorf("creating the record that validates the certificate of %s: %w", d.Name, err)
	}
	valid, err := acm.NewCertificateValidation(ctx, name, &acm.CertificateValidationArgs{
		CertificateArn: made.Arn, ValidationRecordFqdns: pulumi.StringArray{record.Fqdn}}, r.child()...)
	if err != nil {
		return nil, fmt.Errorf("validating the certificate of %s: %w", d.Name, err)
	}
	return valid.CertificateArn, nil
}

// within returns a text that AWS puts into an object of a resource. The id
// keeps it unknown in a preview: there the SDK takes what is unknown inside of
// an object for empty, and the check of a record refuses empty texts.
func within(id pulumi.IDOutput, text pulumi.StringPtrOutput) pulumi.StringOutput {
	return pulumi.All(id, text).ApplyT(func(v []any) string {
		if s := v[1].(*string); s != nil {
			return *s
		}
		return ""
	}).(pulumi.StringOutput)
}

// addMapping leads the domain to the stage, and sets where the API is found.
func (r *RestAPI) addMapping(ctx *pulumi.Context, name string, a RestAPIArgs) error {
	r.Endpoint, r.URL = r.api.ApiEndpoint, r.api.ApiEndpoint
	if r.domain == nil {
		return nil
	}
	var key pulumi.StringPtrInput
	if a.Domain.BasePath != "" {
		key = pulumi.String(a.Domain.BasePath)
	}
	if _, err := apigatewayv2.NewApiMapping(ctx, name, &apigatewayv2.ApiMappingArgs{
		ApiId:         r.api.ID(),
		DomainName:    r.domain.DomainName,
		Stage:         r.stage.Name,
		ApiMappingKey: key,
	}, r.child()...); err != nil {
		return fmt.Errorf("mapping %s to the API: %w", a.Domain.Name, err)
	}
	r.URL = pulumi.Sprintf("https://%s%s", r.domain.DomainName, a.Domain.path())
	return nil
}
