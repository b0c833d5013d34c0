package provider

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"items-api/internal/localcloud/gateway"
	"items-api/internal/localcloud/state"
)

const (
	domainType  = "aws:apigatewayv2/domainName:DomainName"
	mappingType = "aws:apigatewayv2/apiMapping:ApiMapping"

	noTLS = "nothing serves TLS locally; a request with the domain in its Host header to the address of " +
		"any API is served"

	// regionalZone is the hosted zone of regional endpoints in us-east-1, given
	// whatever the region: alias records point to it, and nothing resolves them.
	// Source: AWS General Reference, "Amazon API Gateway endpoints and quotas".
	regionalZone = "Z1UJRXOUMOOFQ8"
	// maxNested is the number of mappings with several levels that a domain may
	// have. Source: API Gateway developer guide, "Map API stages to a custom
	// domain name for HTTP APIs", as is what a key may hold.
	maxNested = 200
)

var (
	customDomain = regexp.MustCompile(
		`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$`,
	)
	mappingKey = regexp.MustCompile(`^[A-Za-z0-9$\-_.+!*'()/]{0,300}$`)
	truststore = regexp.MustCompile(`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+$`)
)

func domainTypes() []*Type {
	certificate := matching(certificateARN, "it must be the ARN of an ACM certificate")
	return []*Type{
		{
			Token:   domainType,
			Outputs: []string{"apiMappingSelectionExpression", "arn", "tagsAll"},
			Properties: []Property{
				{
					Name:     "domainName",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Replace:  true,
					Check: matching(
						customDomain,
						"it must be a domain name in lower case, such as api.example.com or *.example.com",
					),
				},
				{
					Name:     "domainNameConfiguration",
					Kind:     Object,
					Level:    Enforced,
					Required: true,
					Fields: []Property{
						{
							Name:     "certificateArn",
							Kind:     String,
							Level:    Enforced,
							Required: true,
							Check:    certificate,
							Note:     "one of this cloud must exist, be issued and be for the domain; " + noTLS,
						},
						{
							Name:     "endpointType",
							Kind:     String,
							Level:    Enforced,
							Required: true,
							Only:     []any{"REGIONAL"},
						},
						{
							Name:     "hostedZoneId",
							Kind:     String,
							Level:    Recorded,
							Computed: true,
							Note:     "AWS chooses it; here that of us-east-1 in any region",
						},
						{
							Name:     "ipAddressType",
							Kind:     String,
							Level:    Recorded,
							Computed: true,
							Check:    oneOf("ipv4", "dualstack"),
						},
						{
							Name:     "ownershipVerificationCertificateArn",
							Kind:     String,
							Level:    Recorded,
							Computed: true,
							Check:    certificate,
						},
						{
							Name:     "securityPolicy",
							Kind:     String,
							Level:    Recorded,
							Required: true,
							Only:     []any{"TLS_1_2"},
							Note:     noTLS,
						},
						{
							Name:     "targetDomainName",
							Kind:     String,
							Level:    Recorded,
							Computed: true,
							Note:     "AWS chooses it; it resolves nowhere",
						},
					},
				},
				{
					Name:  "mutualTlsAuthentication",
					Kind:  Object,
					Level: Recorded,
					Note:  "no client certificate is asked for locally",
					Fields: []Property{
						{
							Name:     "truststoreUri",
							Kind:     String,
							Level:    Recorded,
							Required: true,
							Check:    matching(truststore, "it must look like s3://bucket/key"),
						},
						{
							Name:  "truststoreVersion",
							Kind:  String,
							Level: Recorded,
						},
					},
				},
				tags(),
			},
			Preview: func(_ *Provider, out values) {
				c := out.object("domainNameConfiguration").clone()
				c["hostedZoneId"], c["targetDomainName"] = Unknown{}, Unknown{}
				out["domainNameConfiguration"] = map[string]any(c)
			},
			Create:   createDomain,
			Update:   updateDomain,
			Apply:    applyDomain,
			Removed:  removedDomain,
			Volatile: volatileTags,
		},
		{
			Token: mappingType,
			Properties: []Property{
				apiID(),
				{
					Name:  "apiMappingKey",
					Kind:  String,
					Level: Enforced,
					Check: func(v any) error {
						s, _ := v.(string)
						if !mappingKey.MatchString(s) || strings.HasPrefix(s, "/") ||
							strings.HasSuffix(s, "/") ||
							strings.Contains(s, "//") {
							return fmt.Errorf(
								"a mapping key has at most 300 letters, digits and any of $-_.+!*'()/, " +
									"and no '/' at its ends",
							)
						}
						return nil
					},
				},
				{
					Name:     "domainName",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Replace:  true,
				},
				{
					Name:     "stage",
					Kind:     String,
					Level:    Enforced,
					Required: true,
				},
			},
			Create: func(_ context.Context, p *Provider, in values) (state.Record, error) {
				id := p.ID(6)
				return state.Record{ID: id, Properties: base(in)}, p.checkMapping(id, in)
			},
			Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
				return state.Record{Properties: base(in), Private: old.Private}, p.checkMapping(old.ID, in)
			},
			Apply: applyMapping, Removed: applyMapping,
		},
	}
}

func createDomain(_ context.Context, p *Provider, in values) (state.Record, error) {
	name := in.str("domainName")
	if _, err := p.Store.Get(domainType, name); err == nil {
		return state.Record{}, fmt.Errorf(
			"BadRequestException: The domain name you provided already exists.: %s",
			name,
		)
	}
	target := fmt.Sprintf("d-%s.execute-api.%s.amazonaws.com", p.ID(10), p.Region)
	props, err := p.domainOutputs(in, target)
	return state.Record{ID: name, Properties: props}, err
}

