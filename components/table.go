package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
)

// Table chooses a table that is there already.
type Table struct {
	// Name is of a table that the API takes over in place of the one that it
	// has, such as one that was restored; it makes its own if it is empty. The
	// table must have the keys of this release. What else it lacks is set:
	// time to live, recovery, protection, key and tags.
	Name string
}

// addTable makes the table. One that is protected from deletion stays in the
// account when it leaves the stack, because another is taken over in its place.
func (r *RestAPI) addTable(ctx *pulumi.Context, name string, a RestAPIArgs) (err error) {
	opts := append(r.child(), a.Schema.option()...)
	opts = append(opts, pulumi.RetainOnDelete(a.DeletionProtection))
	var physical pulumi.StringPtrInput
	if a.Table.Name != "" {
		physical = pulumi.String(a.Table.Name)
		opts = append(opts, pulumi.Import(pulumi.ID(a.Table.Name)))
	}
	key := func(n string) dynamodb.TableAttributeInput {
		return dynamodb.TableAttributeArgs{Name: pulumi.String(n), Type: pulumi.String("S")}
	}
	r.table, err = dynamodb.NewTable(ctx, name, &dynamodb.TableArgs{
		Name:                 physical,
		BillingMode:          pulumi.String("PAY_PER_REQUEST"),
		HashKey:              pulumi.String(api.PartitionKey),
		RangeKey:             pulumi.String(api.SortKey),
		Attributes:           dynamodb.TableAttributeArray{key(api.PartitionKey), key(api.SortKey)},
		PointInTimeRecovery:  dynamodb.TablePointInTimeRecoveryArgs{Enabled: pulumi.Bool(true)},
		ServerSideEncryption: r.tableEncryption(),
		Ttl: dynamodb.TableTtlArgs{
			AttributeName: pulumi.String(api.TTLAttribute),
			Enabled:       pulumi.Bool(true),
		},
		DeletionProtectionEnabled: pulumi.Bool(a.DeletionProtection),
		Tags:                      pulumi.ToStringMap(a.Tags),
	}, opts...)
	if err != nil {
		return fmt.Errorf("creating the table: %w", err)
	}
	return nil
}
