package stack

import "testing"

func TestAdministratorsSignInWithPasswordsWhereTheStackMayBeLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		auth, protection string
		want             bool
	}{
		"a stack that may be lost":           {`{"mode":"cognito"}`, "false", true},
		"a protected one":                    {`{"mode":"cognito"}`, "true", false},
		"a protected one that says so":       {`{"mode":"cognito","adminPasswordAuth":true}`, "true", true},
		"one that may be lost but is closed": {`{"mode":"cognito","adminPasswordAuth":false}`, "false", false},
		"one whose users need more":          {`{"mode":"cognito","mfa":"required"}`, "false", false},
	} {
		s, err := Parse(map[string]string{
			"items-api:auth":               c.auth,
			"items-api:deletionProtection": c.protection,
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.adminPasswordAuth(); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
