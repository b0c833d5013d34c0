package gateway

import (
	"context"
	"errors"
	"time"
)

// API is the configuration of one HTTP API.
type API struct {
	ID, Name, AccountID, Region string
	DisableExecuteAPIEndpoint   bool
	Live                        Snapshot
	Stages                      []Stage
}

// Snapshot is what a deployment fixes.
type Snapshot struct {
	Routes       []Route
	Integrations []Integration
	Authorizers  []Authorizer
	CORS         *CORS // nil: none
}

// Stage is a stage of an API. "$default" is served at the root, another one
// under its name.
type Stage struct {
	Name      string
	Variables map[string]string
	// Default applies to every route that RouteThrottles does not name.
	Default        Throttle
	RouteThrottles map[string]Throttle // by exact route key
	AccessLog      *AccessLog
	// Deployed is what the stage serves; nil means the live configuration,
	// which is what automatic deployment comes to.
	Deployed *Snapshot
}

// Throttle is a token bucket: Rate tokens a second, at most Burst at once.
// Unless it is Set the account's limits apply. A Rate or Burst of 0 rejects
// every request.
type Throttle struct {
	Rate  float64
	Burst int
	Set   bool
}

// accountThrottle is the default limit of an account in most regions. Source:
// API Gateway quotas.
var accountThrottle = Throttle{
	Rate:  10000,
	Burst: 5000,
	Set:   true,
}

// AccessLog says what is logged for each request, and where.
type AccessLog struct{ Format, Destination string }

// CORS is the CORS configuration of an API. MaxAge is in seconds.
type CORS struct {
	AllowOrigins, AllowMethods, AllowHeaders, ExposeHeaders []string
	MaxAge                                                  int
	AllowCredentials                                        bool
}

// Route sends requests to an integration.
type Route struct {
	Key           string // "GET /items/{id}" or "$default"
	IntegrationID string
	OperationName string
	// Authorization is NONE (or ""), JWT or CUSTOM.
	Authorization string
	AuthorizerID  string
	// Scopes are what a JWT must have one of; none if empty.
	Scopes []string
}

// Authorizer decides who may call a route.
type Authorizer struct {
	ID, Name string
	// Type is JWT, or REQUEST for a Lambda authorizer.
	Type string
	// IdentitySources are expressions such as $request.header.Authorization:
	// exactly one for JWT.
	IdentitySources []string
	// Issuer and Audiences are for JWT.
	Issuer    string
	Audiences []string
	// The rest is for REQUEST. TTL is how long a decision is kept, at most an
	// hour; 0 for not at all.
	FunctionARN          string
	PayloadFormatVersion string // 1.0 or 2.0
	SimpleResponses      bool
	TTL                  time.Duration
}

// Integration is a function behind an API.
type Integration struct {
	ID                   string
	Type                 string // AWS_PROXY
	FunctionARN          string
	PayloadFormatVersion string // 1.0 or 2.0
	Timeout              time.Duration
}

// Invoker runs functions. It checks SourceARN against the resource policy of
// the function. Its errors wrap those below.
type Invoker interface {
	Invoke(context.Context, Invocation) (Result, error)
}

// Invocation is a call of a function.
type Invocation struct {
	FunctionARN string
	SourceARN   string
	Payload     []byte
	// RequestID is that of the HTTP request behind the call, and Faults what
	// its header FaultsHeader asks for.
	RequestID, Faults string
}

// FaultsHeader is a request header of the local cloud alone: which faults the
// calls of this request meet. It does not reach the function.
const FaultsHeader = "X-Local-Faults"

// Result is what a function gave.
type Result struct {
	Payload       []byte
	FunctionError string // "" or "Unhandled"
	RequestID     string
	Cold          bool
	Duration      time.Duration
}

// Errors of an Invoker.
var (
	ErrNotPermitted     = errors.New("the function's resource policy does not permit the call")
	ErrThrottled        = errors.New("the function's concurrency is used up")
	ErrFunctionNotFound = errors.New("the function does not exist")
	ErrPayloadTooLarge  = errors.New("the event is larger than 6 MB")
)

// Observation tells about one request that was answered.
type Observation struct {
	Time                                            time.Time
	APIID, Stage, RouteKey, Method, Path, RequestID string
	FunctionRequestID                               string
	Caller                                          string // sub or principal; "" if not authenticated
	Status                                          int
	Duration                                        time.Duration
	Invoked, Cold                                   bool
	Error                                           string // of the integration
	AuthorizerError                                 string
}
