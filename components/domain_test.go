package components

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
)

func withDomain(d Domain) *RestAPIArgs {
	return &RestAPIArgs{Package: "handler.zip", Auth: Auth{Mode: api.AuthNone}, Domain: d}
}

const given = "arn:aws:acm:us-east-1:111122223333:certificate/1"

var ofDomain = []string{
	"aws:apigatewayv2/domainName:DomainName",
	"aws:apigatewayv2/apiMapping:ApiMapping",
	"aws:route53/record:Record",
	"aws:acm/certificate:Certificate",
	"aws:acm/certificateValidation:CertificateValidation",
}

// is tests an input; one that is not known in a preview is passed over.
func (r *recorder) is(t *testing.T, m resource.PropertyMap, want string, path ...string) {
	t.Helper()
	if v := at(
		m,
		path...); !v.IsString() && !(r.unknown && (v.ContainsUnknowns() || v.IsNull())) ||
		v.IsString() && v.StringValue() != want {
		t.Errorf("%s is %v, want %s", strings.Join(path, "."), v, want)
	}
}

func TestWithoutADomainThereIsNothingOfOne(t *testing.T) {
	t.Parallel()
	both(t, withDomain(Domain{}), func(t *testing.T, r *recorder) {
		r.none(t, ofDomain...)
		if v := at(r.one(t, "aws:apigatewayv2/api:Api"), "disableExecuteApiEndpoint"); !v.IsNull() {
			t.Errorf("the API's own endpoint is switched off: %v", v)
		}
		if _, there := at(r.one(t, "aws:lambda/function:Function"), "environment", "variables").ObjectValue()[api.EnvBasePath]; there {
			t.Error("there is a base path")
		}
	})
}

func TestDomainOfAZoneHasACertificateAndItsRecords(t *testing.T) {
	t.Parallel()
	both(t, withDomain(Domain{
		Name:     "api.example.com",
		ZoneID:   "Z1",
		BasePath: "shop/v1",
	}), func(t *testing.T, r *recorder) {
		certificate, domain, mapping := r.one(t, ofDomain[3]), r.one(t, ofDomain[0]), r.one(t, ofDomain[1])
		r.is(t, certificate, "api.example.com", "domainName")
		r.is(t, certificate, "DNS", "validationMethod")
		r.is(t, r.one(t, ofDomain[4]), "arn:aws:x:us-east-1:000000000000:items", "certificateArn")
		r.is(t, domain, "api.example.com", "domainName")
		r.is(t, domain, "REGIONAL", "domainNameConfiguration", "endpointType")
		r.is(t, domain, "TLS_1_2", "domainNameConfiguration", "securityPolicy")
		r.is(t, domain, "arn:aws:x:us-east-1:000000000000:items", "domainNameConfiguration", "certificateArn")
		r.is(t, mapping, "shop/v1", "apiMappingKey")
		r.is(t, mapping, "$default", "stage")
		r.is(t, mapping, "items-id", "apiId")
		r.is(
			t,
			r.one(t, "aws:lambda/function:Function"),
			"/shop/v1",
			"environment",
			"variables",
			api.EnvBasePath,
		)
		if v := at(domain, "mutualTlsAuthentication"); !v.IsNull() {
			t.Errorf("there is mutual TLS: %v", v)
		}
		if v := at(
			r.one(t, "aws:apigatewayv2/api:Api"),
			"disableExecuteApiEndpoint",
		); !v.IsBool() ||
			!v.BoolValue() {
			t.Errorf("the API's own endpoint is a way past the domain: %v", v)
		}
		records := r.all(ofDomain[2])
		if len(records) != 2 {
			t.Fatalf("%d records were registered", len(records))
		}
		for _, record := range records {
			r.is(t, record, "Z1", "zoneId")
			if alias := at(record, "aliases"); alias.IsArray() {
				r.is(t, record, "api.example.com", "name")
				r.is(t, record, "A", "type")
				r.is(t, alias.ArrayValue()[0].ObjectValue(), "chosen", "name")
				r.is(t, alias.ArrayValue()[0].ObjectValue(), "chosen", "zoneId")
				continue
			}
			r.is(t, record, "chosen", "name")
			r.is(t, record, "chosen", "type")
			if v := at(record, "allowOverwrite"); !v.IsBool() || !v.BoolValue() {
				t.Errorf("a record of another certificate for the name would be in the way: %v", v)
			}
		}
	})
}

