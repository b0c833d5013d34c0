package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/components"
	"items-api/internal/build"
)

// LocalAccount is the account of the local cloud.
const LocalAccount = "000000000000"

// Deploy is the program of every stack.
func Deploy(ctx *pulumi.Context) error {
	s, err := Load(ctx)
	if err != nil {
		return fmt.Errorf("the configuration of the stack %s is invalid; correct Pulumi.%s.yaml:\n%w", ctx.Stack(), ctx.Stack(), err)
	}
	if err := onlyLocal(ctx, s); err != nil {
		return err
	}
	root, err := build.Root(".")
	if err != nil {
		return err
	}
	zip, err := build.Function(context.Background(), root, "./handler", s.Architecture)
	if err != nil {
		return err
	}
	return Compose(ctx, s, zip)
}

// Load reads the configuration. Under the pulumi command all keys can be seen,
// so that unknown ones are found; otherwise the known ones are asked for.
func Load(ctx *pulumi.Context) (Settings, error) {
	config := map[string]string{}
	if text := os.Getenv(pulumi.EnvConfig); text != "" {
		if err := json.Unmarshal([]byte(text), &config); err != nil {
			return Settings{}, fmt.Errorf("reading the configuration that pulumi passed: %w", err)
		}
	}
	for _, key := range Keys() {
		if v, ok := ctx.GetConfig(Namespace + ":" + key); ok {
			config[Namespace+":"+key] = v
		}
	}
	return Parse(config)
}

// onlyLocal refuses what makes no sense on AWS.
func onlyLocal(ctx *pulumi.Context, s Settings) error {
	if s.Architecture != build.Host {
		return nil
	}
	who, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{})
	if err != nil {
		return fmt.Errorf("asking for the account: %w", err)
	}
	if who.AccountId != LocalAccount {
		return fmt.Errorf("%s:architecture is host, which is for the local cloud, and this is the account %s: set it to arm64 or x86_64", Namespace, who.AccountId)
	}
	return nil
}

// Compose makes the component of a built function and exports its outputs.
func Compose(ctx *pulumi.Context, s Settings, zip string) error {
	r, err := components.NewRestAPI(ctx, "items", &components.RestAPIArgs{
		Package: zip, Architecture: s.Architecture.Lambda(), MemoryMB: s.MemoryMB, TimeoutSeconds: s.TimeoutSeconds,
		ReservedConcurrency: s.ReservedConcurrency, LogRetentionDays: s.LogRetentionDays,
		ThrottleRate: float64(s.ThrottleRate), ThrottleBurst: s.ThrottleBurst, CORSOrigins: s.CORSOrigins,
		DeletionProtection: s.DeletionProtection, Tags: s.Tags,
	})
	if err != nil {
		return err
	}
	ctx.Export("url", r.URL)
	ctx.Export("apiId", r.APIID)
	ctx.Export("tableName", r.TableName)
	ctx.Export("functionName", r.FunctionName)
	ctx.Export("roleName", r.RoleName)
	ctx.Export("logGroup", r.LogGroup)
	ctx.Export("accessLog", r.AccessLog)
	ctx.Export("tryIt", pulumi.Sprintf(`curl -sS -X POST %s/items -H 'content-type: application/json' -d '{"name":"first"}'`, r.URL))
	return nil
}
