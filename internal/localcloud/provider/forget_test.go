package provider

import (
	"slices"
	"testing"
)

func TestForgetKnowsEveryType(t *testing.T) {
	t.Parallel()
	var all []string
	for _, typ := range Types() {
		all = append(all, typ.Token)
	}
	listed := slices.Sorted(slices.Values(forgetting))
	if !slices.Equal(all, listed) {
		t.Errorf("the types are %v, those to forget %v", all, listed)
	}
}

// What a killed deployment left goes whatever refers to what, and what the
// engine knows stays.
func TestForgetRemovesAllThatTheEngineDoesNotKnow(t *testing.T) {
	t.Parallel()
	s, _ := server(t)
	g := newGround(t, s)
	create(t, s, vpcRouteType, "r", props(map[string]any{
		"routeTableId":         g.table,
		"destinationCidrBlock": "0.0.0.0/0",
		"gatewayId":            g.gateway,
	}))
	create(t, s, ingressRuleType, "i", props(g.rule("cidrIpv4", nil, "referencedSecurityGroupId", g.group)))
	create(t, s, endpointType, "e", props(map[string]any{
		"vpcId":         g.vpc,
		"serviceName":   dynamodbEndpoint,
		"routeTableIds": []any{g.table},
	}))
	audit(t, s)
	key, _, _ := create(t, s, keyType, "k", props(map[string]any{}))
	create(t, s, keyAliasType, "a", props(map[string]any{"name": "alias/x", "targetKeyId": key}))
	create(t, s, trailType, "t", props(map[string]any{"name": "audit", "s3BucketName": "audit-logs"}))
	known := []Held{{urn(vpcType, "other"), g.other}, {urn(securityGroupType, "elsewhere"), g.elsewhere}}
	if err := s.p.Forget(t.Context(), "urn:pulumi:dev::", known); err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, typ := range Types() {
		for _, r := range s.p.Store.List(typ.Token) {
			left = append(left, r.ID)
		}
	}
	if want := []string{g.elsewhere, g.other}; !slices.Equal(left, want) {
		t.Errorf("left are %v, want %v", left, want)
	}
}
