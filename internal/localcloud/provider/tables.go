package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// The calls that make, change and drop tables in the database. A table that
// was made by a process killed before it could write its record is taken over
// when its keys are the same.

const tableDeadline = 30 * time.Second

func (p *Provider) makeTable(ctx context.Context, in values) error {
	name := in.str("name")
	input := &dynamodb.CreateTableInput{
		TableName:            aws.String(name),
		KeySchema:            keySchema(in),
		AttributeDefinitions: attributes(in),
		BillingMode:          types.BillingModePayPerRequest,
	}
	for _, e := range in.list(secondaryIndexes) {
		i := values(e.(map[string]any))
		input.GlobalSecondaryIndexes = append(input.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName:  aws.String(i.str("name")),
			KeySchema:  keySchema(i),
			Projection: projection(i),
		})
	}
	for _, e := range in.list("localSecondaryIndexes") {
		i := values(e.(map[string]any))
		i["hashKey"] = in.str("hashKey")
		input.LocalSecondaryIndexes = append(input.LocalSecondaryIndexes, types.LocalSecondaryIndex{
			IndexName:  aws.String(i.str("name")),
			KeySchema:  keySchema(i),
			Projection: projection(i),
		})
		delete(i, "hashKey")
	}
	_, err := p.Cloud.Tables().CreateTable(ctx, input)
	var exists *types.ResourceInUseException
	if errors.As(err, &exists) {
		return p.adoptTable(ctx, input)
	}
	if err != nil {
		return fmt.Errorf("creating the table %s in the database: %w", name, err)
	}
	return p.waitActive(ctx, name)
}

// adoptTable accepts a table without a record if it has the wanted keys.
func (p *Provider) adoptTable(ctx context.Context, want *dynamodb.CreateTableInput) error {
	name := aws.ToString(want.TableName)
	d, err := p.Cloud.Tables().DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: want.TableName})
	if err != nil {
		return fmt.Errorf("looking at the table %s, which exists already: %w", name, err)
	}
	if !slices.EqualFunc(d.Table.KeySchema, want.KeySchema, func(a, b types.KeySchemaElement) bool {
		return aws.ToString(a.AttributeName) == aws.ToString(b.AttributeName) && a.KeyType == b.KeyType
	}) || len(d.Table.GlobalSecondaryIndexes) != len(want.GlobalSecondaryIndexes) || len(d.Table.LocalSecondaryIndexes) != len(want.LocalSecondaryIndexes) {
		return fmt.Errorf("ResourceInUseException: Table already exists: %s", name)
	}
	return p.waitActive(ctx, name)
}

func (p *Provider) dropTable(ctx context.Context, name string) error {
	_, err := p.Cloud.Tables().DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("deleting the table %s from the database: %w", name, err)
	}
	return p.poll(ctx, "deleting the table "+name, func() (bool, error) {
		_, err := p.Cloud.Tables().DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if errors.As(err, &missing) {
			return true, nil
		}
		return false, err
	})
}

func (p *Provider) waitActive(ctx context.Context, name string) error {
	return p.poll(ctx, "waiting for the table "+name, func() (bool, error) {
		d, err := p.Cloud.Tables().DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		// Seen of DynamoDB Local while it builds an index.
		var failure smithy.APIError
		if errors.As(err, &failure) && failure.ErrorCode() == "InternalFailure" {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		for _, i := range d.Table.GlobalSecondaryIndexes {
			if i.IndexStatus != types.IndexStatusActive {
				return false, nil
			}
		}
		return d.Table.TableStatus == types.TableStatusActive, nil
	})
}

// poll asks until done, for at most tableDeadline.
func (p *Provider) poll(ctx context.Context, what string, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, tableDeadline)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done()
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: the database is still busy after %s: %w", what, tableDeadline, ctx.Err())
		case <-tick.C:
		}
	}
}

