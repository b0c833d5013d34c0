// Package deployer says what a role needs that deploys a stack: the IAM actions
// that the AWS provider's calls for each type of resource are judged on. It is
// documentation as data: docs/permissions.md is made from it, and tests compare
// it with what the component registers. It imports nothing of the project.
package deployer

import (
	"maps"
	"slices"
)

// Part is what a stack needs for one of its options.
type Part struct {
	// Name is a title, Key the configuration key that asks for it; "" for what
	// every stack needs.
	Name, Key string
	// Note says what is worth knowing beside the actions.
	Note string
	// Types are the types of resources, and of lookups, that the option adds.
	Types []Type
}

// Type is what deploying one type of resource needs: to make it, look at it,
// change it and delete it.
type Type struct {
	// Token is the type's, or a function's of the AWS provider.
	Token string
	// Actions are those that can be limited to Resources; Anywhere are those
	// that AWS judges on all resources, or whose resources have names that
	// nobody knows before.
	Actions   []string
	Resources []string
	Anywhere  []string
}

// Covered returns the types that are described, by their tokens.
func Covered() map[string]bool {
	out := map[string]bool{}
	for _, p := range Parts() {
		for _, t := range p.Types {
			out[t.Token] = true
		}
	}
	return out
}

// free are the types that ask AWS for nothing: those that stand for others, which
// are registered beside them, those that the engine keeps to itself, and lookups
// that everybody may make or that make no call.
var free = []string{
	"aws:index/getCallerIdentity:getCallerIdentity",
	"aws:index/getPartition:getPartition",
	"aws:index/getRegion:getRegion",
	"awsx:cloudtrail:Trail",
	"awsx:ec2:Vpc",
	"items:api:RestApi",
	"pulumi:providers:aws",
	"pulumi:providers:awsx",
	"pulumi:providers:pulumi",
	"pulumi:pulumi:Stack",
	"pulumi:pulumi:StackReference",
}

// Missing returns which of some types are described by no part, sorted.
func Missing(tokens []string) []string {
	covered := Covered()
	missing := map[string]bool{}
	for _, t := range tokens {
		if !covered[t] && !slices.Contains(free, t) {
			missing[t] = true
		}
	}
	return slices.Sorted(maps.Keys(missing))
}

// Policy is an IAM policy.
type Policy struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// Statement allows actions.
type Statement struct {
	Effect   string   `json:"Effect"`
	Action   []string `json:"Action"`
	Resource []string `json:"Resource"`
}

// Policy returns what a part needs as one policy, a statement for each set of
// resources.
func (p Part) Policy() Policy {
	type group struct {
		resources []string
		actions   map[string]bool
	}
	var groups []group
	add := func(resources, actions []string) {
		if len(actions) == 0 {
			return
		}
		at := slices.IndexFunc(groups, func(g group) bool { return slices.Equal(g.resources, resources) })
		if at < 0 {
			at = len(groups)
			groups = append(groups, group{resources, map[string]bool{}})
		}
		for _, a := range actions {
			groups[at].actions[a] = true
		}
	}
	for _, t := range p.Types {
		add(t.Resources, t.Actions)
	}
	for _, t := range p.Types {
		add([]string{"*"}, t.Anywhere)
	}
	out := Policy{Version: "2012-10-17"}
	for _, g := range groups {
		out.Statement = append(out.Statement, Statement{
			Effect:   "Allow",
			Action:   slices.Sorted(maps.Keys(g.actions)),
			Resource: g.resources,
		})
	}
	return out
}
