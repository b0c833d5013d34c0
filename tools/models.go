//go:build models

// Package tools keeps the module of AWS's API models among the requirements:
// tests of the local cloud's provider read its files. Nothing is built of it.
package tools

import _ "github.com/aws/aws-sdk-go/aws/awserr"
