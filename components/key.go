package components

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dynamodb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Encryption chooses the key that data at rest is encrypted with.
type Encryption struct {
	// CustomerKey is a key of the stack's own for the table and the logs, in
	// place of keys that belong to AWS.
	CustomerKey bool
}

// keyDeletionDays is how long a key that is deleted can be brought back; the
// most that KMS allows.
const keyDeletionDays = 30

// keyPolicy says who may use the key, and for what.
//
// The account as a principal lets its administrators manage the key by IAM
// policies. Without it nobody could, now or ever, as KMS asks a key's own
// policy first; and who deploys needs it, since DynamoDB creates grants in the
// name of who chooses a table's key. A function needs kms:Decrypt alone:
// DynamoDB makes table keys and grants otherwise, and decrypts the table's key
// in the name of who reads or writes. Source: DynamoDB developer guide,
// "Encryption at rest: how it works".
//
// Names of log groups are made up from a prefix, and they can be made only
// when the key lets CloudWatch Logs use it: so the prefixes stand here, that of
// access logs of earlier releases included.
func keyPolicy(at place, name string, roles []string, more []statement) policyDocument {
	by := func(service string) string { return service + "." + at.region + ".amazonaws.com" }
	return policyDocument{policyVersion, append([]statement{
		{
			Sid:       "Account",
			Effect:    "Allow",
			Principal: &principal{AWS: []string{at.root()}},
			Action:    []string{"kms:*"},
			Resource:  []string{thisKey},
		},
		{
			Sid:       "Functions",
			Effect:    "Allow",
			Principal: &principal{AWS: roles},
			Action:    []string{"kms:Decrypt"},
			Resource:  []string{thisKey},
			Condition: map[string]map[string][]string{"StringEquals": {"kms:ViaService": {by("dynamodb")}}},
		},
		// Source of the actions: CloudWatch Logs user guide, "Encrypt log data
		// in CloudWatch Logs using AWS KMS".
		{
			Sid:       "Logs",
			Effect:    "Allow",
			Principal: &principal{Service: by("logs")},
			Action: []string{
				"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*",
			},
			Resource: []string{thisKey},
			Condition: map[string]map[string][]string{"ArnLike": {"kms:EncryptionContext:aws:logs:arn": {
				at.arn("logs", "log-group:"+name+"-*"),
				at.arn("logs", "log-group:"+vendedLogs+name+"-*"),
			}}},
		},
	}, more...)}
}

// thisKey is how a key's policy names the key.
const thisKey = "*"

// addKey makes the key. One that protects what must not be lost stays when it
// is switched off: backups are encrypted with the key that the table had.
func (r *RestAPI) addKey(ctx *pulumi.Context, name string, a RestAPIArgs) error {
	if !a.Encryption.CustomerKey {
		return nil
	}
	at, err := r.place(ctx)
	if err != nil {
		return err
	}
	var more []statement
	if a.Audit.Enabled {
		more = trailKeyStatements(trailARN(ctx, at, name))
	}
	document := r.roleARNs().ApplyT(func(roles []string) (string, error) {
		return keyPolicy(at, name, roles, more).json()
	}).(pulumi.StringOutput)
	if r.key, err = kms.NewKey(ctx, name, &kms.KeyArgs{
		Description:          pulumi.String("Table and logs of " + global(ctx, name)),
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(keyDeletionDays),
		Policy:               document,
		Tags:                 pulumi.ToStringMap(a.Tags),
	}, append(r.child(), pulumi.RetainOnDelete(a.DeletionProtection))...); err != nil {
		return fmt.Errorf("creating the key: %w", err)
	}
	if _, err := kms.NewAlias(ctx, name, &kms.AliasArgs{
		Name:        pulumi.String("alias/" + global(ctx, name)),
		TargetKeyId: r.key.KeyId,
	}, r.child()...); err != nil {
		return fmt.Errorf("creating the key's alias: %w", err)
	}
	return nil
}

// global returns a name that is unique in an account and region, of letters,
// digits, - and _.
func global(ctx *pulumi.Context, name string) string {
	return strings.ReplaceAll(ctx.Project()+"-"+ctx.Stack()+"-"+name, ".", "-")
}

// keyARN is nil without a key of the stack's own.
func (r *RestAPI) keyARN() pulumi.StringPtrInput {
	if r.key == nil {
		return nil
	}
	return r.key.Arn.ToStringPtrOutput()
}

// tableEncryption encrypts the table with the stack's key, or else with the
// key of DynamoDB's own, for which enabled is false. It is not the key
// aws/dynamodb, for which enabled is true and no key is named: the AWS provider
// takes that for the key that the table has, and would leave a table on the
// stack's key when that goes. Source: hashicorp/terraform-provider-aws#29811.
func (r *RestAPI) tableEncryption() dynamodb.TableServerSideEncryptionArgs {
	return dynamodb.TableServerSideEncryptionArgs{Enabled: pulumi.Bool(r.key != nil), KmsKeyArn: r.keyARN()}
}
