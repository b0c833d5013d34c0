package stack

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/build"
)

// compiledFor returns what the functions are compiled for: what the stack
// declares, and on the local cloud, which runs them as processes, this machine.
// The functions' resource has what is declared in either case. A stack that
// makes no sense on AWS is refused there.
func compiledFor(ctx *pulumi.Context, s Settings) (build.Architecture, error) {
	reason := s.onlyLocal()
	if reason == "" && s.Architecture.Native() {
		return s.Architecture, nil
	}
	who, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{})
	if err != nil {
		return "", fmt.Errorf("asking for the account: %w", err)
	}
	switch {
	case who.AccountId == LocalAccount:
		return build.Host, nil
	case reason != "":
		const text = "%s:%s, and this is the account %s: correct it for a stack on AWS"
		return "", fmt.Errorf(text, Namespace, reason, who.AccountId)
	}
	return s.Architecture, nil
}

// onlyLocal returns what makes no sense on AWS, or "".
func (s Settings) onlyLocal() string {
	switch {
	case s.Architecture == build.Host:
		return "architecture is host, which is for the local cloud"
	case s.Auth.loopbackIssuer():
		return "auth has an issuer on this machine, which AWS cannot reach"
	}
	return ""
}
