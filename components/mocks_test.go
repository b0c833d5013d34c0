package components

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/internals"
)

// recorder notes what a program registers. Assertions run when the program
// has returned, so that none can be passed over.
type recorder struct {
	unknown bool // leave out what AWS would choose, as in a preview
	// fewerZones is how many of the region's zones it lacks.
	fewerZones int
	// lookup answers what is looked up, by token; nothing is if it is nil.
	lookup func(pulumi.MockCallArgs) (resource.PropertyMap, error)

	mu          sync.Mutex
	made        []pulumi.MockResourceArgs
	looked      []string // tokens of lookups
	lookups     int
	zoneLookups int
}

func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = append(r.made, args)
	out := args.Inputs.Copy()
	if args.TypeToken == Token {
		return "", out, nil
	}
	if remote := remotes[args.TypeToken]; remote != nil {
		return "", remote(r.unknown, args), nil
	}
	if r.unknown {
		for _, name := range []resource.PropertyKey{
			"arn", "keyId", "name", "invokeArn", "executionArn", "apiEndpoint", "version", "fqdn",
		} {
			if _, given := out[name]; !given {
				out[name] = resource.MakeComputed(resource.NewStringProperty(""))
			}
		}
		choose(args.TypeToken, out, resource.MakeComputed(resource.NewStringProperty("")))
		return "", out, nil
	}
	if args.TypeToken == "aws:ec2/vpcEndpoint:VpcEndpoint" {
		out["prefixListId"] = resource.NewStringProperty("pl-1")
	}
	choose(args.TypeToken, out, resource.NewStringProperty("chosen"))
	for name, v := range map[resource.PropertyKey]string{
		"name":         args.Name + "-1",
		"arn":          "arn:aws:x:us-east-1:000000000000:" + args.Name,
		"keyId":        args.Name + "-key",
		"invokeArn":    "arn:invoke:" + args.Name,
		"executionArn": "arn:aws:execute-api:us-east-1:000000000000:api1",
		"apiEndpoint":  "https://api1.example.com",
		"version":      "3",
		"fqdn":         "fqdn.example.com",
	} {
		if _, given := out[name]; !given {
			out[name] = resource.NewStringProperty(v)
		}
	}
	return args.Name + "-id", out, nil
}

// choose puts in what AWS chooses inside of objects and lists. The SDK loses
// what is unknown there, as it does with the real engine.
func choose(token string, out resource.PropertyMap, v resource.PropertyValue) {
	switch token {
	case "aws:apigatewayv2/domainName:DomainName":
		c := out["domainNameConfiguration"].ObjectValue().Copy()
		c["targetDomainName"], c["hostedZoneId"] = v, v
		out["domainNameConfiguration"] = resource.NewObjectProperty(c)
	case "aws:acm/certificate:Certificate":
		out["domainValidationOptions"] = resource.NewArrayProperty(
			[]resource.PropertyValue{resource.NewObjectProperty(
				resource.PropertyMap{
					"resourceRecordName":  v,
					"resourceRecordType":  v,
					"resourceRecordValue": v,
				})},
		)
	}
}

func (r *recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lookups++
	r.looked = append(r.looked, args.Token)
	name := map[string]resource.PropertyKey{
		"aws:index/getCallerIdentity:getCallerIdentity": "accountId",
		"aws:index/getRegion:getRegion":                 "name",
		"aws:index/getPartition:getPartition":           "partition",
	}[args.Token]
	if args.Token == "aws:index/getAvailabilityZones:getAvailabilityZones" {
		r.zoneLookups++
		return r.zones(args.Args), nil
	}
	if name == "" && r.lookup != nil {
		return r.lookup(args)
	}
	if name == "" {
		return nil, errors.New("unexpected lookup: " + args.Token)
	}
	found := resource.PropertyMap{
		"accountId": resource.NewStringProperty("111122223333"),
		"name":      resource.NewStringProperty("eu-west-1"),
		"partition": resource.NewStringProperty("aws"),
	}
	return resource.PropertyMap{name: found[name]}, nil
}

// zones answers for an account that has opted in to a Local Zone, and for a
// region with a zone that fails and one that Lambda does not take; sorted as the
// AWS provider does.
func (r *recorder) zones(args resource.PropertyMap) resource.PropertyMap {
	all := []struct{ name, id, state, opted string }{
		{"eu-west-1-dub-1a", "euw1-dub1-az1", "available", "opted-in"},
		{"eu-west-1a", "use1-az3", "available", "opt-in-not-required"},
		{"eu-west-1b", "euw1-az2", "impaired", "opt-in-not-required"},
		{"eu-west-1c", "euw1-az1", "available", "opt-in-not-required"},
		{"eu-west-1d", "euw1-az4", "available", "opt-in-not-required"},
		{"eu-west-1e", "euw1-az5", "available", "opt-in-not-required"},
	}
	optIn := ""
	for _, f := range at(args, "filters").ArrayValue() {
		if at(f.ObjectValue(), "name").StringValue() == "opt-in-status" {
			optIn = strings.Join(texts(at(f.ObjectValue(), "values")), " ")
		}
	}
	var names []resource.PropertyValue
	for _, z := range all[:len(all)-r.fewerZones] {
		left := optIn != "" && z.opted != optIn || slices.Contains(texts(at(args, "excludeZoneIds")), z.id)
		if state := at(args, "state"); state.IsString() && state.StringValue() != z.state {
			left = true
		}
		if !left {
			names = append(names, resource.NewStringProperty(z.name))
		}
	}
	return resource.PropertyMap{"names": resource.NewArrayProperty(names)}
}

