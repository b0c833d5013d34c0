package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/api"
)

func (r *RestAPI) addTable(ctx *pulumi.Context, name string, a RestAPIArgs) (err error) {
	key := func(n string) dynamodb.TableAttributeInput {
		return dynamodb.TableAttributeArgs{Name: pulumi.String(n), Type: pulumi.String("S")}
	}
	r.table, err = dynamodb.NewTable(ctx, name, &dynamodb.TableArgs{
		BillingMode:               pulumi.String("PAY_PER_REQUEST"),
		HashKey:                   pulumi.String(api.PartitionKey),
		RangeKey:                  pulumi.String(api.SortKey),
		Attributes:                dynamodb.TableAttributeArray{key(api.PartitionKey), key(api.SortKey)},
		PointInTimeRecovery:       dynamodb.TablePointInTimeRecoveryArgs{Enabled: pulumi.Bool(true)},
		ServerSideEncryption:      r.tableEncryption(),
		Ttl:                       dynamodb.TableTtlArgs{AttributeName: pulumi.String(api.TTLAttribute), Enabled: pulumi.Bool(true)},
		DeletionProtectionEnabled: pulumi.Bool(a.DeletionProtection),
		Tags:                      pulumi.ToStringMap(a.Tags),
	}, append(r.child(), a.Schema.option()...)...)
	if err != nil {
		return fmt.Errorf("creating the table: %w", err)
	}
	return nil
}
