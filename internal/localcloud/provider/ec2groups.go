package provider

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"items-api/internal/localcloud/state"
)

const (
	securityGroupType = "aws:ec2/securityGroup:SecurityGroup"
	defaultGroupType  = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
	egressRuleType    = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
	ingressRuleType   = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"

	defaultGroup = "default" // the name of a VPC's first security group

	// outward notes what counts in rules for what goes out.
	outward = checkedOnly + "; of what goes out, " + onRoute
)

// ruleDescription and groupText: source, EC2 API reference, CreateSecurityGroup
// and IpRange.
var (
	ruleDescription = matching(
		regexp.MustCompile(`^[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}$`),
		"it has at most 255 letters, digits, spaces or any of ._-:/()#,@[]+=&;{}!$*",
	)
	protocols = []string{"-1", "tcp", "udp", "icmp", "icmpv6"}
)

func groupTypes() []*Type {
	rule := func(token string) *Type {
		t := &Type{
			Token:      token,
			Properties: groupRuleProperties(),
			Outputs:    []string{"arn", "securityGroupRuleId", "tagsAll"},
			Check:      checkGroupRule,
		}
		t.Create = func(_ context.Context, p *Provider, in values) (state.Record, error) {
			id := p.ec2ID("sgr")
			rec := p.ec2Record("security-group-rule", id, in, map[string]any{"securityGroupRuleId": id})
			delete(rec.Properties, "ownerId")
			return rec, p.ruleFits(token, id, in)
		}
		t.Update = func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
			return renewed(t, old, in), p.ruleFits(token, old.ID, in)
		}
		return t
	}
	return []*Type{
		{
			Token: securityGroupType,
			Properties: append([]Property{
				{
					Name:    "description",
					Kind:    String,
					Level:   Recorded,
					Default: "Managed by Pulumi",
					Replace: true,
					Check:   groupText,
					Note:    noNetwork,
				},
				{
					Name:    "name",
					Kind:    String,
					Level:   Recorded,
					Replace: true,
					Check:   groupName,
					Note:    checkedOnly,
				},
				{
					Name:     "namePrefix",
					Kind:     String,
					Level:    Recorded,
					Computed: true,
					Replace:  true,
					Note:     checkedOnly,
				},
				inVPC(true),
			}, groupProperties()...),
			Outputs:    []string{"arn", "ownerId", "tagsAll"},
			Name:       "name",
			NameMax:    255,
			NamePrefix: "namePrefix",
			Create:     createGroup,
			Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
				return renewed(p.types[securityGroupType], old, in), p.inlineRules(in, old.ID)
			},
			Delete: deleteGroup,
		},
		{
			Token:      defaultGroupType,
			Properties: append([]Property{inVPC(true)}, groupProperties()...),
			Outputs:    []string{"arn", "description", "name", "namePrefix", "ownerId", "tagsAll"},
			Create: func(_ context.Context, p *Provider, in values) (state.Record, error) {
				vpc, err := p.vpc(in.str("vpcId"))
				if err != nil {
					return state.Record{}, err
				}
				id := vpc.str("defaultSecurityGroupId")
				rec := p.ec2Record("security-group", id, in, map[string]any{
					"description": "default VPC security group",
					"name":        defaultGroup,
					"namePrefix":  "",
				})
				setDefault(rec, "ingress", []any{})
				setDefault(rec, "egress", []any{})
				return rec, p.inlineRules(in, id)
			},
			Update: func(_ context.Context, p *Provider, old state.Record, in values) (state.Record, error) {
				return renewed(p.types[defaultGroupType], old, in), p.inlineRules(in, old.ID)
			},
		},
		rule(egressRuleType),
		rule(ingressRuleType),
	}
}