func updateDomain(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
	keepComputed(p.types[domainType].Properties, old.Properties, in)
	props, err := p.domainOutputs(
		in,
		values(old.Properties).object("domainNameConfiguration").str("targetDomainName"),
	)
	return state.Record{Properties: props, Private: old.Private}, err
}

func (p *Provider) domainOutputs(in values, target string) (map[string]any, error) {
	name := in.str("domainName")
	props := base(in)
	c := values(props).object("domainNameConfiguration")
	if err := p.usableCertificate(c.str("certificateArn"), name); err != nil {
		return nil, err
	}
	c["hostedZoneId"], c["targetDomainName"] = regionalZone, target
	for k, v := range map[string]any{"ipAddressType": "ipv4", "ownershipVerificationCertificateArn": ""} {
		if !c.has(k) {
			c[k] = v
		}
	}
	props["apiMappingSelectionExpression"] = "$request.basepath"
	props["arn"] = fmt.Sprintf("arn:%s:apigateway:%s::/domainnames/%s", Partition, p.Region, name)
	props["tagsAll"] = tagsOf(in)
	return props, nil
}

func applyDomain(ctx context.Context, p *Provider, r state.Record) error {
	return p.Cloud.ApplyDomain(ctx, r.ID)
}

// removedDomain takes the domain's mappings with it.
func removedDomain(ctx context.Context, p *Provider, r state.Record) error {
	for _, m := range p.mappings(func(v values) bool { return v.str("domainName") == r.ID }) {
		if err := p.Store.Delete(mappingType, m.Key); err != nil {
			return err
		}
	}
	return p.Cloud.RemoveDomain(ctx, r.ID)
}

func (p *Provider) mappings(match func(values) bool) []state.Record {
	return slices.DeleteFunc(
		p.Store.List(mappingType),
		func(r state.Record) bool { return !match(r.Properties) },
	)
}

func (p *Provider) checkMapping(id string, in values) error {
	domain, api, key := in.str("domainName"), in.str("apiId"), in.str("apiMappingKey")
	if _, err := p.Store.Get(domainType, domain); err != nil {
		return fmt.Errorf("NotFoundException: Invalid domain name identifier specified %s", domain)
	}
	if err := p.apiExists(api); err != nil {
		return err
	}
	if !p.stageExists(api, in.str("stage")) {
		return fmt.Errorf(
			"BadRequestException: Invalid stage identifier specified: the API %s has no stage %s; let the "+
				"mapping depend on the stage",
			api,
			in.str("stage"),
		)
	}
	nested := 0
	for _, m := range p.mappings(func(v values) bool { return v.str("domainName") == domain }) {
		other := values(m.Properties).str("apiMappingKey")
		if m.ID != id && other == key {
			return fmt.Errorf(
				"ConflictException: ApiMapping key already exists for this domain name: %q of %s",
				key,
				domain,
			)
		}
		if m.ID != id && strings.Contains(other, "/") {
			nested++
		}
	}
	if strings.Contains(key, "/") && nested >= maxNested {
		return fmt.Errorf(
			"the domain name %s has %d API mappings with several levels, which is the limit",
			domain,
			maxNested,
		)
	}
	return nil
}

func applyMapping(ctx context.Context, p *Provider, r state.Record) error {
	domain := values(r.Properties).str("domainName")
	if _, err := p.Store.Get(domainType, domain); err != nil {
		return nil // it went with its domain
	}
	return p.Cloud.ApplyDomain(ctx, domain)
}

// unmappedAPI and unmappedStage refuse to delete what a domain leads to. The
// words for an API are not verified.
func unmappedAPI(_ context.Context, p *Provider, r state.Record) error {
	return p.unmapped("API", r.ID, func(v values) bool { return v.str("apiId") == r.ID })
}

func unmappedStage(_ context.Context, p *Provider, r state.Record) error {
	return p.unmapped("stage", r.ID, func(v values) bool {
		return v.str("apiId") == values(r.Properties).str("apiId") && v.str("stage") == r.ID
	})
}

func (p *Provider) unmapped(what, id string, match func(values) bool) error {
	var domains []string
	for _, m := range p.mappings(match) {
		domains = append(domains, values(m.Properties).str("domainName"))
	}
	if len(domains) == 0 {
		return nil
	}
	return fmt.Errorf(
		"BadRequestException: Deleting %s %s failed. Please remove all base path mappings related to the "+
			"%s in your domains: %s",
		what,
		id,
		what,
		strings.Join(domains, ", "),
	)
}

// Domains returns the names of all custom domains.
func (p *Provider) Domains() []string {
	var out []string
	for _, r := range p.Store.List(domainType) {
		out = append(out, r.ID)
	}
	return out
}

// Domain returns what the gateway must know of a custom domain.
func (p *Provider) Domain(name string) (gateway.Domain, error) {
	if _, err := p.Store.Get(domainType, name); err != nil {
		return gateway.Domain{}, err
	}
	out := gateway.Domain{Name: name}
	for _, m := range p.mappings(func(v values) bool { return v.str("domainName") == name }) {
		v := values(m.Properties)
		out.Mappings = append(out.Mappings, gateway.Mapping{
			Key:   v.str("apiMappingKey"),
			APIID: v.str("apiId"),
			Stage: v.str("stage"),
		})
	}
	return out, nil
}
