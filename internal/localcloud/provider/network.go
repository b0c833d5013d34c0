package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"items-api/internal/localcloud/state"
)

// Pieces that the types of a private network share. The control plane is as on
// AWS: what is referred to must exist, and what is in use stays. There is no
// network behind it, so that nothing here has an effect on traffic, but for
// calls of functions to DynamoDB: those need a route, as reach.go says.

const (
	noNetwork = "the local cloud has no network"
	// checkedOnly notes a property that is checked as on AWS.
	checkedOnly = "checked as on AWS; the local cloud has no network"
	// onRoute notes a property that decides whether functions reach DynamoDB.
	onRoute = "enforced for calls of functions to DynamoDB"

	ec2Service = "ec2"
)

// The sizes of a VPC and of a subnet, as prefix lengths. Source: Amazon VPC
// user guide, "VPC CIDR blocks" and "Subnet sizing".
const (
	largestNetwork  = 16
	smallestNetwork = 28
)

// digits returns n hexadecimal digits.
func (p *Provider) digits(n int) string {
	sum := sha256.Sum256([]byte(p.ID(20)))
	return hex.EncodeToString(sum[:])[:n]
}

// ec2ID makes an id such as vpc-0 followed by 16 hexadecimal digits.
func (p *Provider) ec2ID(prefix string) string { return prefix + "-0" + p.digits(16) }

// ec2Record is the record of a new resource of EC2: its inputs, the outputs
// that all have, and those given.
func (p *Provider) ec2Record(kind, id string, in values, outputs map[string]any) state.Record {
	props := base(in)
	props["arn"], props["ownerId"], props["tagsAll"] = p.arn(ec2Service, kind+"/"+id), Account, tagsOf(in)
	maps.Copy(props, outputs)
	return state.Record{ID: id, Properties: props}
}

// renewed is a record with new inputs and the outputs that it had.
func renewed(t *Type, old state.Record, in values) state.Record {
	props := base(in)
	for _, name := range t.Outputs {
		if v, ok := old.Properties[name]; ok {
			props[name] = v
		}
	}
	if _, ok := props["tagsAll"]; ok {
		props["tagsAll"] = tagsOf(in)
	}
	return state.Record{Properties: props, Private: old.Private}
}

// setDefault gives a record a value that AWS chooses when none is given.
func setDefault(r state.Record, name string, v any) {
	if r.Properties[name] == nil {
		r.Properties[name] = v
	}
}

// network tests an IPv4 range: its host bits are zero, and its prefix length
// is from low to high.
func network(low, high int) func(any) error {
	return func(v any) error {
		s, _ := v.(string)
		prefix, err := netip.ParsePrefix(s)
		switch {
		case err != nil || !prefix.Addr().Is4():
			return fmt.Errorf("it must be an IPv4 range such as 10.0.0.0/16")
		case prefix.Masked() != prefix:
			return fmt.Errorf("the range that it lies in begins at %s", prefix.Masked())
		case prefix.Bits() < low || prefix.Bits() > high:
			return fmt.Errorf("its prefix length must be from /%d to /%d", low, high)
		}
		return nil
	}
}

func network6(v any) error {
	s, _ := v.(string)
	prefix, err := netip.ParsePrefix(s)
	if err != nil || !prefix.Addr().Is6() || prefix.Masked() != prefix {
		return fmt.Errorf("it must be an IPv6 range such as 2001:db8::/64")
	}
	return nil
}

// within reports whether the range inner lies in outer; overlapping whether
// two ranges share an address. Both were checked before.
func within(inner, outer string) bool {
	a, aerr := netip.ParsePrefix(inner)
	b, berr := netip.ParsePrefix(outer)
	return aerr == nil && berr == nil && b.Bits() <= a.Bits() && b.Contains(a.Addr())
}

func overlapping(one, other string) bool {
	a, aerr := netip.ParsePrefix(one)
	b, berr := netip.ParsePrefix(other)
	return aerr == nil && berr == nil && a.Overlaps(b)
}

// zone is an availability zone of the region: its letter, and the number in its
// id. Which letter has which number differs from account to account on AWS.
type zone struct {
	letter string
	number int
}

// noFunctions is the number of the zone of us-east-1 in which Lambda has no
// functions.
const noFunctions = 3

// zones are the region's. us-east-1 has one in which Lambda has no functions.
func (p *Provider) zones() []zone {
	if p.Region == "us-east-1" {
		return []zone{{"a", 1}, {"b", 2}, {"c", 4}, {"d", 5}, {"e", noFunctions}, {"f", 6}}
	}
	return []zone{{"a", 1}, {"b", 2}, {"c", 3}}
}

// lacksFunctions reports whether Lambda has no functions in a zone, given by its
// name.
func (p *Provider) lacksFunctions(name string) bool {
	return slices.ContainsFunc(p.zones(), func(z zone) bool {
		return p.Region == "us-east-1" && z.number == noFunctions && p.Region+z.letter == name
	})
}

// zoneID is the id of a zone, such as use1-az1.
func (p *Provider) zoneID(z zone) string {
	short := map[string]string{"north": "n", "south": "s", "east": "e", "west": "w", "central": "c",
		"northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw"}
	var b strings.Builder
	for _, part := range strings.Split(p.Region, "-") {
		if s, ok := short[part]; ok {
			part = s
		}
		b.WriteString(part)
	}
	return fmt.Sprintf("%s-az%d", b.String(), z.number)
}

// oneOfThese fails unless exactly one of the properties is given. What is
// refused is no choice, and is named by the check of the property itself.
func oneOfThese(in values, names ...string) []Failure {
	var given []string
	for _, name := range names {
		if in.has(name) && in[name] != "" {
			given = append(given, name)
		}
	}
	switch len(given) {
	case 1:
		return nil
	case 0:
		return []Failure{{names[0], fmt.Sprintf("one of %s must be given", strings.Join(names, ", "))}}
	}
	return []Failure{{given[0], fmt.Sprintf("only one of %s may be given", strings.Join(given, ", "))}}
}

// referring returns the ids of the records of a type with a property of the
// given value.
func (p *Provider) referring(token, property, value string) []state.Record {
	var out []state.Record
	for _, r := range p.Store.List(token) {
		if values(r.Properties).str(property) == value {
			out = append(out, r)
		}
	}
	return out
}

// dropAll removes the records of a type that refer to a resource that goes.
func (p *Provider) dropAll(token, property, value string) error {
	for _, r := range p.referring(token, property, value) {
		if err := p.Store.Delete(token, r.Key); err != nil {
			return err
		}
	}
	return nil
}
