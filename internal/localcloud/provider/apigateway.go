package provider

import (
	"fmt"
	"regexp"

	"items-api/internal/localcloud/gateway"
)

const (
	apiType         = "aws:apigatewayv2/api:Api"
	integrationType = "aws:apigatewayv2/integration:Integration"
	routeType       = "aws:apigatewayv2/route:Route"
	stageType       = "aws:apigatewayv2/stage:Stage"
	deploymentType  = "aws:apigatewayv2/deployment:Deployment"

	selection = "$request.method $request.path"
	mapping   = "parameter mapping is not done locally"
	sockets   = "it belongs to WebSocket APIs"

	resourcePolicyCounts = "the function's resource policy is what counts; use aws.lambda.Permission"
)

func apiTypes() []*Type {
	return []*Type{
		{
			Token:      apiType,
			Properties: apiProperties(),
			Outputs:    []string{"apiEndpoint", "arn", "executionArn", "tagsAll"},
			Name:       "name",
			NameMax:    128,
			Check:      checkAPI,
			CheckNew:   freePort,
			Create:     createAPI,
			Update:     updateAPI,
			Apply:      applyAPI,
			Delete:     unmappedAPI,
			Removed:    removedAPI,
			Volatile:   volatileTags,
		},
		{
			Token:      integrationType,
			Properties: integrationProperties(),
			Outputs:    []string{"integrationResponseSelectionExpression"},
			Create:     child(7, checkIntegration),
			Update:     childUpdate(checkIntegration),
			Apply:      applyChild,
			Removed:    applyChild,
			Delete:     unusedIntegration,
		},
		{
			Token:      routeType,
			Properties: routeProperties(),
			Check:      checkScopes,
			Create:     child(7, checkRoute),
			Update:     childUpdate(checkRoute),
			Apply:      applyChild,
			Removed:    applyChild,
		},
		authorizerResource(),
		{
			Token:   deploymentType,
			Outputs: []string{"autoDeployed"},
			Properties: []Property{
				apiID(),
				{
					Name:  "description",
					Kind:  String,
					Level: Recorded,
				},
				{
					Name:    "triggers",
					Kind:    Map,
					Elem:    String,
					Level:   Enforced,
					Replace: true,
				},
			},
			Create: createDeployment,
			Update: updateDeployment,
			Delete: unusedDeployment,
		},
		{
			Token:      stageType,
			Properties: stageProperties(),
			Outputs:    []string{"arn", "executionArn", "invokeUrl", "tagsAll"},
			Name:       "name",
			NameMax:    128,
			Key:        func(id string, props values) string { return props.str("apiId") + "/" + id },
			Create:     createStage,
			Update:     updateStage,
			Apply:      applyChild,
			Delete:     unmappedStage,
			Removed:    applyChild,
			Volatile:   volatileTags,
		},
	}
}

func apiID() Property {
	return Property{
		Name:     "apiId",
		Kind:     String,
		Level:    Enforced,
		Required: true,
		Replace:  true,
	}
}

func apiProperties() []Property {
	return []Property{
		{
			Name:    "apiKeySelectionExpression",
			Kind:    String,
			Level:   Recorded,
			Default: "$request.header.x-api-key",
			Note:    sockets,
		},
		{
			Name:  "body",
			Kind:  String,
			Level: Refused,
			Note:  "OpenAPI import is not done locally; declare routes and integrations as resources",
		},
		{
			Name:  "corsConfiguration",
			Kind:  Object,
			Level: Enforced,
			Fields: []Property{
				{
					Name:  "allowCredentials",
					Kind:  Bool,
					Level: Enforced,
				},
				{
					Name:  "allowHeaders",
					Kind:  Set,
					Elem:  String,
					Fold:  true,
					Level: Enforced,
				},
				{
					Name:  "allowMethods",
					Kind:  Set,
					Elem:  String,
					Fold:  true,
					Level: Enforced,
				},
				{
					Name:  "allowOrigins",
					Kind:  Set,
					Elem:  String,
					Fold:  true,
					Level: Enforced,
				},
				{
					Name:  "exposeHeaders",
					Kind:  Set,
					Elem:  String,
					Fold:  true,
					Level: Enforced,
				},
				{
					Name:  "maxAge",
					Kind:  Int,
					Level: Enforced,
				},
			},
			Check: func(v any) error {
				m, _ := v.(map[string]any)
				return gateway.ValidateCORS(*cors(m))
			},
		},
		{
			Name:    "credentialsArn",
			Kind:    String,
			Level:   Refused,
			Replace: true,
			Note:    resourcePolicyCounts,
		},
		{
			Name:  "description",
			Kind:  String,
			Level: Recorded,
		},
		{
			Name:  "disableExecuteApiEndpoint",
			Kind:  Bool,
			Level: Enforced,
		},
		{
			Name:  "failOnWarnings",
			Kind:  Bool,
			Level: Refused,
			Note:  "OpenAPI import is not done locally",
		},
		{
			Name:     "ipAddressType",
			Kind:     String,
			Level:    Recorded,
			Computed: true,
			Check:    oneOf("ipv4", "dualstack"),
		},
		{
			Name:  "name",
			Kind:  String,
			Level: Enforced,
		},
		{
			Name:     "protocolType",
			Kind:     String,
			Level:    Enforced,
			Required: true,
			Replace:  true,
			Only:     []any{"HTTP"},
			Note:     "there are no WebSocket APIs",
		},
		{
			Name:    "routeKey",
			Kind:    String,
			Level:   Enforced,
			Replace: true,
			Check: func(v any) error {
				s, _ := v.(string)
				return gateway.ValidateRouteKey(s)
			},
			Note: "of quick create; needs target",
		},
		{
			Name:    "routeSelectionExpression",
			Kind:    String,
			Level:   Enforced,
			Default: selection,
			Only:    []any{selection, "${request.method} ${request.path}"},
		},
		tags(),
		{
			Name:    "target",
			Kind:    String,
			Level:   Enforced,
			Replace: true,
			Check:   checkTarget,
			Note:    "quick create with a function; no HTTP integrations",
		},
		{
			Name:  "version",
			Kind:  String,
			Level: Recorded,
		},
	}
}

