// Command items-api is the Pulumi program of a serverless REST API.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	_ "items-api/internal/terminal" // does not ask it for its colours
	"items-api/stack"
)

func main() {
	pulumi.Run(stack.Deploy)
}
