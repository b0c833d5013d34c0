package provider

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	functionType   = "aws:lambda/function:Function"
	permissionType = "aws:lambda/permission:Permission"

	// unreserved is what must stay of the account's concurrency without a
	// reservation, see minimumUnreserved. Source: Lambda developer guide, "Configuring reserved
	// concurrency".
	unreserved = 100
	// maxEnvironment is the size in bytes of the JSON text of a function's
	// environment variables.
	maxEnvironment = 4096
	// maxFunctionPolicy is the size in bytes of a function's resource policy.
	maxFunctionPolicy = 20 * 1024
)

var functionName = matching(
	regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`),
	"a function's name has 1 to 64 letters, digits, '-' or '_'",
)

func lambdaTypes() []*Type {
	return append(aliasTypes(), []*Type{
		{
			Token:      functionType,
			Properties: functionProperties(),
			Outputs: []string{
				"arn",
				"codeSha256",
				"invokeArn",
				"lastModified",
				"qualifiedArn",
				"qualifiedInvokeArn",
				"signingJobArn",
				"signingProfileVersionArn",
				"sourceCodeSize",
				"tagsAll",
				"version",
			},
			Name:    "name",
			NameMax: 64,
			Check:   checkFunction,
			Create:  createFunction,
			Update:  updateFunction,
			Apply:   applyFunction,
			Delete:  deleteFunction,
			Removed: removedFunction,
			Volatile: func(old, in values) []string {
				out := []string{"lastModified"}
				if !same(Property{Kind: Archive}, old["code"], in["code"]) {
					out = append(out, "codeSha256", "sourceCodeSize", "sourceCodeHash")
				}
				out = append(out, publishes(old, in)...)
				return append(out, volatileTags(old, in)...)
			},
		},
		permissionDescription(),
	}...)
}

func functionProperties() []Property {
	return []Property{
		{
			Name:    "name",
			Kind:    String,
			Level:   Enforced,
			Replace: true,
			Check:   functionName,
		},
		{
			Name:     "architectures",
			Kind:     List,
			Elem:     String,
			Level:    Recorded,
			Computed: true,
			Note:     "the host runs the package, whatever is said here",
		},
		{
			Name:  "code",
			Kind:  Archive,
			Level: Enforced,
		},
		{
			Name:  "codeSigningConfigArn",
			Kind:  String,
			Level: Refused,
		},
		{
			Name:  "deadLetterConfig",
			Kind:  Object,
			Level: Recorded,
			Note:  "functions are not invoked asynchronously",
			Fields: []Property{
				{
					Name:     "targetArn",
					Kind:     String,
					Level:    Recorded,
					Required: true,
				}},
		},
		{
			Name:  "description",
			Kind:  String,
			Level: Recorded,
		},
		{
			Name:  "environment",
			Kind:  Object,
			Level: Enforced,
			Fields: []Property{
				{
					Name:  "variables",
					Kind:  Map,
					Elem:  String,
					Level: Enforced,
					Check: environment,
				}},
		},
		{
			Name:     "ephemeralStorage",
			Kind:     Object,
			Level:    Recorded,
			Computed: true,
			Fields: []Property{
				{
					Name:     "size",
					Kind:     Int,
					Level:    Recorded,
					Computed: true,
				}},
		},
		{
			Name:  "fileSystemConfig",
			Kind:  Object,
			Level: Refused,
		},
		{
			Name:  "handler",
			Kind:  String,
			Level: Enforced,
			Check: matching(
				regexp.MustCompile(`^\S{1,128}$`),
				"a handler has 1 to 128 characters and no white space",
			),
		},
		{
			Name:  "imageConfig",
			Kind:  Object,
			Level: Refused,
			Note:  "there are no container images",
		},
		{
			Name:  "imageUri",
			Kind:  String,
			Level: Refused,
			Note:  "there are no container images",
		},
		{
			Name:  "kmsKeyArn",
			Kind:  String,
			Level: Recorded,
		},
		{
			Name:  "layers",
			Kind:  List,
			Elem:  String,
			Level: Refused,
		},
		{
			Name:     "loggingConfig",
			Kind:     Object,
			Level:    Enforced,
			Computed: true,
			Fields: []Property{
				{
					Name:     "applicationLogLevel",
					Kind:     String,
					Level:    Enforced,
					Computed: true,
				},
				{
					Name:     "logFormat",
					Kind:     String,
					Level:    Enforced,
					Required: true,
				},
				{
					Name:     "logGroup",
					Kind:     String,
					Level:    Enforced,
					Computed: true,
					Check:    logGroupName,
				},
				{
					Name:     "systemLogLevel",
					Kind:     String,
					Level:    Recorded,
					Computed: true,
				},
			},
		},
		{
			Name:    "memorySize",
			Kind:    Int,
			Level:   Recorded,
			Default: 128.0,
			Note:    "processes are not limited in memory; the value is in AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
		},
		{
			Name:    "packageType",
			Kind:    String,
			Level:   Enforced,
			Default: "Zip",
			Replace: true,
			Only:    []any{"Zip"},
			Note:    "there are no container images",
		},
		{
			Name:    "publish",
			Kind:    Bool,
			Level:   Enforced,
			Default: false,
			Note: fmt.Sprintf(
				"the newest %d versions are kept, and those that aliases need",
				keptVersions,
			),
		},
		{
			Name:  "replaceSecurityGroupsOnDestroy",
			Kind:  Bool,
			Level: Recorded,
		},
		{
			Name:  "replacementSecurityGroupIds",
			Kind:  Set,
			Elem:  String,
			Level: Recorded,
		},
		{
			Name:    "reservedConcurrentExecutions",
			Kind:    Int,
			Level:   Enforced,
			Default: -1.0,
		},
		{
			Name:     "role",
			Kind:     String,
			Level:    Enforced,
			Required: true,
			Check: matching(
				regexp.MustCompile(`^arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+$`),
				"it must be the ARN of a role",
			),
		},
		{
			Name:  "runtime",
			Kind:  String,
			Level: Enforced,
			Check: func(v any) error {
				s, _ := v.(string)
				if s == "provided.al2023" || s == "provided.al2" {
					return nil
				}
				if s == "go1.x" || s == "provided" {
					return fmt.Errorf(
						"the runtime parameter of %s is no longer supported for creating or updating AWS "+
							"Lambda functions; use provided.al2023",
						s,
					)
				}
				return fmt.Errorf("the local cloud runs provided.al2023 and provided.al2 only")
			},
		},
		{
			Name:  "s3Bucket",
			Kind:  String,
			Level: Refused,
			Note:  "there is no S3; give the package as code",
		},
		{
			Name:  "s3Key",
			Kind:  String,
			Level: Refused,
			Note:  "there is no S3; give the package as code",
		},
		{
			Name:  "s3ObjectVersion",
			Kind:  String,
			Level: Refused,
			Note:  "there is no S3; give the package as code",
		},
		{
			Name:    "skipDestroy",
			Kind:    Bool,
			Level:   Enforced,
			Default: false,
			Only:    []any{false},
		},
		{
			Name:  "snapStart",
			Kind:  Object,
			Level: Refused,
		},
		{
			Name:     "sourceCodeHash",
			Kind:     String,
			Level:    Recorded,
			Computed: true,
		},
		tags(),
		{
			Name:    "timeout",
			Kind:    Int,
			Level:   Enforced,
			Default: 3.0,
			Check:   between(1, 900),
		},
		{
			Name:     "tracingConfig",
			Kind:     Object,
			Level:    Recorded,
			Computed: true,
			Fields: []Property{
				{
					Name:     "mode",
					Kind:     String,
					Level:    Recorded,
					Required: true,
				}},
		},
		{
			Name:  "vpcConfig",
			Kind:  Object,
			Level: Enforced,
			Note: "what it names must exist, and the role must let Lambda make network interfaces; " +
				"calls to DynamoDB need a gateway endpoint and what it lets through; all else is as in " +
				"the host's network",
			Fields: []Property{
				{
					Name:  "ipv6AllowedForDualStack",
					Kind:  Bool,
					Level: Recorded,
				},
				{
					Name:     "securityGroupIds",
					Kind:     Set,
					Elem:     String,
					Level:    Enforced,
					Required: true,
					Note:     onRoute,
				},
				{
					Name:     "subnetIds",
					Kind:     Set,
					Elem:     String,
					Level:    Enforced,
					Required: true,
					Note:     onRoute,
				},
				{
					Name:     "vpcId",
					Kind:     String,
					Level:    Recorded,
					Computed: true,
				},
			},
		},
	}
}

var (
	variableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)
	// reservedVariables cannot be set. Source: Lambda developer guide,
	// "Defined runtime environment variables".
	reservedVariables = []string{
		"_HANDLER",
		"_X_AMZN_TRACE_ID",
		"AWS_DEFAULT_REGION",
		"AWS_REGION",
		"AWS_EXECUTION_ENV",
		"AWS_LAMBDA_FUNCTION_NAME",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
		"AWS_LAMBDA_FUNCTION_VERSION",
		"AWS_LAMBDA_INITIALIZATION_TYPE",
		"AWS_LAMBDA_LOG_GROUP_NAME",
		"AWS_LAMBDA_LOG_STREAM_NAME",
		"AWS_ACCESS_KEY",
		"AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY",
		"AWS_SESSION_TOKEN",
		"AWS_LAMBDA_RUNTIME_API",
		"LAMBDA_TASK_ROOT",
		"LAMBDA_RUNTIME_DIR",
	}
)

func environment(v any) error {
	m, _ := v.(map[string]any)
	for k := range m {
		if slices.Contains(reservedVariables, k) {
			return fmt.Errorf("the environment variable %s is reserved by Lambda", k)
		}
		if !variableName.MatchString(k) {
			return fmt.Errorf(
				"the environment variable %q must start with a letter and have at least 2 letters, "+
					"digits or '_'",
				k,
			)
		}
	}
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(data) > maxEnvironment {
		return fmt.Errorf(
			"Lambda was unable to configure your environment variables because the environment variables "+
				"you have provided exceeded the 4KB limit: they have %d bytes as JSON",
			len(data),
		)
	}
	return nil
}

func checkFunction(p *Provider, in values) []Failure {
	out := p.checkReservation(in)
	for _, name := range []string{"code", "handler", "runtime"} {
		if !in.has(name) {
			out = append(
				out,
				Failure{
					name,
					fmt.Sprintf("missing required property %q: a function in a zip needs it", name),
				},
			)
		}
	}
	if a, ok := in["code"].(*bundle); ok {
		if data, err := a.zip(); err != nil {
			out = append(out, Failure{"code", err.Error()})
		} else if err := p.Cloud.CheckPackage(data); err != nil {
			out = append(out, Failure{"code", err.Error()})
		}
	}
	return out
}

// FunctionName returns the name of a function from its name, its ARN or an
// invocation ARN of API Gateway, without a qualifier.
func FunctionName(ref string) string {
	name, _ := SplitFunction(ref)
	return name
}

// SplitFunction returns the name of a function and the qualifier, "" if there
// is none, from what FunctionName takes.
func SplitFunction(ref string) (name, qualifier string) {
	if i := strings.Index(ref, ":function:"); i >= 0 {
		ref = ref[i+len(":function:"):]
	}
	ref, _, _ = strings.Cut(ref, "/invocations")
	name, qualifier, _ = strings.Cut(ref, ":")
	return name, qualifier
}