func integrationProperties() []Property {
	return []Property{
		apiID(),
		{
			Name:  "connectionId",
			Kind:  String,
			Level: Refused,
			Note:  "there are no VPC links",
		},
		{
			Name:    "connectionType",
			Kind:    String,
			Level:   Enforced,
			Default: "INTERNET",
			Only:    []any{"INTERNET"},
			Note:    "there are no VPC links",
		},
		{
			Name:  "contentHandlingStrategy",
			Kind:  String,
			Level: Refused,
			Note:  sockets,
		},
		{
			Name:  "credentialsArn",
			Kind:  String,
			Level: Refused,
			Note:  resourcePolicyCounts,
		},
		{
			Name:  "description",
			Kind:  String,
			Level: Recorded,
		},
		{
			Name:     "integrationMethod",
			Kind:     String,
			Level:    Recorded,
			Computed: true,
			Note:     "functions are always invoked with POST",
		},
		{
			Name:    "integrationSubtype",
			Kind:    String,
			Level:   Refused,
			Replace: true,
			Note:    "integrations with AWS services are not done locally",
		},
		{
			Name:     "integrationType",
			Kind:     String,
			Level:    Enforced,
			Required: true,
			Replace:  true,
			Only:     []any{"AWS_PROXY"},
			Note:     "only functions are integrated locally",
		},
		{
			Name:     "integrationUri",
			Kind:     String,
			Level:    Enforced,
			Required: true,
			Check:    functionURI,
		},
		{
			Name:     "passthroughBehavior",
			Kind:     String,
			Level:    Recorded,
			Computed: true,
			Note:     sockets,
		},
		{
			Name:    "payloadFormatVersion",
			Kind:    String,
			Level:   Enforced,
			Default: "1.0",
			Check:   oneOf("1.0", "2.0"),
			Note:    "the default of the AWS provider is 1.0",
		},
		{
			Name:  "requestParameters",
			Kind:  Map,
			Elem:  String,
			Level: Refused,
			Note:  mapping,
		},
		{
			Name:  "requestTemplates",
			Kind:  Map,
			Elem:  String,
			Level: Refused,
			Note:  sockets,
		},
		{
			Name:  "responseParameters",
			Kind:  Set,
			Level: Refused,
			Note:  mapping,
		},
		{
			Name:  "templateSelectionExpression",
			Kind:  String,
			Level: Refused,
			Note:  sockets,
		},
		{
			Name:     "timeoutMilliseconds",
			Kind:     Int,
			Level:    Enforced,
			Computed: true,
		},
		{
			Name:  "tlsConfig",
			Kind:  Object,
			Level: Refused,
			Note:  "only functions are integrated locally",
		},
	}
}

