package stack

import (
	"strings"
	"testing"
)

const (
	acm  = "arn:aws:acm:us-east-1:111122223333:certificate/12345678-1234-1234-1234-123456789012"
	acm2 = "arn:aws:acm:us-east-1:111122223333:certificate/02345678-1234-1234-1234-123456789012"
)

func TestDomainsAreChecked(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 63) + ".example.com"
	for value, want := range map[string]string{ // "" is accepted
		`{}`: "",
		`{"name":"api.example.com","zoneId":"Z1D633PJN98FT9"}`:                                                                           "",
		`{"name":"xn--bcher-kva.example","zoneId":"Z1","basePath":"v1"}`:                                                                 "",
		`{"name":"a.example","certificateArn":"` + acm + `","basePath":"shop/v1.2"}`:                                                     "",
		`{"name":"` + long + `","certificateArn":"` + acm + `"}`:                                                                         "",
		`{"name":"a.example","zoneId":"Z1","truststore":"s3://bucket/ca.pem"}`:                                                           "",
		`{"name":"a.example","zoneId":"Z1","truststore":"s3://bucket/a/b.pem","truststoreVersion":"x"}`:                                  "",
		`{"name":"a.example","certificateArn":"` + acm + `","truststore":"s3://bucket/ca.pem","ownershipCertificateArn":"` + acm2 + `"}`: "",

		`{"truststore":"s3://bucket/ca.pem"}`:                                                                           "mutual TLS needs a custom domain",
		`{"zoneId":"Z1","basePath":"v1"}`:                                                                               "lacks name, the custom domain's, and holds basePath, zoneId",
		`{"name":"https://a.example","zoneId":"Z1"}`:                                                                    "scheme",
		`{"name":"a.example/v1","zoneId":"Z1"}`:                                                                         "basePath",
		`{"name":"*.example.com","zoneId":"Z1"}`:                                                                        "wildcard",
		`{"name":"API.example.com","zoneId":"Z1"}`:                                                                      "lower case",
		`{"name":"10.0.0.1","zoneId":"Z1"}`:                                                                             "address",
		`{"name":"localhost","zoneId":"Z1"}`:                                                                            "two labels",
		`{"name":"a..example","zoneId":"Z1"}`:                                                                           `the label ""`,
		`{"name":"a.example.","zoneId":"Z1"}`:                                                                           `the label ""`,
		`{"name":"-a.example","zoneId":"Z1"}`:                                                                           `the label "-a"`,
		`{"name":"a_b.example","zoneId":"Z1"}`:                                                                          `the label "a_b"`,
		`{"name":"bücher.example","zoneId":"Z1"}`:                                                                       "xn--",
		`{"name":"a` + long + `","certificateArn":"` + acm + `"}`:                                                       "63",
		`{"name":"` + strings.Repeat("a.", 126) + `aa","certificateArn":"` + acm + `"}`:                                 "253",
		`{"name":"` + long + `","zoneId":"Z1"}`:                                                                         "at most 64",
		`{"name":"a.example"}`:                                                                                          "lacks zoneId",
		`{"name":"a.example","zoneId":"/hostedzone/Z1"}`:                                                                "zoneId",
		`{"name":"a.example","certificateArn":"arn:aws:iam::111122223333:server-certificate/x"}`:                        "certificateArn",
		`{"name":"a.example","zoneId":"Z1","basePath":"/v1"}`:                                                           "basePath",
		`{"name":"a.example","zoneId":"Z1","basePath":"v1/"}`:                                                           "basePath",
		`{"name":"a.example","zoneId":"Z1","basePath":"a//b"}`:                                                          "basePath",
		`{"name":"a.example","zoneId":"Z1","basePath":"a/../b"}`:                                                        "basePath",
		`{"name":"a.example","zoneId":"Z1","basePath":"a b"}`:                                                           "basePath",
		`{"name":"a.example","zoneId":"Z1","truststore":"bucket/ca.pem"}`:                                               "s3://",
		`{"name":"a.example","zoneId":"Z1","truststore":"s3://bucket"}`:                                                 "s3://",
		`{"name":"a.example","zoneId":"Z1","truststoreVersion":"x"}`:                                                    "without truststore",
		`{"name":"a.example","certificateArn":"` + acm + `","ownershipCertificateArn":"` + acm2 + `"}`:                  "mutual TLS",
		`{"name":"a.example","zoneId":"Z1","truststore":"s3://bucket/ca.pem","ownershipCertificateArn":"` + acm2 + `"}`: "imported",
		`{"name":"a.example","zoneID":"Z1"}`:                                                                            `"zoneID"`,
		`"api.example.com"`:                                                                                             "must be a map",
	} {
		_, err := Parse(map[string]string{"items-api:domain": value})
		if (err != nil) != (want != "") ||
			err != nil &&
				(!strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "items-api:domain ")) {
			t.Errorf("%s: got %v, want %q", value, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: one mistake gives several problems:\n%v", value, err)
		}
	}
}

func TestCertificateOfAnotherRegionIsRefused(t *testing.T) {
	t.Parallel()
	config := map[string]string{
		"items-api:domain": `{"name":"a.example","certificateArn":"` + acm + `"}`,
		"aws:region":       "eu-west-1",
	}
	made, err := deploy(config)
	if err == nil ||
		!strings.Contains(
			err.Error(),
			"items-api:domain holds certificateArn of the region us-east-1, and the API is in eu-west-1",
		) ||
		len(made) > 0 {
		t.Errorf("%v was registered, %v", made, err)
	}
	s, err := Parse(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, region := range []string{"us-east-1", ""} {
		if err := s.Domain.checkRegion(region); err != nil {
			t.Errorf("%q: %v", region, err)
		}
	}
}

func TestExampleShowsAClientCertificateWhereOneIsAskedFor(t *testing.T) {
	t.Parallel()
	if got := (Domain{Truststore: "s3://bucket/ca.pem"}).curl(); got != ` --cert "$CERT" --key "$KEY"` {
		t.Errorf("got %q", got)
	}
	if got := (Domain{Name: "a.example"}).curl(); got != "" {
		t.Errorf("got %q", got)
	}
}