func TestDomainWithAGivenCertificateMakesNone(t *testing.T) {
	t.Parallel()
	both(t, withDomain(Domain{
		Name:           "api.example.com",
		CertificateARN: given,
	}), func(t *testing.T, r *recorder) {
		r.is(t, r.one(t, ofDomain[0]), given, "domainNameConfiguration", "certificateArn")
		if v := at(r.one(t, ofDomain[1]), "apiMappingKey"); !v.IsNull() {
			t.Errorf("there is the mapping key %v", v)
		}
		for _, token := range ofDomain[2:] {
			if n := len(r.all(token)); n > 0 {
				t.Errorf("%d %s were registered", n, token)
			}
		}
	})
}

func TestMutualTLSReachesTheDomain(t *testing.T) {
	t.Parallel()
	d := Domain{
		Name:                    "api.example.com",
		CertificateARN:          given,
		Truststore:              "s3://bucket/ca.pem",
		TruststoreVersion:       "v1",
		OwnershipCertificateARN: given + "2",
	}
	both(t, withDomain(d), func(t *testing.T, r *recorder) {
		domain := r.one(t, ofDomain[0])
		r.is(t, domain, "s3://bucket/ca.pem", "mutualTlsAuthentication", "truststoreUri")
		r.is(t, domain, "v1", "mutualTlsAuthentication", "truststoreVersion")
		r.is(t, domain, given+"2", "domainNameConfiguration", "ownershipVerificationCertificateArn")
	})
	d.TruststoreVersion, d.OwnershipCertificateARN = "", ""
	both(t, withDomain(d), func(t *testing.T, r *recorder) {
		domain := r.one(t, ofDomain[0])
		if v, w := at(
			domain,
			"mutualTlsAuthentication",
			"truststoreVersion",
		), at(
			domain,
			"domainNameConfiguration",
			"ownershipVerificationCertificateArn",
		); !v.IsNull() ||
			!w.IsNull() {
			t.Errorf("got %v and %v", v, w)
		}
	})
}

// The API's own endpoint is switched off when the domain can take over, and
// goes after the mapping does.
func TestAPIWaitsForItsDomain(t *testing.T) {
	t.Parallel()
	r := compose(t, false, withDomain(Domain{Name: "api.example.com", ZoneID: "Z1"}))
	for _, m := range r.made {
		if m.TypeToken != "aws:apigatewayv2/api:Api" {
			continue
		}
		for _, want := range []string{ofDomain[0] + "::items", ofDomain[2] + "::items"} {
			if !slices.ContainsFunc(
				m.RegisterRPC.GetDependencies(),
				func(urn string) bool { return strings.HasSuffix(urn, want) },
			) {
				t.Errorf("%s is not among %v", want, m.RegisterRPC.GetDependencies())
			}
		}
	}
}

func TestURLIsTheDomainsAndTheEndpointStaysKnown(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]Domain{
		"https://api.example.com": {Name: "api.example.com", ZoneID: "Z1"},
		"https://api.example.com/shop/v1": {
			Name:           "api.example.com",
			CertificateARN: given,
			BasePath:       "shop/v1",
		},
		"https://api1.example.com": {},
	} {
		got := outputs(t, withDomain(d))
		if got["url"] != want || got["endpoint"] != "https://api1.example.com" ||
			got["target"] != "chosen" && d.Name != "" {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}

// outputs runs a program with one RestAPI and returns outputs, when the
// program has returned, by which they are known.
func outputs(t *testing.T, args *RestAPIArgs) map[string]string {
	t.Helper()
	seen := make(chan map[string]string, 1)
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		api, err := NewRestAPI(ctx, "items", args)
		if err != nil {
			return err
		}
		if args.Domain.Name == "" {
			api.DomainTarget = pulumi.String("").ToStringOutput()
		}
		pulumi.All(api.URL, api.Endpoint, api.DomainTarget).ApplyT(func(v []any) error {
			seen <- map[string]string{
				"url":      v[0].(string),
				"endpoint": v[1].(string),
				"target":   v[2].(string),
			}
			return nil
		})
		return nil
	}, pulumi.WithMocks("items-api", "test", &recorder{}))
	if err != nil {
		t.Fatal(err)
	}
	select {
	case out := <-seen:
		return out
	default:
		t.Fatal("the outputs were never known")
		return nil
	}
}

func TestBadDomainArgumentsRegisterNothing(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]Domain{
		"Domain.Name":   {Truststore: "s3://bucket/ca.pem"},
		"Domain.ZoneID": {Name: "api.example.com"},
		"Domain.Truststore": {
			Name:              "api.example.com",
			ZoneID:            "Z1",
			TruststoreVersion: "v1",
		},
		"Domain.OwnershipCertificateARN is for": {
			Name:                    "api.example.com",
			ZoneID:                  "Z1",
			Truststore:              "s3://bucket/ca.pem",
			OwnershipCertificateARN: given,
		},
	} {
		refused(t, want, withDomain(d))
	}
}
