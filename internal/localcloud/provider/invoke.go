package provider

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// invokes are the functions that look something up, by token.
var invokes = map[string]func(p *Provider, args values) (values, []Failure){
	"aws:index/getCallerIdentity:getCallerIdentity":     callerIdentity,
	"aws:index/getRegion:getRegion":                     region,
	"aws:index/getPartition:getPartition":               partition,
	"aws:iam/getPolicyDocument:getPolicyDocument":       policyDocumentOf,
	"aws:lambda/getAlias:getAlias":                      lookupAlias,
	"aws:lambda/getFunction:getFunction":                lookupFunction,
	"aws:route53/getZone:getZone":                       hostedZone,
	"aws:servicequotas/getServiceQuota:getServiceQuota": serviceQuota,

	"aws:index/getAvailabilityZones:getAvailabilityZones": availabilityZones,
}

// Invokes returns the tokens of the supported lookups.
func Invokes() []string { return slices.Sorted(maps.Keys(invokes)) }

func (p *Provider) invoke(token string, args values) (values, []Failure, error) {
	f, ok := invokes[token]
	if !ok {
		return nil, nil, fmt.Errorf(
			"the local cloud does not support the function %s; it supports %v",
			token,
			Invokes(),
		)
	}
	out, problems := f(p, args)
	return out, problems, nil
}

func callerIdentity(*Provider, values) (values, []Failure) {
	return values{
		"accountId": Account,
		"arn":       "arn:aws:iam::" + Account + ":user/local",
		"id":        Account,
		"userId":    "AIDALOCALCLOUD000000",
	}, nil
}

func region(p *Provider, args values) (values, []Failure) {
	for _, name := range []string{"name", "id", "region"} {
		if r := args.str(name); r != "" && r != p.Region {
			return nil, []Failure{
				{name, fmt.Sprintf("the local cloud has one region, %s, not %s", p.Region, r)},
			}
		}
	}
	return values{
		"name":        p.Region,
		"id":          p.Region,
		"region":      p.Region, // as version 7 of the provider names it
		"description": "the local cloud",
		"endpoint":    "ec2." + p.Region + ".amazonaws.com",
	}, nil
}

func partition(*Provider, values) (values, []Failure) {
	return values{
		"partition":        Partition,
		"id":               Partition,
		"dnsSuffix":        "amazonaws.com",
		"reverseDnsPrefix": "com.amazonaws",
	}, nil
}

const (
	lambdaService    = "lambda"
	concurrencyQuota = "L-B99A9384"
	concurrencyName  = "Concurrent executions"
	concurrencyValue = 1000.0
)

// serviceQuota knows the quota that matters here: Lambda's concurrent
// executions, L-B99A9384.
func serviceQuota(p *Provider, args values) (values, []Failure) {
	if args.str("serviceCode") != lambdaService {
		return nil, []Failure{
			{
				"serviceCode",
				fmt.Sprintf(
					"the local cloud knows quotas of the service %q only, not of %q",
					lambdaService,
					args.str("serviceCode"),
				),
			},
		}
	}
	if code, name := args.str(
		"quotaCode",
	), args.str(
		"quotaName",
	); code != concurrencyQuota &&
		name != concurrencyName {
		return nil, []Failure{
			{
				"quotaCode",
				fmt.Sprintf(
					"the local cloud knows the quota %s (%s) only, not %q",
					concurrencyQuota,
					concurrencyName,
					code+name,
				),
			},
		}
	}
	arn := p.arn("servicequotas", lambdaService+"/"+concurrencyQuota)
	return values{
		"adjustable":   true,
		"arn":          arn,
		"id":           arn,
		"defaultValue": concurrencyValue,
		"globalQuota":  false,
		"quotaCode":    concurrencyQuota,
		"quotaName":    concurrencyName,
		"serviceCode":  lambdaService,
		"serviceName":  "AWS Lambda",
		"usageMetrics": []any{},
		"value":        float64(p.Concurrency),
	}, nil
}

// policyDocumentOf renders a document as the AWS provider does: single values
// are not lists, the default effect is Allow, the default version 2012-10-17.
func policyDocumentOf(_ *Provider, args values) (values, []Failure) {
	for _, name := range []string{"sourceJson", "overrideJson", "sourcePolicyDocuments", "overridePolicyDocuments"} {
		if args.has(name) && !empty(args[name]) {
			return nil, []Failure{
				{
					name,
					fmt.Sprintf(
						"the local cloud does not merge policy documents; write the statements of %s "+
							"into statements",
						name,
					),
				},
			}
		}
	}
	type member struct {
		Version   string           `json:"Version"`
		ID        string           `json:"Id,omitempty"`
		Statement []map[string]any `json:"Statement,omitempty"`
	}
	doc := member{Version: "2012-10-17", ID: args.str("policyId")}
	if v := args.str("version"); v != "" {
		doc.Version = v
	}
	for _, e := range args.list("statements") {
		s, _ := e.(map[string]any)
		doc.Statement = append(doc.Statement, statement(s))
	}
	pretty, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, []Failure{{"statements", err.Error()}}
	}
	minified, err := json.Marshal(doc)
	if err != nil {
		return nil, []Failure{{"statements", err.Error()}}
	}
	out := args.clone()
	out["json"], out["minifiedJson"], out["id"] = string(
		pretty,
	), string(
		minified,
	), fmt.Sprintf(
		"%d",
		crc(pretty),
	)
	return out, nil
}

func statement(s values) map[string]any {
	out := map[string]any{"Effect": "Allow"}
	if sid := s.str("sid"); sid != "" {
		out["Sid"] = sid
	}
	if effect := s.str("effect"); effect != "" {
		out["Effect"] = effect
	}
	for from, to := range map[string]string{
		"actions":      "Action",
		"notActions":   "NotAction",
		"resources":    "Resource",
		"notResources": "NotResource",
	} {
		if l := s.strings(from); len(l) > 0 {
			out[to] = single(l)
		}
	}
	for from, to := range map[string]string{"principals": "Principal", "notPrincipals": "NotPrincipal"} {
		if m := principals(s.list(from)); m != nil {
			out[to] = m
		}
	}
	conditions := map[string]map[string]any{}
	for _, e := range s.list("conditions") {
		c, _ := e.(map[string]any)
		v := values(c)
		if conditions[v.str("test")] == nil {
			conditions[v.str("test")] = map[string]any{}
		}
		conditions[v.str("test")][v.str("variable")] = single(v.strings("values"))
	}
	if len(conditions) > 0 {
		out["Condition"] = conditions
	}
	return out
}

func single(l []string) any {
	if len(l) == 1 {
		return l[0]
	}
	l = slices.Clone(l)
	slices.Sort(l)
	return l
}

func principals(l []any) any {
	if len(l) == 0 {
		return nil
	}
	out := map[string]any{}
	for _, e := range l {
		m, _ := e.(map[string]any)
		v := values(m)
		ids := v.strings("identifiers")
		if v.str("type") == "*" && slices.Equal(ids, []string{"*"}) {
			return "*"
		}
		out[v.str("type")] = single(ids)
	}
	return out
}
