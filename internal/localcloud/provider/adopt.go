package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"items-api/internal/localcloud/state"
)

// adopt makes the record of a resource that is there without one, so that a
// program can import it. It has no URN until a deployment changes it.
func (p *Provider) adopt(ctx context.Context, t *Type, id string) (state.Record, error) {
	p.mutate.Lock()
	defer p.mutate.Unlock()
	rec, err := t.Found(ctx, p, id)
	if err != nil {
		return rec, err
	}
	rec.Type = t.Token
	rec.Key = t.key(rec.ID, rec.Properties)
	rec.Private = map[string]string{}
	return rec, p.Store.Put(rec)
}

// claim notes which resource an adopted record is of.
func (p *Provider) claim(rec *state.Record, urn resource.URN, o Origin) error {
	p.mutate.Lock()
	defer p.mutate.Unlock()
	if rec.Private[privateURN] != "" {
		return nil
	}
	if rec.Private == nil {
		rec.Private = map[string]string{}
	}
	rec.Private[privateURN], rec.Private[privateOrigin] = string(urn), string(o)
	return p.Store.Put(*rec)
}

// foundTable describes a table of the database that somebody made without the
// engine, as AWS describes one that was restored: without a time to live,
// recovery, protection and tags.
func foundTable(ctx context.Context, p *Provider, name string) (state.Record, error) {
	d, err := p.Cloud.Tables().DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return state.Record{}, state.ErrNotFound
	}
	if err != nil {
		return state.Record{}, fmt.Errorf("looking at the table %s: %w", name, err)
	}
	in := values{
		"name":                      name,
		"billingMode":               provisioned,
		"attributes":                definitions(d.Table.AttributeDefinitions),
		"deletionProtectionEnabled": false,
	}
	if b := d.Table.BillingModeSummary; b != nil && b.BillingMode == types.BillingModePayPerRequest {
		in["billingMode"] = payPerRequest
	} else if t := d.Table.ProvisionedThroughput; t != nil {
		in["readCapacity"] = float64(aws.ToInt64(t.ReadCapacityUnits))
		in["writeCapacity"] = float64(aws.ToInt64(t.WriteCapacityUnits))
	}
	setKeys(in, d.Table.KeySchema)
	var global, local []any
	for _, i := range d.Table.GlobalSecondaryIndexes {
		global = append(
			global,
			map[string]any(foundIndex(aws.ToString(i.IndexName), i.KeySchema, i.Projection)),
		)
	}
	for _, i := range d.Table.LocalSecondaryIndexes {
		index := foundIndex(aws.ToString(i.IndexName), i.KeySchema, i.Projection)
		delete(index, "hashKey")
		local = append(local, map[string]any(index))
	}
	if global != nil {
		in[secondaryIndexes] = global
	}
	if local != nil {
		in["localSecondaryIndexes"] = local
	}
	if err := p.foundTTL(ctx, in); err != nil {
		return state.Record{}, err
	}
	return tableRecord(p, in), nil
}

// foundTTL enters the time to live of a table.
func (p *Provider) foundTTL(ctx context.Context, in values) error {
	name := in.str("name")
	d, err := p.Cloud.Tables().DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err != nil {
		return fmt.Errorf("reading the time to live of the table %s: %w", name, err)
	}
	if t := d.TimeToLiveDescription; t != nil && t.TimeToLiveStatus == types.TimeToLiveStatusEnabled {
		in["ttl"] = map[string]any{"attributeName": aws.ToString(t.AttributeName), "enabled": true}
	}
	return nil
}

func definitions(all []types.AttributeDefinition) []any {
	var out []any
	for _, a := range all {
		out = append(out, map[string]any{
			"name": aws.ToString(a.AttributeName),
			"type": string(a.AttributeType),
		})
	}
	return out
}

// setKeys enters the keys of a table or of an index.
func setKeys(in values, keys []types.KeySchemaElement) {
	for _, k := range keys {
		name := "hashKey"
		if k.KeyType == types.KeyTypeRange {
			name = "rangeKey"
		}
		in[name] = aws.ToString(k.AttributeName)
	}
}

func foundIndex(name string, keys []types.KeySchemaElement, projected *types.Projection) values {
	index := values{"name": name}
	setKeys(index, keys)
	if projected == nil {
		return index
	}
	index["projectionType"] = string(projected.ProjectionType)
	var others []any
	for _, n := range projected.NonKeyAttributes {
		others = append(others, n)
	}
	if others != nil {
		index["nonKeyAttributes"] = others
	}
	return index
}
