package localcloud

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"items-api/internal/localcloud/iam"
)

func TestGrantsAreSortedByWhatProvesThem(t *testing.T) {
	t.Parallel()
	r := RoleUse{
		Used:     []string{"dynamodb:GetItem", "logs:PutLogEvents"},
		Denied:   []string{"dynamodb:PutItem"},
		Unused:   []string{},
		Unproven: []string{},
	}
	var granted []iam.Grant
	for _, action := range []string{"dynamodb:Get*", "logs:PutLogEvents", "dynamodb:Scan", "dynamodb:Scan", "logs:CreateLogStream",
		"ec2:CreateNetworkInterface", "kms:Decrypt", "kms:Decrypt", "DynamoDB:Query", "d*:Scan", "dynamodb:PutItem", "DynamoDB:Put*"} {
		granted = append(granted, iam.Grant{Action: action, Resource: "*"})
	}
	r.grant(granted)
	if want := []string{
		"DynamoDB:Query",
		"d*:Scan",
		"dynamodb:Scan",
		"logs:CreateLogStream",
	}; !cmp.Equal(
		r.Unused,
		want,
	) {
		t.Errorf("unused are %v, want %v", r.Unused, want)
	}
	if want := []string{"ec2:CreateNetworkInterface", "kms:Decrypt"}; !cmp.Equal(r.Unproven, want) {
		t.Errorf("unproven are %v, want %v", r.Unproven, want)
	}
}

// A group without its streams lets nobody write a log.
func TestLogsAreJudgedOnTheStream(t *testing.T) {
	t.Parallel()
	const group = "arn:aws:logs:us-east-1:000000000000:log-group:g"
	for resource, want := range map[string]bool{
		group:                      false,
		group + ":log-stream:*":    true,
		group + ":*":               true,
		group + "2:log-stream:*":   false,
		group + ":log-stream:2027": false,
	} {
		policy, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
			`"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"` + resource + `"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		got := logDecisions([]iam.Policy{policy}, group+":log-stream:2026/01/02/[1]abc")
		if diff := cmp.Diff(map[string]bool{
			"logs:CreateLogStream": want,
			"logs:PutLogEvents":    want,
		}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", resource, diff)
		}
	}
}
