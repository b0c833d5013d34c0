package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

func certificateOf(names ...any) map[string]any {
	return map[string]any{
		"domainName":              names[0],
		"subjectAlternativeNames": names[1:],
		"validationMethod":        "DNS",
	}
}

func TestCertificateIsIssuedByTheRecordsThatACMAsksFor(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	zone, z, _ := create(t, s, zoneType, "z", props(map[string]any{"name": "example.com."}))
	if z.str("name") != "example.com" || len(z.list("nameServers")) != 4 ||
		z.str("arn") != "arn:aws:route53:::hostedzone/"+zone {
		t.Errorf("got the zone %v", z)
	}
	id, out, _ := create(
		t,
		s,
		certificateType,
		"c",
		props(certificateOf("api.example.com", "www.example.com")),
	)
	if out.str("status") != pending || out.str("arn") != id || !certificateARN.MatchString(id) ||
		len(out.list("domainValidationOptions")) != 2 {
		t.Fatalf("got the certificate %v", out)
	}
	refusal := func(fqdns []any, want string) {
		t.Helper()
		if err := tryCreate(t, s, validationType, map[string]any{
			"certificateArn":        id,
			"validationRecordFqdns": fqdns,
		}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	refusal([]any{"x.example.com"}, "missing api.example.com DNS validation record: _")
	var fqdns []any
	for i, e := range out.list("domainValidationOptions") {
		o := values(e.(map[string]any))
		if want := []string{"api.example.com", "www.example.com"}[i]; o.str("domainName") != want ||
			!strings.HasSuffix(o.str("resourceRecordName"), "."+want+".") {
			t.Errorf("got %v, want the record of %s", o, want)
		}
		fqdns = append(fqdns, strings.TrimSuffix(o.str("resourceRecordName"), "."))
		refusal(fqdns, "no route53.Record of this cloud")
		// The right value under another name proves nothing.
		create(t, s, recordType, "other", props(map[string]any{
			"zoneId":  zone,
			"name":    fmt.Sprint("other", i),
			"type":    "CNAME",
			"ttl":     60,
			"records": []any{o["resourceRecordValue"]},
		}))
		refusal(fqdns, "no route53.Record of this cloud")
		_, rec, _ := create(t, s, recordType, o.str("domainName"), props(map[string]any{
			"zoneId":  zone,
			"name":    o["resourceRecordName"],
			"type":    o["resourceRecordType"],
			"ttl":     60,
			"records": []any{o["resourceRecordValue"]},
		}))
		if rec.str("fqdn") != fqdns[i] {
			t.Errorf("the record has the fqdn %s, want %s", rec.str("fqdn"), fqdns[i])
		}
	}
	create(t, s, validationType, "v", props(map[string]any{
		"certificateArn":        id,
		"validationRecordFqdns": fqdns,
	}))
	r, err := s.Read(t.Context(), &pulumirpc.ReadRequest{
		Urn:        urn(certificateType, "c"),
		Id:         id,
		Properties: encode(t, toPulumi(out)),
		Inputs:     encode(t, props(certificateOf("api.example.com"))),
	})
	if err != nil {
		t.Fatal(err)
	}
	if now, err := read(
		r.Properties,
	); err != nil || now.str("status") != issued ||
		now.str("notAfter") == "" {
		t.Errorf("got %v, %v", now, err)
	}
	if err := remove(
		t,
		s,
		zoneType,
		zone,
		z,
	); err == nil ||
		!strings.Contains(err.Error(), "HostedZoneNotEmpty") {
		t.Errorf("deleting a zone with records got %v", err)
	}
}

func TestWildcardAndItsDomainHaveOneValidationRecord(t *testing.T) {
	t.Parallel()
	a, x := validationRecord("*.example.com")
	if b, y := validationRecord("example.com"); a != b || x != y {
		t.Errorf("got %s %s and %s %s", a, x, b, y)
	}
	for domain, good := range map[string]bool{
		"a.example.com":   true,
		"example.com":     false,
		"a.b.example.com": false,
	} {
		if covers("*.example.com", domain) != good {
			t.Errorf("the wildcard and %s: want %v", domain, good)
		}
	}
}

func TestPreviewKnowsWhichDomainsAreValidated(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	in := checked(t, s, certificateType, "c", nil, props(certificateOf("api.example.com", "www.example.com")))
	r, err := s.Create(t.Context(), &pulumirpc.CreateRequest{
		Urn:        urn(certificateType, "c"),
		Properties: in,
		Preview:    true,
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := read(r.Properties)
	if err != nil {
		t.Fatal(err)
	}
	unknown := Unknown{}
	want := []any{
		map[string]any{
			"domainName":          "api.example.com",
			"resourceRecordName":  unknown,
			"resourceRecordType":  unknown,
			"resourceRecordValue": unknown,
		},
		map[string]any{
			"domainName":          "www.example.com",
			"resourceRecordName":  unknown,
			"resourceRecordType":  unknown,
			"resourceRecordValue": unknown,
		},
	}
	if d := cmp.Diff(want, out["domainValidationOptions"]); d != "" || out["arn"] != unknown {
		t.Errorf("got %v\n%s", out["arn"], d)
	}
}

func TestNamesOfRecordsDoNotDifferByDotAndCase(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	in := func(name string) resource.PropertyMap {
		return props(map[string]any{
			"zoneId": "Z1234567890ABC",
			"name":   name,
			"type":   "A",
			"aliases": []any{map[string]any{
				"name":                 "D-1.Execute-Api.example.",
				"zoneId":               "Z1",
				"evaluateTargetHealth": false,
			}},
		})
	}
	id, out, inputs := create(t, s, recordType, "r", in("API.example.com."))
	if id != "Z1234567890ABC_api.example.com_A" || out.str("fqdn") != "api.example.com" {
		t.Errorf("got %s with %v", id, out)
	}
	d, err := s.Diff(t.Context(), &pulumirpc.DiffRequest{
		Urn:       urn(recordType, "r"),
		Id:        id,
		OldInputs: inputs,
		News:      checked(t, s, recordType, "r", inputs, in("api.example.com")),
	})
	if err != nil || d.Changes != pulumirpc.DiffResponse_DIFF_NONE {
		t.Errorf("got %v, %v", d, err)
	}
}

func TestRecordThatRoute53WouldRefuseIsNotCreated(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	zone, _, _ := create(t, s, zoneType, "z", props(map[string]any{"name": "example.com"}))
	record := func(zone, name, kind string, more map[string]any) map[string]any {
		out := map[string]any{"zoneId": zone, "name": name, "type": kind}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	plain := func(values ...any) map[string]any { return map[string]any{"records": values, "ttl": 60} }
	_, rec, _ := create(t, s, recordType, "r", props(record(zone, "www", "A", plain("192.0.2.1"))))
	if rec.str("fqdn") != "www.example.com" {
		t.Errorf("got %v", rec)
	}
	for want, in := range map[string]map[string]any{
		"No hosted zone found with ID: zone": record("zone", "www", "A", plain("192.0.2.1")),
		"but it already exists":              record(zone, "www.example.com", "A", plain("192.0.2.2")),
		"is not permitted at apex":           record(zone, "example.com", "CNAME", plain("a.example.com")),
		"exactly one of aliases and records": record(zone, "a", "A", nil),
		"needs a ttl":                        record(zone, "a", "A", map[string]any{"records": []any{"192.0.2.1"}}),
		"holds an IPv4 address":              record(zone, "a", "A", plain("::1")),
		"holds an IPv6 address":              record(zone, "a", "AAAA", plain("192.0.2.1")),
		"a CNAME has one record, not 2":      record(zone, "a", "CNAME", plain("a", "b")),
		`the property "setIdentifier"`: record(zone, "a", "A", map[string]any{
			"records":       []any{"192.0.2.1"},
			"ttl":           60,
			"setIdentifier": "x",
		}),
		"must be one of A, AAAA, CAA, CNAME,": record(zone, "a", "a", plain("x")),
	} {
		inputs, problems := check(t, s, recordType, "x", nil, props(in))
		if len(problems) == 0 {
			_, err := s.Create(t.Context(), &pulumirpc.CreateRequest{
				Urn:        urn(recordType, "x"),
				Properties: inputs,
			})
			if err != nil {
				problems = append(problems, err.Error())
			}
		}
		if len(problems) != 1 || !strings.Contains(problems[0], want) {
			t.Errorf("got %q, want %s", problems, want)
		}
	}
	over := record(zone, "www", "A", plain("192.0.2.2"))
	over["allowOverwrite"] = true
	create(t, s, recordType, "r2", props(over))
}

func TestZonesAreFoundAndThoseOutsideAreTakenToExist(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	zone, _, _ := create(t, s, zoneType, "z", props(map[string]any{"name": "here.example"}))
	const token = "aws:route53/getZone:getZone"
	for _, args := range []values{
		{"name": "here.example."},
		{"zoneId": zone},
		{"zoneId": "/hostedzone/" + zone},
	} {
		if out, problems, err := s.p.invoke(
			token,
			args,
		); err != nil || len(problems) > 0 || out.str("zoneId") != zone ||
			out.str("name") != "here.example" {
			t.Errorf("%v found %v, %v, %v", args, out, problems, err)
		}
	}
	a, _, _ := s.p.invoke(token, values{"name": "there.example"})
	b, _, _ := s.p.invoke(token, values{"name": "There.example."})
	if a.str("zoneId") != b.str("zoneId") || !zoneID.MatchString(a.str("zoneId")) ||
		a.str("name") != "there.example" {
		t.Errorf("got %v and %v", a, b)
	}
	if out, _, _ := s.p.invoke(
		token,
		values{"zoneId": "ZOUTSIDE1"},
	); out.str("zoneId") != "ZOUTSIDE1" ||
		out.str("name") != "zoutside1.example" {
		t.Errorf("got %v", out)
	}
	for want, args := range map[string]values{
		"exactly one of zoneId and name": {},
		"exactly one of":                 {"name": "a.example", "zoneId": "Z1"},
		"No hosted zone found":           {"zoneId": "z1"},
		"name is invalid":                {"name": "a..example"},
		"by privateZone":                 {"name": "a.example", "privateZone": true},
		"by vpcId":                       {"name": "a.example", "vpcId": "vpc-1"},
	} {
		if _, problems, err := s.p.invoke(
			token,
			args,
		); err != nil || len(problems) != 1 ||
			!strings.Contains(problems[0].Reason, want) {
			t.Errorf("%v got %v, %v, want %s", args, problems, err, want)
		}
	}
}
