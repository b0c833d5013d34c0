package provider

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"items-api/internal/localcloud/iam"
	"items-api/internal/localcloud/state"
)

const (
	roleType           = "aws:iam/role:Role"
	rolePolicyType     = "aws:iam/rolePolicy:RolePolicy"
	policyType         = "aws:iam/policy:Policy"
	roleAttachmentType = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"

	// Characters without white space; IAM and STS quotas.
	maxTrustPolicy   = 2048
	maxInline        = 10240
	maxManagedPolicy = 6144
)

var (
	roleName = matching(
		regexp.MustCompile(`^[\w+=,.@-]{1,64}$`),
		"a role's name has 1 to 64 letters, digits or any of _+=,.@-",
	)
	policyName = matching(
		regexp.MustCompile(`^[\w+=,.@-]{1,128}$`),
		"a policy's name has 1 to 128 letters, digits or any of _+=,.@-",
	)
	iamPath = matching(regexp.MustCompile(`^/([\x21-\x7e]*/)?$`), "a path begins and ends with /")
)

// policyDocument tests a policy as far as the local cloud can evaluate it.
func policyDocument(v any) error {
	s, _ := v.(string)
	return iam.Check([]byte(s))
}

func iamTypes() []*Type {
	return []*Type{
		{
			Token: roleType,
			Properties: []Property{
				{
					Name:    "name",
					Kind:    String,
					Level:   Enforced,
					Replace: true,
					Check:   roleName,
				},
				{
					Name:     "namePrefix",
					Kind:     String,
					Level:    Enforced,
					Replace:  true,
					Computed: true,
				},
				{
					Name:     "assumeRolePolicy",
					Kind:     Document,
					Level:    Enforced,
					Required: true,
					Check:    sized(maxTrustPolicy),
				},
				{
					Name:  "description",
					Kind:  String,
					Level: Recorded,
				},
				{
					Name:    "forceDetachPolicies",
					Kind:    Bool,
					Level:   Enforced,
					Default: false,
				},
				{
					Name:  "inlinePolicies",
					Kind:  Set,
					Level: Enforced,
					Fields: []Property{
						{
							Name:     "name",
							Kind:     String,
							Level:    Enforced,
							Required: true,
							Check:    policyName,
						},
						{
							Name:     "policy",
							Kind:     Document,
							Level:    Enforced,
							Required: true,
							Check:    sized(maxInline),
						},
					},
				},
				{
					Name:  "managedPolicyArns",
					Kind:  Set,
					Elem:  String,
					Level: Enforced,
					Each:  attachable,
				},
				{
					Name:    "maxSessionDuration",
					Kind:    Int,
					Level:   Recorded,
					Default: 3600.0,
				},
				{
					Name:    "path",
					Kind:    String,
					Level:   Enforced,
					Default: "/",
					Replace: true,
					Check:   iamPath,
				},
				{
					Name:  "permissionsBoundary",
					Kind:  String,
					Level: Refused,
					Note:  "boundaries are not evaluated",
				},
				tags(),
			},
			Outputs:    []string{"arn", "createDate", "tagsAll", "uniqueId"},
			Name:       "name",
			NameMax:    64,
			NamePrefix: "namePrefix",
			Create:     createRole,
			Update:     updateRole,
			Delete:     deleteRole,
			Volatile:   volatileTags,
		},
		{
			Token: rolePolicyType,
			Properties: []Property{
				{
					Name:    "name",
					Kind:    String,
					Level:   Enforced,
					Replace: true,
					Check:   policyName,
				},
				{
					Name:     "namePrefix",
					Kind:     String,
					Level:    Enforced,
					Replace:  true,
					Computed: true,
				},
				{
					Name:     "policy",
					Kind:     Document,
					Level:    Enforced,
					Required: true,
					Check:    sized(maxInline),
				},
				{
					Name:     "role",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Replace:  true,
				},
			},
			Name:       "name",
			NameMax:    128,
			NamePrefix: "namePrefix",
			Create:     createRolePolicy,
			Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
				return state.Record{Properties: base(in), Private: old.Private}, p.inlineFits(in, old.ID)
			},
		},
		{
			Token: policyType,
			Properties: []Property{
				{
					Name:    "name",
					Kind:    String,
					Level:   Enforced,
					Replace: true,
					Check:   policyName,
				},
				{
					Name:     "namePrefix",
					Kind:     String,
					Level:    Enforced,
					Replace:  true,
					Computed: true,
				},
				{
					Name:    "description",
					Kind:    String,
					Level:   Recorded,
					Replace: true,
				},
				{
					Name:    "path",
					Kind:    String,
					Level:   Enforced,
					Default: "/",
					Replace: true,
					Check:   iamPath,
				},
				{
					Name:     "policy",
					Kind:     Document,
					Level:    Enforced,
					Required: true,
					Check:    sized(maxManagedPolicy),
				},
				tags(),
			},
			Outputs:    []string{"arn", "attachmentCount", "policyId", "tagsAll"},
			Name:       "name",
			NameMax:    128,
			NamePrefix: "namePrefix",
			Create:     createPolicy,
			Update:     updatePolicy,
			Volatile:   volatileTags,
			Delete: func(_ context.Context, p *Provider, r state.Record) error {
				for _, a := range p.Store.List(roleAttachmentType) {
					if values(a.Properties).str("policyArn") == r.ID {
						return fmt.Errorf(
							"DeleteConflict: Cannot delete a policy attached to entities: the role "+
								"%s still has %s",
							values(a.Properties).str("role"),
							r.ID,
						)
					}
				}
				return nil
			},
		},
		{
			Token: roleAttachmentType,
			Properties: []Property{
				{
					Name:     "policyArn",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Replace:  true,
					Check:    attachable,
				},
				{
					Name:     "role",
					Kind:     String,
					Level:    Enforced,
					Required: true,
					Replace:  true,
				},
			},
			Create: func(_ context.Context, p *Provider, in values) (state.Record, error) {
				if err := p.roleExists(in.str("role")); err != nil {
					return state.Record{}, err
				}
				if _, err := p.managedPolicy(in.str("policyArn")); err != nil {
					return state.Record{}, err
				}
				return state.Record{ID: in.str("role") + "-" + p.ID(26), Properties: base(in)}, nil
			},
		},
	}
}

