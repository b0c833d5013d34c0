package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func TestReservationsLeaveWhatTheAccountsLimitAsksFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ limit, most, least int }{
		{10, 0, 10},
		{50, 0, 50},
		{100, 0, 100},
		{101, 1, 100},
		{1000, 900, 100},
	} {
		t.Run(fmt.Sprint(c.limit), func(t *testing.T) {
			t.Parallel()
			s, _ := server(t)
			s.p.Concurrency = c.limit
			create(t, s, roleType, "r", props(map[string]any{"name": "r", "assumeRolePolicy": trust}))
			reserve := func(n int) error {
				in := function(t, "one")
				in["name"] = resource.NewStringProperty(fmt.Sprint("f", n))
				in["reservedConcurrentExecutions"] = resource.NewNumberProperty(float64(n))
				return attempt(t, s, functionType, "f", in)
			}
			want := fmt.Sprintf(
				"below its minimum value of [%d]. The account's limit is %d, so that f%d may "+
					"reserve at most %d",
				c.least,
				c.limit,
				c.most+1,
				c.most,
			)
			if err := reserve(c.most + 1); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			// 0 takes nothing from the account.
			if err := reserve(0); err != nil {
				t.Error(err)
			}
			if c.most > 0 {
				if err := reserve(c.most); err != nil {
					t.Error(err)
				}
			}
			out, problems, err := s.p.invoke("aws:servicequotas/getServiceQuota:getServiceQuota", values{
				"serviceCode": "lambda",
				"quotaCode":   "L-B99A9384",
			})
			if err != nil || len(problems) > 0 || out.number("value") != float64(c.limit) {
				t.Errorf("the lookup says %v, %v, %v", out, problems, err)
			}
		})
	}
	s, _ := server(t)
	for want, args := range map[string]values{
		"quotas of the service":      {"serviceCode": "ec2", "quotaCode": "L-1"},
		"knows the quota L-B99A9384": {"serviceCode": "lambda", "quotaCode": "L-1"},
	} {
		if _, problems, err := s.p.invoke(
			"aws:servicequotas/getServiceQuota:getServiceQuota",
			args,
		); err != nil || len(problems) != 1 ||
			!strings.Contains(problems[0].Reason, want) {
			t.Errorf("got %v, %v, want %s", problems, err, want)
		}
	}
}
