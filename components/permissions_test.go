package components

import (
	"testing"

	"items-api/internal/api"
	"items-api/internal/deployer"
)

// docs/permissions.md covers all that is registered and looked up, with every
// option.
func TestPermissionsOfADeployerCoverEveryType(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	note := func(tokens ...string) {
		for _, token := range tokens {
			seen[token] = true
		}
	}
	for _, mode := range api.AuthModes() {
		for _, strategy := range Strategies() {
			a := *withAuth(modes[mode])
			a.Network.Private, a.Encryption.CustomerKey, a.Audit.Enabled = true, true, true
			a.Release.Strategy = strategy
			a.Domain = Domain{Name: "api.example.com", ZoneID: "Z1D633PJN98FT9"}
			if mode == api.AuthCognito {
				a.Auth.SignInDomain, a.Auth.CallbackURLs = "items", []string{"https://app.example.com"}
			}
			if strategy == AllAtOnce {
				a.Release.CanaryPercent = 10
			}
			r := &recorder{lookup: lookups("")}
			if err := r.run(&a); err != nil {
				t.Fatal(err)
			}
			for _, m := range r.made {
				note(m.TypeToken)
			}
			note(r.looked...)
			// A version that answers is looked at, whether it fits or not.
			again := &recorder{lookup: lookups("1")}
			_ = again.run(&a)
			note(again.looked...)
		}
	}
	var tokens []string
	for token := range seen {
		tokens = append(tokens, token)
	}
	if missing := deployer.Missing(tokens); len(missing) > 0 {
		t.Errorf("docs/permissions.md says nothing of %v", missing)
	}
	for token := range deployer.Covered() {
		if !seen[token] && !elsewhere[token] {
			t.Errorf("docs/permissions.md covers %s, which nothing registers", token)
		}
	}
}

// elsewhere is what awsx registers, and the program beside the component.
var elsewhere = map[string]bool{
	"aws:cloudtrail/trail:Trail":                          true,
	"aws:ec2/internetGateway:InternetGateway":             true,
	"aws:ec2/routeTableAssociation:RouteTableAssociation": true,
	"aws:ec2/subnet:Subnet":                               true,
	"aws:ec2/vpc:Vpc":                                     true,
	"aws:s3/bucketPolicy:BucketPolicy":                    true,
	"aws:servicequotas/getServiceQuota:getServiceQuota":   true,
}
