package main

import (
	"testing"

	"items-api/internal/localcloud"
)

func TestCheckFailsForWhatRunsCanProveOnly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		role localcloud.RoleUse
		fail bool
	}{
		"unused":   {localcloud.RoleUse{Unused: []string{"dynamodb:Scan"}}, true},
		"denied":   {localcloud.RoleUse{Denied: []string{"dynamodb:Scan"}}, true},
		"unproven": {localcloud.RoleUse{Unproven: []string{"ec2:CreateNetworkInterface"}}, false},
	} {
		if err := exact([]localcloud.RoleUse{c.role}); (err != nil) != c.fail {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
