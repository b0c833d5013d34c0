// Package provider is the control plane of the local cloud: a Pulumi resource
// provider for the aws package that the real engine attaches to. It checks,
// diffs, creates, reads, updates and deletes records of resources as the AWS
// provider does, and tells the data plane through the Cloud interface. Each
// property of each supported type is enforced, recorded or refused; see
// [Types]. It must import nothing of the application that is deployed.
package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"items-api/internal/localcloud/state"
)

// Account is the account id of the local cloud. No real account has it, so a
// program can tell by aws.GetCallerIdentity where it is being deployed.
const Account = "000000000000"

// Partition is the only partition there is.
const Partition = "aws"

// Tables is the part of the DynamoDB API that the control plane needs.
type Tables interface {
	CreateTable(
		context.Context,
		*dynamodb.CreateTableInput,
		...func(*dynamodb.Options),
	) (*dynamodb.CreateTableOutput, error)
	DeleteTable(
		context.Context,
		*dynamodb.DeleteTableInput,
		...func(*dynamodb.Options),
	) (*dynamodb.DeleteTableOutput, error)
	dynamodb.ListTablesAPIClient
	DescribeTable(
		context.Context,
		*dynamodb.DescribeTableInput,
		...func(*dynamodb.Options),
	) (*dynamodb.DescribeTableOutput, error)
	UpdateTable(
		context.Context,
		*dynamodb.UpdateTableInput,
		...func(*dynamodb.Options),
	) (*dynamodb.UpdateTableOutput, error)
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
	UpdateTimeToLive(
		context.Context,
		*dynamodb.UpdateTimeToLiveInput,
		...func(*dynamodb.Options),
	) (*dynamodb.UpdateTimeToLiveOutput, error)
	DescribeTimeToLive(
		context.Context,
		*dynamodb.DescribeTimeToLiveInput,
		...func(*dynamodb.Options),
	) (*dynamodb.DescribeTimeToLiveOutput, error)
}

var _ Tables = (*dynamodb.Client)(nil)

// Package is a deployment package that the cloud has taken into its keeping.
type Package struct {
	Path   string // of the zip, which never changes in place
	SHA256 string // base64, as Lambda reports it
	Size   int64  // bytes
}

// Cloud is the data plane. Its methods read the records of the store that the
// provider was made with: the provider writes a record first and calls then.
type Cloud interface {
	// Tables returns the database's control plane.
	Tables() Tables
	// EraseAfter calls drop, which deletes tables, and leaves nothing of their
	// items on disk.
	EraseAfter(ctx context.Context, drop func() error) error
	// CheckPackage checks a zip as Lambda does on create, and whether this
	// machine can run it.
	CheckPackage(zip []byte) error
	// StorePackage checks a zip as Lambda does on create and keeps it.
	StorePackage(zip []byte) (Package, error)
	// ApplyFunction makes the record of a function effective.
	ApplyFunction(ctx context.Context, name string) error
	// RemoveFunction ends a function's processes.
	RemoveFunction(ctx context.Context, name string) error
	// OpenAPI reserves an address for a new API and returns its port and URL,
	// without a trailing slash. The URN tells whose it is.
	OpenAPI(ctx context.Context, id, urn string) (int, string, error)
	// CheckPort tests that OpenAPI would find a free port.
	CheckPort(urn string) error
	// ApplyAPI makes the records of an API, its routes, stages and so on effective.
	ApplyAPI(ctx context.Context, id string) error
	// Discover asks an OIDC issuer for its keys, as the gateway does.
	Discover(ctx context.Context, issuer string) error
	// ApplyPool makes a user pool an issuer, RemovePool ends that.
	ApplyPool(ctx context.Context, id string) error
	RemovePool(ctx context.Context, id string) error
	// ApplyDomain makes a custom domain and its mappings effective,
	// RemoveDomain ends that.
	ApplyDomain(ctx context.Context, name string) error
	RemoveDomain(ctx context.Context, name string) error
	// RemoveLogGroup removes what was logged to a group.
	RemoveLogGroup(ctx context.Context, name string) error
	// RemoveAPI stops serving an API and gives its address back.
	RemoveAPI(ctx context.Context, id string) error
}

// Config is what a Provider needs.
type Config struct {
	Region string
	Store  *state.Store
	Cloud  Cloud
	Now    func() time.Time
	// ID returns n random lower-case letters and digits.
	ID func(n int) string
	// Concurrency is the account's limit of concurrent executions.
	Concurrency int
}

// Provider answers the engine. It is safe for concurrent use.
type Provider struct {
	Config
	types    map[string]*Type
	previews previews

	// mutate serialises changes to the control plane: the engine works in
	// parallel, and checks such as "this route key exists already" must hold
	// until the record is written.
	mutate sync.Mutex
}

// New returns a provider.
func New(c Config) (*Provider, error) {
	p := &Provider{Config: c, types: map[string]*Type{}}
	for _, t := range Types() {
		if p.types[t.Token] != nil {
			return nil, fmt.Errorf("resource type %s is declared twice", t.Token)
		}
		p.types[t.Token] = t
	}
	return p, nil
}

// Types returns every supported resource type, by token.
func Types() []*Type {
	all := slices.Concat(dynamodbTypes(), logTypes(), iamTypes(), lambdaTypes(), apiTypes(), cognitoTypes(),
		ec2Types(), kmsTypes(), s3Types(), cloudtrailTypes(),
		acmTypes(), route53Types(), domainTypes(), alarmTypes(), codedeployTypes())
	slices.SortFunc(all, func(a, b *Type) int {
		if a.Token < b.Token {
			return -1
		}
		return 1
	})
	return all
}

func (p *Provider) resourceType(token string) (*Type, error) {
	t, ok := p.types[token]
	if !ok {
		return nil, fmt.Errorf(
			"the local cloud does not support the resource type %s; the nearest that it does is %s, "+
				"and %s lists all: deploy this resource to AWS, or leave it out of local stacks",
			token,
			nearest(token, slices.Sorted(maps.Keys(p.types))),
			supportList,
		)
	}
	return t, nil
}

// arn builds an ARN in the cloud's own account and region.
func (p *Provider) arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", Partition, service, p.Region, Account, resource)
}