func createRole(_ context.Context, p *Provider, in values) (state.Record, error) {
	name := in.str("name")
	for _, r := range p.Store.List(roleType) {
		if strings.EqualFold(r.ID, name) {
			return state.Record{}, fmt.Errorf("EntityAlreadyExists: Role with name %s already exists.", name)
		}
	}
	props := base(in)
	props["arn"] = fmt.Sprintf("arn:%s:iam::%s:role%s%s", Partition, Account, in.str("path"), name)
	props["createDate"] = p.Now().UTC().Format("2006-01-02T15:04:05Z")
	props["uniqueId"] = "AROA" + strings.ToUpper(p.ID(17))
	return state.Record{ID: name, Properties: finishRole(props, in)}, p.checkRole(in)
}

func finishRole(props map[string]any, in values) map[string]any {
	props["tagsAll"] = tagsOf(in)
	return props
}

func (p *Provider) checkRole(in values) error {
	if n := iam.Size([]byte(in.str("assumeRolePolicy"))); n > maxTrustPolicy {
		return fmt.Errorf(
			"LimitExceeded: the trust policy has %d characters without white space, more than the quota of %d",
			n,
			maxTrustPolicy,
		)
	}
	for _, arn := range in.strings("managedPolicyArns") {
		if _, err := p.managedPolicy(arn); err != nil {
			return err
		}
	}
	return nil
}

func updateRole(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
	props := base(in)
	for _, k := range []string{"arn", "createDate", "uniqueId"} {
		props[k] = old.Properties[k]
	}
	return state.Record{Properties: finishRole(props, in), Private: old.Private}, p.checkRole(in)
}

func deleteRole(_ context.Context, p *Provider, r state.Record) error {
	if values(r.Properties).boolean("forceDetachPolicies") {
		return nil
	}
	for _, t := range []string{rolePolicyType, roleAttachmentType} {
		for _, x := range p.Store.List(t) {
			if values(x.Properties).str("role") == r.ID {
				return fmt.Errorf(
					"DeleteConflict: Cannot delete entity, must delete policies first: the role "+
						"%s still has %s",
					r.ID,
					x.ID,
				)
			}
		}
	}
	return nil
}

func (p *Provider) roleExists(name string) error {
	if _, err := p.Store.Get(roleType, name); err != nil {
		return fmt.Errorf("NoSuchEntity: The role with name %s cannot be found.", name)
	}
	return nil
}

func createRolePolicy(_ context.Context, p *Provider, in values) (state.Record, error) {
	id := in.str("role") + ":" + in.str("name")
	if err := p.roleExists(in.str("role")); err != nil {
		return state.Record{}, err
	}
	return state.Record{ID: id, Properties: base(in)}, p.inlineFits(in, id)
}

// inlineFits checks the quota of a role's inline policies together.
func (p *Provider) inlineFits(in values, id string) error {
	sum := iam.Size([]byte(in.str("policy")))
	for _, r := range p.Store.List(rolePolicyType) {
		if v := values(r.Properties); v.str("role") == in.str("role") && r.ID != id {
			sum += iam.Size([]byte(v.str("policy")))
		}
	}
	if sum > maxInline {
		return fmt.Errorf(
			"LimitExceeded: Maximum policy size of %d bytes exceeded for role %s: its inline policies "+
				"have %d characters without white space",
			maxInline,
			in.str("role"),
			sum,
		)
	}
	return nil
}

func createPolicy(_ context.Context, p *Provider, in values) (state.Record, error) {
	arn := fmt.Sprintf("arn:%s:iam::%s:policy%s%s", Partition, Account, in.str("path"), in.str("name"))
	if _, err := p.Store.Get(policyType, arn); err == nil {
		return state.Record{}, fmt.Errorf(
			"EntityAlreadyExists: A policy called %s already exists. Duplicate names are not allowed.",
			in.str("name"),
		)
	}
	props := base(in)
	props["arn"], props["attachmentCount"], props["tagsAll"] = arn, 0.0, tagsOf(in)
	props["policyId"] = "ANPA" + strings.ToUpper(p.ID(17))
	return state.Record{ID: arn, Properties: props}, managedFits(in)
}

func updatePolicy(_ context.Context, _ *Provider, old state.Record, in values) (state.Record, error) {
	props := base(in)
	for _, k := range []string{"arn", "attachmentCount", "policyId"} {
		props[k] = old.Properties[k]
	}
	props["tagsAll"] = tagsOf(in)
	return state.Record{Properties: props, Private: old.Private}, managedFits(in)
}

func managedFits(in values) error {
	if n := iam.Size([]byte(in.str("policy"))); n > maxManagedPolicy {
		return fmt.Errorf(
			"LimitExceeded: Cannot exceed quota for PolicySize: %d: the policy has %d characters "+
				"without white space",
			maxManagedPolicy,
			n,
		)
	}
	return nil
}