// remotes answer for components that a provider composes, by token.
var remotes = map[string]func(unknown bool, args pulumi.MockResourceArgs) resource.PropertyMap{
	"awsx:ec2:Vpc":          composedVpc,
	"awsx:cloudtrail:Trail": func(bool, pulumi.MockResourceArgs) resource.PropertyMap { return resource.PropertyMap{} },
}

func routeTableName(i int) string { return fmt.Sprint("items-isolated-", i+1) }

// composedVpc answers with route tables that compose has registered.
func composedVpc(unknown bool, args pulumi.MockResourceArgs) resource.PropertyMap {
	if unknown {
		c := resource.MakeComputed(resource.NewStringProperty(""))
		return resource.PropertyMap{"vpcId": c, "isolatedSubnetIds": c, "routeTables": c}
	}
	var subnets, tables []resource.PropertyValue
	for i := range args.Inputs["availabilityZoneNames"].ArrayValue() {
		name := routeTableName(i)
		subnets = append(subnets, resource.NewStringProperty(fmt.Sprint("subnet-", i+1)))
		tables = append(tables, resource.MakeCustomResourceReference(
			resource.NewURN(
				"test",
				"items-api",
				"",
				"aws:ec2/routeTable:RouteTable",
				name,
			),
			resource.ID(name+"-id"),
			"",
		))
	}
	return resource.PropertyMap{
		"vpcId":             resource.NewStringProperty("vpc-1"),
		"isolatedSubnetIds": resource.NewArrayProperty(subnets),
		"routeTables":       resource.NewArrayProperty(tables),
	}
}

// registerRouteTables makes what composedVpc refers to, and waits for it.
func registerRouteTables(ctx *pulumi.Context, n int) error {
	for i := range n {
		t, err := ec2.NewRouteTable(
			ctx,
			routeTableName(i),
			&ec2.RouteTableArgs{VpcId: pulumi.String("vpc-1")},
		)
		if err != nil {
			return err
		}
		if _, err := internals.UnsafeAwaitOutput(ctx.Context(), t.URN()); err != nil {
			return err
		}
	}
	return nil
}

// all returns the inputs of the registered resources of a type.
func (r *recorder) all(token string) []resource.PropertyMap {
	var out []resource.PropertyMap
	for _, m := range r.made {
		if m.TypeToken == token {
			out = append(out, m.Inputs)
		}
	}
	return out
}

// none tests that nothing of some types is registered.
func (r *recorder) none(t *testing.T, tokens ...string) {
	t.Helper()
	for _, token := range tokens {
		if n := len(r.all(token)); n > 0 {
			t.Errorf("%d of the type %s were registered", n, token)
		}
	}
}

func (r *recorder) one(t *testing.T, token string) resource.PropertyMap {
	t.Helper()
	found := r.all(token)
	if len(found) != 1 {
		t.Fatalf("%d resources of the type %s were registered, want 1", len(found), token)
	}
	return found[0]
}

// compose runs a program with one RestAPI.
func compose(t *testing.T, unknown bool, args *RestAPIArgs) *recorder {
	t.Helper()
	r := &recorder{unknown: unknown}
	if args.Release.Strategy.CodeDeploy() {
		r.lookup = lookups("")
	}
	if err := r.run(args); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *recorder) run(args *RestAPIArgs) error {
	return pulumi.RunErr(func(ctx *pulumi.Context) error {
		if a := args.withDefaults().Network; (a.Private || a.Keep) && !r.unknown {
			if err := registerRouteTables(ctx, a.Zones); err != nil {
				return err
			}
		}
		_, err := NewRestAPI(ctx, "items", args)
		return err
	}, pulumi.WithMocks("items-api", "test", r), func(info *pulumi.RunInfo) { info.DryRun = r.unknown })
}

// both runs a test with known and with unknown outputs.
func both(t *testing.T, args *RestAPIArgs, test func(t *testing.T, r *recorder)) {
	t.Helper()
	for name, unknown := range map[string]bool{"known outputs": false, "unknown outputs": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, compose(t, unknown, args))
		})
	}
}

// refused tests that arguments give an error that names what is wrong, and
// that nothing is registered.
func refused(t *testing.T, want string, args *RestAPIArgs) {
	t.Helper()
	r := &recorder{}
	err := r.run(args)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: got %v", want, err)
	}
	for _, m := range r.made {
		if m.TypeToken != "pulumi:pulumi:Stack" {
			t.Errorf("%s: %s was registered", want, m.TypeToken)
		}
	}
}