// groupProperties are those that both kinds of groups have.
func groupProperties() []Property {
	ranges := func(name string) Property {
		return Property{
			Name:  name,
			Kind:  List,
			Elem:  String,
			Level: Recorded,
			Note:  noNetwork,
		}
	}
	rules := func(name, note string) Property {
		return Property{
			Name:     name,
			Kind:     Set,
			Level:    Recorded,
			Computed: true,
			Note:     note,
			Fields: []Property{
				ranges("cidrBlocks"),
				{
					Name:  "description",
					Kind:  String,
					Level: Recorded,
					Check: ruleDescription,
				},
				{
					Name:     "fromPort",
					Kind:     Int,
					Level:    Recorded,
					Required: true,
				},
				ranges("ipv6CidrBlocks"),
				ranges("prefixListIds"),
				{
					Name:     "protocol",
					Kind:     String,
					Level:    Recorded,
					Required: true,
				},
				{
					Name:  "securityGroups",
					Kind:  Set,
					Elem:  String,
					Level: Recorded,
					Note:  checkedOnly,
				},
				{
					Name:    "self",
					Kind:    Bool,
					Level:   Recorded,
					Default: false,
				},
				{
					Name:     "toPort",
					Kind:     Int,
					Level:    Recorded,
					Required: true,
				},
			},
		}
	}
	return []Property{rules("egress", outward), rules("ingress", noNetwork), {
		Name:    "revokeRulesOnDelete",
		Kind:    Bool,
		Level:   Recorded,
		Default: false,
		Note:    noNetwork,
	}, tags()}
}

func groupRuleProperties() []Property {
	port := between(-1, 65535)
	return []Property{
		{
			Name:  "cidrIpv4",
			Kind:  String,
			Level: Recorded,
			Check: network(0, 32),
			Note:  outward,
		},
		{
			Name:  "cidrIpv6",
			Kind:  String,
			Level: Recorded,
			Check: network6,
			Note:  checkedOnly,
		},
		{
			Name:  "description",
			Kind:  String,
			Level: Recorded,
			Check: ruleDescription,
			Note:  noNetwork,
		},
		{
			Name:  "fromPort",
			Kind:  Int,
			Level: Recorded,
			Check: port,
			Note:  checkedOnly,
		},
		{
			Name:     "ipProtocol",
			Kind:     String,
			Level:    Recorded,
			Required: true,
			Note:     checkedOnly,
			Check: func(v any) error {
				s, _ := v.(string)
				if slices.Contains(protocols, strings.ToLower(s)) ||
					regexp.MustCompile(`^\d{1,3}$`).MatchString(s) {
					return nil
				}
				return fmt.Errorf(
					"it must be one of %s, or the number of a protocol",
					strings.Join(protocols, ", "),
				)
			},
		},
		{
			Name:  "prefixListId",
			Kind:  String,
			Level: Recorded,
			Note:  outward,
		},
		{
			Name:  "referencedSecurityGroupId",
			Kind:  String,
			Level: Recorded,
			Note:  checkedOnly,
		},
		{
			Name:     "securityGroupId",
			Kind:     String,
			Level:    Recorded,
			Required: true,
			Replace:  true,
			Note:     checkedOnly,
		},
		tags(),
		{
			Name:  "toPort",
			Kind:  Int,
			Level: Recorded,
			Check: port,
			Note:  checkedOnly,
		},
	}
}

func groupText(v any) error {
	if s, _ := v.(string); s == "" {
		return fmt.Errorf("it must not be empty")
	}
	return ruleDescription(v)
}

func groupName(v any) error {
	if s, _ := v.(string); strings.HasPrefix(s, "sg-") {
		return fmt.Errorf("a security group's name must not begin with sg-")
	}
	return groupText(v)
}

