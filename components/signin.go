package components

import (
	"fmt"
	"strings"
)

// flows are the ways in which a user gets tokens without the sign-in page.
func (a Auth) flows() []string {
	out := []string{"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"}
	if a.AdminPasswordAuth {
		out = append(out, "ALLOW_ADMIN_USER_PASSWORD_AUTH")
	}
	return out
}

// signInCommand returns three lines for a POSIX shell with the AWS CLI that make
// the user EMAIL, give it the password PASSWORD, and put a token into TOKEN. A
// password is made up if there is none; one of your own has no comma, which
// ends a value in the CLI's shorthand. Source: AdminCreateUser,
// AdminSetUserPassword and AdminInitiateAuth, Cognito user pools API reference.
func signInCommand(poolARN, pool, client string) (string, error) {
	parts := strings.Split(poolARN, ":")
	if len(parts) < 4 {
		return "", fmt.Errorf("%q is not the ARN of a user pool", poolARN)
	}
	of := "--region " + parts[3] + " --user-pool-id " + pool
	return strings.Join([]string{
		`aws cognito-idp admin-create-user ` + of +
			` --username "${EMAIL:=alice@example.com}" --message-action SUPPRESS`,
		`aws cognito-idp admin-set-user-password ` + of + ` --username "$EMAIL" --permanent` +
			` --password "${PASSWORD:=Aa1$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')}"`,
		`TOKEN=$(aws cognito-idp admin-initiate-auth ` + of + ` --client-id ` + client +
			` --auth-flow ADMIN_USER_PASSWORD_AUTH --auth-parameters "USERNAME=$EMAIL,PASSWORD=$PASSWORD"` +
			` --query AuthenticationResult.AccessToken --output text)`,
	}, "\n"), nil
}
