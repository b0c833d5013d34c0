package components

import (
	"slices"
	"strings"
	"testing"

	"items-api/internal/api"
)

// Only where it is chosen may a password give a token, and never without the
// credentials of an administrator.
func TestPasswordsGiveTokensToAdministratorsOnlyWhereChosen(t *testing.T) {
	t.Parallel()
	for _, chosen := range []bool{false, true} {
		auth := modes[api.AuthCognito]
		auth.AdminPasswordAuth = chosen
		both(t, withAuth(auth), func(t *testing.T, r *recorder) {
			flows := texts(at(r.one(t, "aws:cognito/userPoolClient:UserPoolClient"), "explicitAuthFlows"))
			if slices.Contains(flows, "ALLOW_ADMIN_USER_PASSWORD_AUTH") != chosen {
				t.Errorf("chosen %v: the flows are %v", chosen, flows)
			}
			if slices.Contains(flows, "ALLOW_USER_PASSWORD_AUTH") ||
				!slices.Contains(flows, "ALLOW_USER_SRP_AUTH") {
				t.Errorf("the flows are %v", flows)
			}
		})
	}
}

func TestSignInCommandNamesThePoolAndItsRegion(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_abc"
	got, err := signInCommand(arn, "eu-west-1_abc", "client1")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(got, "\n")
	if len(lines) != 3 || !strings.Contains(lines[2], "--client-id client1 ") {
		t.Errorf("got %s", got)
	}
	for _, line := range lines {
		if !strings.Contains(line, " --region eu-west-1 --user-pool-id eu-west-1_abc ") {
			t.Errorf("the pool is not named in %s", line)
		}
	}
	if _, err := signInCommand("pool", "a", "b"); err == nil {
		t.Error("what is not an ARN was accepted")
	}
}
