package provider

import (
	"context"
	"fmt"
	"time"

	"items-api/internal/localcloud/runtime"
	"items-api/internal/localcloud/state"
)

const (
	privatePackage = "package" // path of the zip
	latest         = "$LATEST"
)

func createFunction(_ context.Context, p *Provider, in values) (state.Record, error) {
	name := in.str("name")
	if _, err := p.Store.Get(functionType, name); err == nil {
		return state.Record{}, fmt.Errorf("ResourceConflictException: Function already exist: %s", name)
	}
	return p.functionRecord(in, map[string]string{})
}

func updateFunction(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
	return p.functionRecord(in, old.Private)
}

func (p *Provider) functionRecord(in values, private map[string]string) (state.Record, error) {
	name := in.str("name")
	if err := p.assumable(in.str("role")); err != nil {
		return state.Record{}, err
	}
	if err := p.reservable(name, in.number("reservedConcurrentExecutions")); err != nil {
		return state.Record{}, err
	}
	if err := p.joinNetwork(in); err != nil {
		return state.Record{}, err
	}
	a, ok := in["code"].(*bundle)
	if !ok {
		return state.Record{}, fmt.Errorf("the function %s has no code", name)
	}
	zip, err := a.zip()
	if err != nil {
		return state.Record{}, err
	}
	pkg, err := p.Cloud.StorePackage(zip)
	if err != nil {
		return state.Record{}, err
	}
	private[privatePackage] = pkg.Path
	rec := state.Record{
		ID:         name,
		Private:    private,
		Properties: p.functionOutputs(in, pkg),
	}
	if in.boolean("publish") {
		err = p.publish(&rec, pkg)
	}
	return rec, err
}

func (p *Provider) functionOutputs(in values, pkg Package) map[string]any {
	arn := p.arn("lambda", "function:"+in.str("name"))
	props := base(in)
	props["arn"], props["qualifiedArn"], props["version"] = arn, arn+":"+latest, latest
	props["invokeArn"], props["qualifiedInvokeArn"] = p.invokeARN(arn), p.invokeARN(arn+":"+latest)
	props["lastModified"] = p.Now().UTC().Format("2006-01-02T15:04:05.000+0000")
	props["codeSha256"], props["sourceCodeSize"] = pkg.SHA256, float64(pkg.Size)
	props["signingJobArn"], props["signingProfileVersionArn"] = "", ""
	props["tagsAll"] = tagsOf(in)
	defaults := map[string]any{
		"sourceCodeHash":   pkg.SHA256,
		"architectures":    []any{"x86_64"},
		"tracingConfig":    map[string]any{"mode": "PassThrough"},
		"ephemeralStorage": map[string]any{"size": 512.0},
		"loggingConfig":    map[string]any{"logFormat": "Text"},
	}
	for k, v := range defaults {
		if !in.has(k) {
			props[k] = v
		}
	}
	props["loggingConfig"] = merged(
		values(props).object("loggingConfig"),
		"logGroup",
		"/aws/lambda/"+in.str("name"),
	)
	return props
}

func (p *Provider) invokeARN(arn string) string {
	return fmt.Sprintf(
		"arn:%s:apigateway:%s:lambda:path/2015-03-31/functions/%s/invocations",
		Partition,
		p.Region,
		arn,
	)
}

// reservable applies the rule of what must stay unreserved in the account.
func (p *Provider) reservable(name string, n float64) error {
	if n < 0 {
		return nil
	}
	sum := int(n)
	for _, f := range p.Store.List(functionType) {
		if r := values(f.Properties).number("reservedConcurrentExecutions"); f.ID != name && r > 0 {
			sum += int(r)
		}
	}
	return p.leavesEnough(name, int(n), sum)
}

// leavesEnough tests what a function reserves, which is part of the sum that all
// functions do.
func (p *Provider) leavesEnough(name string, n, sum int) error {
	least := minimumUnreserved(p.Concurrency)
	if n <= 0 || p.Concurrency-sum >= least {
		return nil
	}
	return fmt.Errorf(
		"InvalidParameterValueException: Specified ReservedConcurrentExecutions for function decreases "+
			"account's UnreservedConcurrentExecution below its minimum value of [%d]. "+
			"The account's limit is %d, so that %s may reserve at most %d",
		least,
		p.Concurrency,
		name,
		max(0, p.Concurrency-least-(sum-n)),
	)
}

func applyFunction(ctx context.Context, p *Provider, r state.Record) error {
	return p.Cloud.ApplyFunction(ctx, r.ID)
}

// deleteFunction removes what goes with a function: its resource policies, its
// aliases and, being part of its record, its versions.
func deleteFunction(_ context.Context, p *Provider, r state.Record) error {
	qualifiers := []string{""}
	for _, a := range p.aliases(r.ID) {
		qualifiers = append(qualifiers, a.str("name"))
	}
	for _, q := range qualifiers {
		if err := p.removePermissions(r.ID, q); err != nil {
			return err
		}
		if err := p.Store.Delete(aliasType, aliasKey(r.ID, q)); err != nil {
			return err
		}
	}
	return nil
}

func removedFunction(ctx context.Context, p *Provider, r state.Record) error {
	return p.Cloud.RemoveFunction(ctx, r.ID)
}

// Function returns what the runtime must know of a function as it is now, its
// version $LATEST.
func (p *Provider) Function(name string) (runtime.Function, error) {
	r, err := p.Store.Get(functionType, name)
	if err != nil {
		return runtime.Function{}, err
	}
	return runnable(r), nil
}

func runnable(r state.Record) runtime.Function {
	v := values(r.Properties)
	logging := v.object("loggingConfig")
	f := runtime.Function{
		Name:                r.ID,
		ARN:                 v.str("arn"),
		Version:             latest,
		Package:             r.Private[privatePackage],
		SHA256:              v.str("codeSha256"),
		Handler:             v.str("handler"),
		MemoryMB:            int(v.number("memorySize")),
		Timeout:             time.Duration(v.number("timeout")) * time.Second,
		Environment:         v.object("environment").stringMap("variables"),
		RoleARN:             v.str("role"),
		LogGroup:            logging.str("logGroup"),
		LogFormat:           logging.str("logFormat"),
		ApplicationLogLevel: logging.str("applicationLogLevel"),
	}
	if n := int(v.number("reservedConcurrentExecutions")); n >= 0 {
		f.Reserved = &n
	}
	return f
}

// Functions returns the names of all functions.
func (p *Provider) Functions() []string {
	var out []string
	for _, r := range p.Store.List(functionType) {
		out = append(out, r.ID)
	}
	return out
}
