// Package gateway is the data plane of an API Gateway HTTP API: it takes HTTP
// requests, chooses stage and route, throttles, answers CORS, builds the event
// of payload format 2.0, invokes the function and maps its answer. It knows
// neither Pulumi nor processes nor disks, and nothing of the application: APIs
// are put into it, and functions are reached through an Invoker.
package gateway
