// Package iam evaluates IAM policies: identity policies of roles, trust
// policies, and resource policies of functions. It is pure: it imports nothing
// of the local cloud, and reads no clock, file or network. What it cannot
// evaluate, it refuses by name when a policy is parsed.
package iam
