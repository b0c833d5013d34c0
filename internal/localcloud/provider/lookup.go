package provider

import (
	"errors"
	"fmt"
)

// noResource is what the AWS provider says in the place of AWS's
// ResourceNotFoundException. Source: findAlias, findFunction and
// retry.NotFoundError, terraform-provider-aws.
const noResource = "couldn't find resource"

// lookupAlias answers for an alias. What does not exist fails with the AWS
// provider's own words, by which programs tell it from other errors.
func lookupAlias(p *Provider, args values) (values, []Failure) {
	name, alias := FunctionName(args.str("functionName")), args.str("name")
	r, err := p.Store.Get(aliasType, aliasKey(name, alias))
	if err != nil {
		return nil, []Failure{{"name", "reading Lambda Alias: " + noResource}}
	}
	v := values(r.Properties)
	return values{
		"arn":             r.ID,
		"id":              r.ID,
		"description":     v.str("description"),
		"functionName":    name,
		"functionVersion": v.str("functionVersion"),
		"invokeArn":       v.str("invokeArn"),
		"name":            alias,
	}, nil
}

// lookupFunction answers for $LATEST, a version or an alias; without a
// qualifier for the version that was published last, if there is one, as the
// AWS provider does (dataSourceFunctionRead).
func lookupFunction(p *Provider, args values) (values, []Failure) {
	name, qualifier := FunctionName(args.str("functionName")), args.str("qualifier")
	r, err := p.Store.Get(functionType, name)
	if err != nil {
		return nil, []Failure{
			{"functionName", fmt.Sprintf("reading Lambda Function (%s): %s", name, noResource)},
		}
	}
	number, err := p.Resolve(name, qualifier)
	if last := r.Private[privateVersions]; qualifier == "" && last != "" {
		number = last
	}
	if err != nil {
		return nil, []Failure{
			{"qualifier", fmt.Sprintf("reading Lambda Function (%s): %s", name, noResource)},
		}
	}
	props := values(r.Properties)
	if number != latest {
		v, err := versionOf(r, number)
		if _, published := r.Private[privateVersion+number]; !published {
			err = errors.New(noResource)
		}
		if err != nil {
			return nil, []Failure{{"qualifier", fmt.Sprintf("reading Lambda Function (%s): %v", name, err)}}
		}
		for k, value := range v.Properties {
			props[k] = value
		}
	}
	out := values{"functionName": name, "id": name, "version": number, "tags": tagsOf(props)}
	for _, k := range []string{"architectures", "codeSha256", "description", "environment", "handler", "lastModified", "memorySize", "role", "runtime", "timeout", "tracingConfig",
		"reservedConcurrentExecutions", "sourceCodeSize"} {
		if props.has(k) {
			out[k] = props[k]
		}
	}
	arn := props.str("arn")
	out["arn"], out["invokeArn"] = arn, p.invokeARN(arn)
	out["qualifiedArn"], out["qualifiedInvokeArn"] = arn+":"+number, p.invokeARN(arn+":"+number)
	if qualifier != "" {
		out["qualifier"] = qualifier
	}
	return out, nil
}