// setTTL makes the table's time to live what the inputs say.
func (p *Provider) setTTL(ctx context.Context, in values) error {
	name := in.str("name")
	d, err := p.Cloud.Tables().DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
	if err != nil {
		return fmt.Errorf("reading the time to live of the table %s: %w", name, err)
	}
	ttl := in.object("ttl")
	current, enabled := "", false
	if d.TimeToLiveDescription != nil {
		current = aws.ToString(d.TimeToLiveDescription.AttributeName)
		enabled = d.TimeToLiveDescription.TimeToLiveStatus == types.TimeToLiveStatusEnabled
	}
	want := ttl.str("attributeName")
	if ttl.boolean("enabled") == enabled && (!enabled || current == want) {
		return nil
	}
	if enabled && ttl.boolean("enabled") {
		return fmt.Errorf(
			"ValidationException: TimeToLive is active on a different AttributeName: current "+
				"AttributeName is %s; disable it, deploy, and set the other one then",
			current,
		)
	}
	attribute := want
	if enabled {
		attribute = current
	}
	_, err = p.Cloud.Tables().UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &name,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: &attribute,
			Enabled:       aws.Bool(ttl.boolean("enabled")),
		},
	})
	if err != nil {
		return fmt.Errorf("setting the time to live of the table %s: %w", name, err)
	}
	return nil
}

// changeIndexes removes and adds global secondary indexes one after the
// other, as AWS allows one at a time.
func (p *Provider) changeIndexes(ctx context.Context, old, in values) error {
	name := in.str("name")
	before, after := indexes(old), indexes(in)
	for _, i := range old.list(secondaryIndexes) {
		index := values(i.(map[string]any))
		if same, ok := after[index.str("name")]; ok && same == before[index.str("name")] {
			continue
		}
		if err := p.updateIndex(
			ctx,
			in,
			types.GlobalSecondaryIndexUpdate{
				Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String(index.str("name"))},
			},
		); err != nil {
			return fmt.Errorf("deleting the index %s of the table %s: %w", index.str("name"), name, err)
		}
	}
	for _, i := range in.list(secondaryIndexes) {
		index := values(i.(map[string]any))
		if same, ok := before[index.str("name")]; ok && same == after[index.str("name")] {
			continue
		}
		if err := p.updateIndex(
			ctx,
			in,
			types.GlobalSecondaryIndexUpdate{Create: &types.CreateGlobalSecondaryIndexAction{
				IndexName:  aws.String(index.str("name")),
				KeySchema:  keySchema(index),
				Projection: projection(index),
			}},
		); err != nil {
			return fmt.Errorf("creating the index %s of the table %s: %w", index.str("name"), name, err)
		}
	}
	return nil
}

func (p *Provider) updateIndex(ctx context.Context, in values, u types.GlobalSecondaryIndexUpdate) error {
	name := in.str("name")
	_, err := p.Cloud.Tables().UpdateTable(ctx, &dynamodb.UpdateTableInput{
		TableName:                   &name,
		AttributeDefinitions:        attributes(in),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{u},
	})
	if err != nil {
		return err
	}
	return p.waitActive(ctx, name)
}

// indexes returns what defines each index, as text.
func indexes(v values) map[string]string {
	out := map[string]string{}
	for _, e := range v.list(secondaryIndexes) {
		i := values(e.(map[string]any))
		keys := i.strings("nonKeyAttributes")
		slices.Sort(keys)
		out[i.str("name")] = fmt.Sprint(
			i.str("hashKey"),
			"|",
			i.str("rangeKey"),
			"|",
			i.str("projectionType"),
			"|",
			keys,
		)
	}
	return out
}

func keySchema(v values) []types.KeySchemaElement {
	out := []types.KeySchemaElement{{AttributeName: aws.String(v.str("hashKey")), KeyType: types.KeyTypeHash}}
	if v.str("rangeKey") != "" {
		out = append(out, types.KeySchemaElement{
			AttributeName: aws.String(v.str("rangeKey")),
			KeyType:       types.KeyTypeRange,
		})
	}
	return out
}

func attributes(v values) []types.AttributeDefinition {
	var out []types.AttributeDefinition
	for _, e := range v.list("attributes") {
		a := values(e.(map[string]any))
		out = append(out, types.AttributeDefinition{
			AttributeName: aws.String(a.str("name")),
			AttributeType: types.ScalarAttributeType(a.str("type")),
		})
	}
	return out
}

func projection(v values) *types.Projection {
	out := &types.Projection{ProjectionType: types.ProjectionType(v.str("projectionType"))}
	if keys := v.strings("nonKeyAttributes"); len(keys) > 0 {
		out.NonKeyAttributes = keys
	}
	return out
}

func (p *Provider) holdsItems(ctx context.Context, name string) (bool, error) {
	out, err := p.Cloud.Tables().Scan(ctx, &dynamodb.ScanInput{TableName: &name, Limit: aws.Int32(1)})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking into the table %s: %w", name, err)
	}
	return len(out.Items) > 0, nil
}
