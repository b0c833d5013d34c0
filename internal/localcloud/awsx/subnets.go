package awsx

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
)

// subnetSpec describes one subnet of each zone.
type subnetSpec struct {
	Type     string
	Name     string
	CIDRMask int // 0 if the zone's range is divided evenly
}

// subnet is a subnet with its range.
type subnet struct{ name, zone, cidr string }

// layout gives each zone an equal part of the VPC's range, of the size that
// mask says or, if it is nil, one of as many as there are zones, rounded up to a
// power of two. In it each subnet has its part in the order of the specs:
// awsx's strategy Auto.
func layout(vpc, cidr string, zones []string, mask *int, specs []subnetSpec) ([]subnet, error) {
	whole, err := netip.ParsePrefix(cidr)
	if err != nil || !whole.Addr().Is4() || whole != whole.Masked() {
		return nil, fmt.Errorf("the cidrBlock %q is no IPv4 range", cidr)
	}
	zone := whole.Bits() + doublings(len(zones))
	if mask != nil {
		zone = *mask
	}
	even := zone + doublings(len(specs))
	var size uint64
	for _, s := range specs {
		size += addresses(s.mask(even))
	}
	if zone > 32 || size > addresses(zone) {
		return nil, fmt.Errorf(
			"the subnets are too large for the VPC: each zone has a /%d, and they need %d addresses",
			zone,
			size,
		)
	}
	var out []subnet
	start := uint64(binary.BigEndian.Uint32(whole.Addr().AsSlice()))
	for i, z := range zones {
		next := start + uint64(i)*addresses(zone)
		end := next + addresses(zone)
		for _, s := range specs {
			n := addresses(s.mask(even))
			next = (next + n - 1) / n * n // a range begins at a multiple of its size
			if next+n > end {
				return nil, fmt.Errorf(
					"the subnets are too large for the VPC: %s does not fit into a /%d beside those before it",
					s.label(),
					zone,
				)
			}
			var b [4]byte
			binary.BigEndian.PutUint32(b[:], uint32(next))
			out = append(
				out,
				subnet{
					fmt.Sprintf("%s-%s-%d", vpc, s.label(), i+1),
					z,
					netip.PrefixFrom(netip.AddrFrom4(b), s.mask(even)).String(),
				},
			)
			next += n
		}
	}
	return out, nil
}

func (s subnetSpec) mask(even int) int {
	if s.CIDRMask != 0 {
		return s.CIDRMask
	}
	return even
}

// label is a subnet's part of its name.
func (s subnetSpec) label() string {
	if s.Name != "" {
		return s.Name
	}
	return strings.ToLower(s.Type)
}

// doublings is the logarithm of n to the base 2, rounded up.
func doublings(n int) int { return bits.Len(uint(max(n, 1) - 1)) }

// addresses is how many a range with a mask has, 0 for one that is too small.
func addresses(mask int) uint64 {
	if mask < 0 || mask > 32 {
		return 0
	}
	return 1 << (32 - mask)
}
