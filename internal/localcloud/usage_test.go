package localcloud

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"items-api/internal/localcloud/iam"
)

func TestGrantsAreSortedByWhatProvesThem(t *testing.T) {
	t.Parallel()
	r := RoleUse{Used: []string{"dynamodb:GetItem", "logs:PutLogEvents"}, Denied: []string{"dynamodb:PutItem"}, Unused: []string{}, Unproven: []string{}}
	var granted []iam.Grant
	for _, action := range []string{"dynamodb:Get*", "logs:PutLogEvents", "dynamodb:Scan", "dynamodb:Scan", "logs:CreateLogStream",
		"ec2:CreateNetworkInterface", "kms:Decrypt", "kms:Decrypt", "DynamoDB:Query", "d*:Scan", "dynamodb:PutItem", "DynamoDB:Put*"} {
		granted = append(granted, iam.Grant{Action: action, Resource: "*"})
	}
	r.grant(granted)
	if want := []string{"DynamoDB:Query", "d*:Scan", "dynamodb:Scan", "logs:CreateLogStream"}; !cmp.Equal(r.Unused, want) {
		t.Errorf("unused are %v, want %v", r.Unused, want)
	}
	if want := []string{"ec2:CreateNetworkInterface", "kms:Decrypt"}; !cmp.Equal(r.Unproven, want) {
		t.Errorf("unproven are %v, want %v", r.Unproven, want)
	}
}
