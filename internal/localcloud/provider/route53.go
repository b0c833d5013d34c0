package provider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"items-api/internal/localcloud/state"
)

const (
	zoneType   = "aws:route53/zone:Zone"
	recordType = "aws:route53/record:Record"

	oneAnswer = "a name has one answer locally"
	noVPCs    = "there are no private zones"
)

var zoneID = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)

func route53Types() []*Type {
	return []*Type{
		{
			Token: zoneType,
			Properties: []Property{
				{
					Name:    "comment",
					Kind:    String,
					Level:   Recorded,
					Default: "Managed by Pulumi",
				},
				refused("delegationSetId", String, "there are no name servers"),
				{
					Name:    "forceDestroy",
					Kind:    Bool,
					Level:   Enforced,
					Default: false,
				},
				{
					Name:    "name",
					Kind:    String,
					Level:   Enforced,
					Replace: true,
					Note:    "nothing answers DNS queries locally",
					Check:   zoneName,
				},
				tags(),
				refused("vpcs", Set, noVPCs),
			},
			Outputs: []string{"arn", "nameServers", "primaryNameServer", "tagsAll", "zoneId"},
			Name:    "name", NameMax: 255,
			Check: func(_ *Provider, in values) []Failure { trimDot(in, "name"); return nil },
			Create: func(_ context.Context, p *Provider, in values) (state.Record, error) {
				id := "Z" + strings.ToUpper(p.ID(20))
				return state.Record{ID: id, Properties: zoneOutputs(id, in)}, nil
			},
			Update: func(_ context.Context, _ *Provider, old state.Record, in values) (state.Record, error) {
				return state.Record{Properties: zoneOutputs(old.ID, in), Private: old.Private}, nil
			},
			Delete: emptyZone, Volatile: volatileTags,
		},
		{
			Token: recordType,
			Properties: []Property{
				{
					Name:  "aliases",
					Kind:  List,
					Level: Recorded,
					Note:  "nothing answers DNS queries locally",
					Fields: []Property{
						{
							Name:     "evaluateTargetHealth",
							Kind:     Bool,
							Level:    Recorded,
							Required: true,
						},
						{
							Name:     "name",
							Kind:     String,
							Level:    Recorded,
							Required: true,
							Check:    length(1, 1024),
						},
						{
							Name:     "zoneId",
							Kind:     String,
							Level:    Recorded,
							Required: true,
							Check:    length(1, 32),
						},
					},
					Check: atMost(1),
				},
				{
					Name:     "allowOverwrite",
					Kind:     Bool,
					Level:    Enforced,
					Computed: true,
				},
				refused("cidrRoutingPolicy", Object, oneAnswer),
				refused("failoverRoutingPolicies", List, oneAnswer),
				refused("geolocationRoutingPolicies", List, oneAnswer),
				refused("geoproximityRoutingPolicy", Object, oneAnswer),
				refused("healthCheckId", String, "there are no health checks"),
				refused("latencyRoutingPolicies", List, oneAnswer),
				refused("multivalueAnswerRoutingPolicy", Bool, oneAnswer),
				{
					Name:     "name",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Replace:  true,
					Note: "in a zone that is no resource of this cloud it stands for itself: " +
						"give it in full",
				},
				{
					Name:  "records",
					Kind:  Set,
					Elem:  String,
					Level: Recorded,
					Note:  "nothing answers DNS queries locally; ACM's validation looks at it",
				},
				refused("setIdentifier", String, oneAnswer),
				{
					Name:  "ttl",
					Kind:  Int,
					Level: Recorded,
				},
				{
					Name:     "type",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Replace:  true,
					Note:     "the AWS provider changes it in place",
				},
				refused("weightedRoutingPolicies", List, oneAnswer),
				{
					Name:     "zoneId",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Replace:  true,
					Check:    recordZone,
					Note: "a well-formed id that is no zone of this cloud is taken for one outside: " +
						"hosted zones usually live outside the stack",
				},
			},
			Outputs: []string{"fqdn"},
			Check:   checkRecord, Create: createRecord,
			Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
				props := base(in)
				props["fqdn"] = old.Properties["fqdn"]
				return state.Record{Properties: props, Private: old.Private}, nil
			},
		},
	}
}