// checkGroupRule tests that a rule has one peer, and ports where its protocol
// has them.
func checkGroupRule(_ *Provider, in values) []Failure {
	out := oneOfThese(in, "cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
	for _, name := range []string{"fromPort", "toPort"} {
		switch protocol := strings.ToLower(in.str("ipProtocol")); {
		case protocol == "-1" && in.has(name):
			out = append(
				out,
				Failure{name, "a rule for all protocols (ipProtocol -1) has all ports: take it away"},
			)
		case slices.Contains(protocols[1:], protocol) && !in.has(name):
			out = append(
				out,
				Failure{
					name,
					fmt.Sprintf("missing required property %q: a rule for %s needs it", name, protocol),
				},
			)
		}
	}
	if from, ok := in["fromPort"].(float64); ok {
		if to, ok := in["toPort"].(float64); ok && to < from &&
			(in.str("ipProtocol") == "tcp" || in.str("ipProtocol") == "udp") {
			out = append(out, Failure{"toPort", "it must not be less than fromPort"})
		}
	}
	return out
}

// securityGroup returns the VPC of a group, which may be a VPC's first one.
func (p *Provider) securityGroup(id string) (vpc string, err error) {
	if r, err := p.Store.Get(securityGroupType, id); err == nil {
		return values(r.Properties).str("vpcId"), nil
	}
	for _, v := range p.referring(vpcType, "defaultSecurityGroupId", id) {
		return v.ID, nil
	}
	return "", fmt.Errorf("InvalidGroup.NotFound: The security group '%s' does not exist", id)
}

func createGroup(_ context.Context, p *Provider, in values) (state.Record, error) {
	id := p.ec2ID("sg")
	rec := p.ec2Record("security-group", id, in, nil)
	if _, err := p.vpc(in.str("vpcId")); err != nil {
		return rec, err
	}
	name := in.str("name")
	taken := name == defaultGroup
	for _, g := range p.referring(securityGroupType, "vpcId", in.str("vpcId")) {
		taken = taken || values(g.Properties).str("name") == name
	}
	if taken {
		return rec, fmt.Errorf(
			"InvalidGroup.Duplicate: The security group '%s' already exists for VPC '%s'",
			name,
			in.str("vpcId"),
		)
	}
	setDefault(rec, "namePrefix", "")
	setDefault(rec, "ingress", []any{})
	setDefault(rec, "egress", []any{})
	return rec, p.inlineRules(in, id)
}

// inlineRules tests that the groups which the rules of a group name exist.
func (p *Provider) inlineRules(in values, id string) error {
	for _, group := range peers(in) {
		if group == id {
			continue
		}
		if _, err := p.securityGroup(group); err != nil {
			return err
		}
	}
	return nil
}

// peers are the groups that the rules of a group name.
func peers(group values) []string {
	var out []string
	for _, e := range slices.Concat(group.list("ingress"), group.list("egress")) {
		if rule, ok := e.(map[string]any); ok {
			out = append(out, values(rule).strings("securityGroups")...)
		}
	}
	return out
}

// deleteGroup refuses while rules of other groups name the group. Functions
// that use it do not keep it: their network interfaces are Lambda's, which
// removes them by itself on AWS.
func deleteGroup(_ context.Context, p *Provider, r state.Record) error {
	inUse := func(by string) error {
		return fmt.Errorf(
			"DependencyViolation: resource %s has a dependent object: a rule of %s names it",
			r.ID,
			by,
		)
	}
	for _, token := range []string{ingressRuleType, egressRuleType} {
		for _, rule := range p.referring(token, "referencedSecurityGroupId", r.ID) {
			if by := values(rule.Properties).str("securityGroupId"); by != r.ID {
				return inUse(by)
			}
		}
	}
	for _, token := range []string{securityGroupType, defaultGroupType} {
		for _, other := range p.Store.List(token) {
			if other.ID != r.ID && slices.Contains(peers(other.Properties), r.ID) {
				return inUse(other.ID)
			}
		}
	}
	for _, token := range []string{ingressRuleType, egressRuleType} {
		if err := p.dropAll(token, "securityGroupId", r.ID); err != nil {
			return err
		}
	}
	return nil
}

// ruleFits tests that what a rule refers to exists, and that no other rule of
// the group says the same.
func (p *Provider) ruleFits(token, id string, in values) error {
	if _, err := p.securityGroup(in.str("securityGroupId")); err != nil {
		return err
	}
	if err := p.prefixList(in.str("prefixListId")); err != nil {
		return err
	}
	if peer := in.str("referencedSecurityGroupId"); peer != "" {
		if _, err := p.securityGroup(peer); err != nil {
			return err
		}
	}
	for _, r := range p.referring(token, "securityGroupId", in.str("securityGroupId")) {
		if r.ID != id && meaning(r.Properties) == meaning(in) {
			return fmt.Errorf(
				"InvalidPermission.Duplicate: the rule %s of %s is the same",
				r.ID,
				in.str("securityGroupId"),
			)
		}
	}
	return nil
}

// meaning is what a rule lets through.
func meaning(rule values) string {
	var parts []any
	for _, name := range []string{
		"ipProtocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6", "prefixListId",
		"referencedSecurityGroupId",
	} {
		parts = append(parts, rule[name])
	}
	return strings.ToLower(text(parts))
}
