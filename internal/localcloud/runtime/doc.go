// Package runtime runs Lambda functions as processes of the host: it serves
// the Lambda Runtime API to the real bootstrap of the real zip. Each execution
// environment is one process with a listener of its own and handles one
// invocation at a time. It must not import anything of Pulumi or of the
// application. A process is stopped between invocations, as on AWS. Unlike there,
// its clocks go on meanwhile, it is not limited in memory, and it sees the
// host's file system.
package runtime