func atMost(n int) func(any) error {
	return func(v any) error {
		if l, _ := v.([]any); len(l) > n {
			return fmt.Errorf("it has at most %d, not %d", n, len(l))
		}
		return nil
	}
}

func zoneName(v any) error {
	s, _ := v.(string)
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 255 ||
		slices.ContainsFunc(strings.Split(s, "."), func(l string) bool { return l == "" || len(l) > 63 }) ||
		strings.ContainsAny(s, " /:") {
		return fmt.Errorf("it must be a domain name: labels of 1 to 63 characters with dots between")
	}
	return nil
}

// trimDot brings a name into the form in which the AWS provider keeps it, so
// that a final dot or capitals are no change.
func trimDot(in values, name string) {
	if s, ok := in[name].(string); ok {
		in[name] = strings.ToLower(strings.TrimSuffix(s, "."))
	}
}

func cleanZone(id string) string { return strings.TrimPrefix(id, "/hostedzone/") }

// servers are the name servers of each zone: none is asked.
func servers() []any {
	return []any{
		"ns-0.awsdns-00.com",
		"ns-512.awsdns-00.net",
		"ns-1024.awsdns-00.org",
		"ns-1536.awsdns-00.co.uk",
	}
}

func zoneOutputs(id string, in values) map[string]any {
	props := base(in)
	props["arn"], props["zoneId"] = "arn:"+Partition+":route53:::hostedzone/"+id, id
	props["nameServers"], props["primaryNameServer"] = servers(), servers()[0]
	props["tagsAll"] = tagsOf(in)
	return props
}

func emptyZone(_ context.Context, p *Provider, r state.Record) error {
	for _, x := range p.Store.List(recordType) {
		v := values(x.Properties)
		if cleanZone(v.str("zoneId")) != r.ID {
			continue
		}
		if !values(r.Properties).boolean("forceDestroy") {
			return fmt.Errorf(
				"HostedZoneNotEmpty: The specified hosted zone contains non-required resource record sets "+
					"and so cannot be deleted: %s of the type %s",
				v.str("fqdn"),
				v.str("type"),
			)
		}
		if err := p.Store.Delete(recordType, x.Key); err != nil {
			return err
		}
	}
	return nil
}

func checkRecord(_ *Provider, in values) []Failure {
	var out []Failure
	fail := func(property, format string, args ...any) {
		out = append(out, Failure{property, fmt.Sprintf(format, args...)})
	}
	trimDot(in, "name")
	for _, e := range in.list("aliases") {
		if a, ok := e.(map[string]any); ok {
			trimDot(a, "name")
		}
	}
	alias, plain := in.has("aliases"), in.has("records")
	switch {
	case alias == plain:
		fail("records", "exactly one of aliases and records must be given")
	case alias && in.has("ttl"):
		fail("ttl", "an alias record has no ttl: take it away")
	case plain && !in.has("ttl"):
		fail("ttl", "a record with records needs a ttl")
	}
	for _, s := range in.strings("records") {
		if err := recordValue(in.str("type"), s); err != nil {
			fail("records", "%v; got %q", err, s)
		}
	}
	if in.str("type") == "CNAME" && len(in.list("records")) > 1 {
		fail("records", "a CNAME has one record, not %d", len(in.list("records")))
	}
	return out
}

func recordValue(kind, s string) error {
	a, err := netip.ParseAddr(s)
	switch {
	case kind == "A" && (err != nil || !a.Is4()):
		return fmt.Errorf("a record of the type A holds an IPv4 address")
	case kind == "AAAA" && (err != nil || !a.Is6()):
		return fmt.Errorf("a record of the type AAAA holds an IPv6 address")
	}
	return nil
}

