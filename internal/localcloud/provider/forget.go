package provider

import (
	"context"
	"fmt"
	"strings"

	"items-api/internal/localcloud/state"
)

// forgetting is the order in which [Provider.Forget] removes resources:
// children before parents.
var forgetting = []string{
	deploymentGroupType,
	deploymentConfigType,
	applicationType,
	alarmType,
	mappingType,
	domainType,
	validationType,
	certificateType,
	recordType,
	zoneType,
	permissionType,
	aliasType,
	routeType,
	stageType,
	deploymentType,
	integrationType,
	authorizerType,
	apiType,
	functionType,
	poolClientType,
	resourceServerType,
	poolDomainType,
	poolType,
	egressRuleType,
	ingressRuleType,
	defaultGroupType,
	securityGroupType,
	vpcRouteType,
	routeTableAssociationType,
	endpointType,
	routeTableType,
	internetGatewayType,
	subnetType,
	vpcType,
	trailType,
	bucketPolicyType,
	bucketPublicBlockType,
	bucketOwnershipType,
	bucketLifecycleType,
	bucketEncryptionType,
	bucketVersioningType,
	bucketType,
	roleAttachmentType,
	rolePolicyType,
	policyType,
	roleType,
	logGroupType,
	tableType,
	keyAliasType,
	keyType,
}

// Forget removes the records of an Own stack's resources, given by the prefix
// of their URNs, that the engine does not know: a deployment was killed between
// the creation of a resource and the note of it. held are those that it knows. A
// table that holds items is left where it is, and so is what a stack of that
// name in the state of another program may know.
func (p *Provider) Forget(ctx context.Context, prefix string, held []Held) error {
	p.mutate.Lock()
	defer p.mutate.Unlock()
	known := p.knownTo(held)
	for _, token := range forgetting {
		for _, r := range p.Store.List(token) {
			if !strings.HasPrefix(r.Private[privateURN], prefix) {
				continue
			}
			if err := p.forget(ctx, r, known(r)); err != nil {
				return fmt.Errorf("removing what a killed deployment left (%s %s): %w", token, r.ID, err)
			}
		}
	}
	return nil
}

// forget removes one record, or notes whose it is if the engine knows it and an
// earlier version did not note that.
func (p *Provider) forget(ctx context.Context, r state.Record, known bool) error {
	origin := Origin(r.Private[privateOrigin])
	if known && origin == "" {
		r.Private[privateOrigin] = string(Own)
		return p.Store.Put(r)
	}
	if known || origin != Own {
		return nil
	}
	if r.Type == tableType {
		if full, err := p.holdsItems(ctx, r.ID); err != nil || full {
			return err
		}
	}
	unprotect(r)
	return p.undo(ctx, p.types[r.Type], r)
}