func routeProperties() []Property {
	return []Property{
		apiID(),
		{
			Name:    "apiKeyRequired",
			Kind:    Bool,
			Level:   Enforced,
			Default: false,
			Only:    []any{false},
			Note:    sockets,
		},
		{
			Name:  "authorizationScopes",
			Kind:  Set,
			Elem:  String,
			Level: Enforced,
			Check: func(v any) error {
				l, _ := v.([]any)
				if len(l) > maxScopes {
					return fmt.Errorf("a route has at most %d scopes, not %d", maxScopes, len(l))
				}
				return nil
			},
		},
		{
			Name:    "authorizationType",
			Kind:    String,
			Level:   Enforced,
			Default: "NONE",
			Only:    []any{"NONE", "JWT", "CUSTOM"},
			Note:    "requests signed with AWS credentials are not accepted locally",
		},
		{
			Name:  "authorizerId",
			Kind:  String,
			Level: Enforced,
		},
		{
			Name:  "modelSelectionExpression",
			Kind:  String,
			Level: Refused,
			Note:  sockets,
		},
		{
			Name:  "operationName",
			Kind:  String,
			Level: Recorded,
		},
		{
			Name:  "requestModels",
			Kind:  Map,
			Elem:  String,
			Level: Refused,
			Note:  sockets,
		},
		{
			Name:  "requestParameters",
			Kind:  Set,
			Level: Refused,
			Note:  sockets,
		},
		{
			Name:     "routeKey",
			Kind:     String,
			Level:    Enforced,
			Required: true,
			Check: func(v any) error {
				s, _ := v.(string)
				return gateway.ValidateRouteKey(s)
			},
		},
		{
			Name:  "routeResponseSelectionExpression",
			Kind:  String,
			Level: Refused,
			Note:  sockets,
		},
		{
			Name:  "target",
			Kind:  String,
			Level: Enforced,
			Check: matching(
				regexp.MustCompile(`^integrations/.{1,115}$`),
				"a target looks like integrations/<id>",
			),
		},
	}
}

func stageProperties() []Property {
	settings := []Property{
		{
			Name:  "dataTraceEnabled",
			Kind:  Bool,
			Level: Enforced,
			Only:  []any{false},
			Note:  sockets,
		},
		{
			Name:  "detailedMetricsEnabled",
			Kind:  Bool,
			Level: Recorded,
		},
		{
			Name:  "loggingLevel",
			Kind:  String,
			Level: Enforced,
			Only:  []any{"OFF"},
			Note:  sockets,
		},
		{
			Name:  "throttlingBurstLimit",
			Kind:  Int,
			Level: Enforced,
			Check: between(0, 2147483647),
			Note:  "a block without it sends 0, which blocks every request",
		},
		{
			Name:  "throttlingRateLimit",
			Kind:  Number,
			Level: Enforced,
			Check: between(0, 1e12),
			Note:  "a block without it sends 0, which blocks every request",
		},
	}
	return []Property{
		{
			Name:  "accessLogSettings",
			Kind:  Object,
			Level: Enforced,
			Fields: []Property{
				{
					Name:     "destinationArn",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Check:    logDestination,
				},
				{
					Name:     "format",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Check: func(v any) error {
						s, _ := v.(string)
						return gateway.ValidateAccessLogFormat(s)
					},
				},
			},
		},
		apiID(),
		{
			Name:    "autoDeploy",
			Kind:    Bool,
			Level:   Enforced,
			Default: false,
		},
		{
			Name:  "clientCertificateId",
			Kind:  String,
			Level: Refused,
			Note:  sockets,
		},
		{
			Name:   "defaultRouteSettings",
			Kind:   Object,
			Level:  Enforced,
			Fields: settings,
		},
		{
			Name:     "deploymentId",
			Kind:     String,
			Level:    Enforced,
			Computed: true,
		},
		{
			Name:  "description",
			Kind:  String,
			Level: Recorded,
		},
		{
			Name:    "name",
			Kind:    String,
			Level:   Enforced,
			Replace: true,
			Check: func(v any) error {
				s, _ := v.(string)
				return gateway.ValidateStageName(s)
			},
		},
		{
			Name:  "routeSettings",
			Kind:  Set,
			Level: Enforced,
			Fields: append([]Property{
				{
					Name:     "routeKey",
					Kind:     String,
					Level:    Enforced,
					Required: true,
				}}, settings...),
		},
		{
			Name:  "stageVariables",
			Kind:  Map,
			Elem:  String,
			Level: Enforced,
			Check: stageVariables,
		},
		tags(),
	}
}

var (
	stageVariableName  = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	stageVariableValue = regexp.MustCompile(`^[A-Za-z0-9\-._~:/?#&=,]+$`)
)

func stageVariables(v any) error {
	m, _ := v.(map[string]any)
	if len(m) > 100 {
		return fmt.Errorf("a stage has at most 100 variables, not %d", len(m))
	}
	for k, e := range m {
		s, _ := e.(string)
		if !stageVariableName.MatchString(k) {
			return fmt.Errorf("the stage variable %q must consist of letters, digits and '_'", k)
		}
		if !stageVariableValue.MatchString(s) {
			return fmt.Errorf(
				"the value of the stage variable %q may hold letters, digits and any of -._~:/?#&=, only",
				k,
			)
		}
	}
	return nil
}
