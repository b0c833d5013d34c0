package api

// AuthMode is how callers are authenticated.
type AuthMode string

// The modes.
const (
	// AuthNone lets everybody in; all items belong to AnonymousOwner.
	AuthNone AuthMode = "none"
	// AuthCognito asks for an access token of the stack's own user pool.
	AuthCognito AuthMode = "cognito"
	// AuthJWT asks for a token of any OIDC issuer.
	AuthJWT AuthMode = "jwt"
	// AuthLambda asks for an API key, which the authorizer function checks.
	AuthLambda AuthMode = "lambda"
)

// AuthModes returns all modes.
func AuthModes() []AuthMode { return []AuthMode{AuthNone, AuthCognito, AuthJWT, AuthLambda} }

// Scope is a permission that a caller was granted.
type Scope string

// The scopes.
const (
	ScopeRead  Scope = "items:read"
	ScopeWrite Scope = "items:write"
)

// Scopes returns all scopes with what they permit.
func Scopes() map[Scope]string {
	return map[Scope]string{
		ScopeRead:  "Read and list one's items",
		ScopeWrite: "Create, replace and delete one's items",
	}
}

// Names that infrastructure and functions share.
const (
	// EnvAuthMode is the environment variable with the AuthMode.
	EnvAuthMode = "AUTH_MODE"
	// EnvBasePath is the environment variable with what precedes the routes'
	// paths in what clients send, such as /v1; nothing if it is not set. An
	// event of the payload format 2.0 does not say it: rawPath has no value of
	// an API mapping. Source: API Gateway Developer Guide, "Create AWS Lambda
	// proxy integrations for HTTP APIs".
	EnvBasePath = "BASE_PATH"
	// ResourceServer is how a user pool calls this API: a scope stands in its
	// tokens as items/items:read.
	ResourceServer = "items"
	// SignedInScope is in the tokens of users who signed in at the user pool
	// itself, not through a client with scopes: they may do everything with
	// their own items.
	SignedInScope = "aws.cognito.signin.user.admin"
	// APIKeyHeader carries an API key.
	APIKeyHeader = "x-api-key"
	// OwnerPartitions is how the partition key of an owner's items begins,
	// KeyPartition is that of all API keys. The roles of the functions are
	// confined to one of them.
	OwnerPartitions = "OWNER#"
	KeyPartition    = "APIKEY"
	// ContextOwner is the name in the authorizer's context of whom a key
	// belongs to.
	ContextOwner = "owner"
)

// Throttle is how often a route may be called: Rate per second, Burst at once.
type Throttle struct {
	Rate  float64
	Burst int
}