func createRecord(_ context.Context, p *Provider, in values) (state.Record, error) {
	id, kind := cleanZone(in.str("zoneId")), in.str("type")
	if !zoneID.MatchString(id) {
		return state.Record{}, fmt.Errorf("NoSuchHostedZone: No hosted zone found with ID: %s", id)
	}
	name := in.str("name")
	if zone, err := p.Store.Get(zoneType, id); err == nil {
		apex := values(zone.Properties).str("name")
		if name == "" {
			name = apex
		} else if name != apex && !strings.HasSuffix(name, "."+apex) {
			name += "." + apex
		}
		if kind == "CNAME" && name == apex {
			return state.Record{}, fmt.Errorf(
				"InvalidChangeBatch: [RRSet of type CNAME with DNS name %s. is not permitted at "+
					"apex in zone %s.]",
				name,
				apex,
			)
		}
	}
	rec := state.Record{ID: id + "_" + name + "_" + kind}
	if _, err := p.Store.Get(recordType, rec.ID); err == nil && !in.boolean("allowOverwrite") {
		return rec, fmt.Errorf(
			"InvalidChangeBatch: [Tried to create resource record set [name='%s.', type='%s'] but it "+
				"already exists]",
			name,
			kind,
		)
	}
	rec.Properties = base(in)
	rec.Properties["fqdn"] = name
	return rec, nil
}

// hostedZone finds a zone by name or id. What is no resource of this cloud is
// answered as if it existed: hosted zones usually live outside the stack. The
// id made from a name is always the same; the name made from an id is one
// under .example, which exists nowhere.
func hostedZone(p *Provider, args values) (values, []Failure) {
	for name, why := range map[string]string{
		"privateZone": noVPCs,
		"vpcId":       noVPCs,
		"tags":        "zones outside the cloud have no tags",
	} {
		if args.has(name) && !empty(args[name]) {
			return nil, []Failure{
				{name, fmt.Sprintf("the local cloud does not look zones up by %s (%s)", name, why)},
			}
		}
	}
	id, name := cleanZone(args.str("zoneId")), strings.ToLower(strings.TrimSuffix(args.str("name"), "."))
	switch {
	case (id == "") == (name == ""):
		return nil, []Failure{{"zoneId", "exactly one of zoneId and name must be given"}}
	case id != "" && !zoneID.MatchString(id):
		return nil, []Failure{
			{"zoneId", fmt.Sprintf("NoSuchHostedZone: No hosted zone found with ID: %s", id)},
		}
	case name != "" && zoneName(name) != nil:
		return nil, []Failure{{"name", fmt.Sprintf("name is invalid: %v; got %q", zoneName(name), name)}}
	}
	var found []state.Record
	for _, r := range p.Store.List(zoneType) {
		if r.ID == id || values(r.Properties).str("name") == name {
			found = append(found, r)
		}
	}
	if len(found) > 1 {
		return nil, []Failure{
			{"name", fmt.Sprintf("%d zones have the name %s: look it up by zoneId", len(found), name)},
		}
	}
	comment, count := "outside the local cloud", 2
	if len(found) == 1 {
		v := values(found[0].Properties)
		id, name, comment = found[0].ID, v.str("name"), v.str("comment")
		for _, r := range p.Store.List(recordType) {
			if cleanZone(values(r.Properties).str("zoneId")) == id {
				count++
			}
		}
	}
	if id == "" {
		sum := sha256.Sum256([]byte(name))
		id = "Z" + strings.ToUpper(hex.EncodeToString(sum[:]))[:20]
	}
	if name == "" {
		name = strings.ToLower(id) + ".example"
	}
	return values{
		"arn":                      "arn:" + Partition + ":route53:::hostedzone/" + id,
		"callerReference":          id,
		"comment":                  comment,
		"id":                       id,
		"zoneId":                   id,
		"name":                     name,
		"linkedServiceDescription": "",
		"linkedServicePrincipal":   "",
		"nameServers":              servers(),
		"primaryNameServer":        servers()[0],
		"privateZone":              false,
		"resourceRecordSetCount":   float64(count),
		"tags":                     map[string]any{},
		"vpcId":                    "",
	}, nil
}
