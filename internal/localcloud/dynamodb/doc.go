// Package dynamodb runs DynamoDB Local as a child process with its data on
// disk, and the gate in front of it: every request is checked for its
// signature and judged by the policies of the caller's role, as DynamoDB does.
// It must not import anything of Pulumi or of the application.
package dynamodb
