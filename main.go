// Command items-api is the Pulumi program of a serverless REST API.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/stack"
)

func main() {
	pulumi.Run(stack.Deploy)
}
