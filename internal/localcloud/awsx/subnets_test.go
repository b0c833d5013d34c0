package awsx

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var isolated = []subnetSpec{{Type: "Isolated"}}

func zonesOf(n int) []string { return []string{"a", "b", "c"}[:n] }

func TestZonesShareTheRangeEvenly(t *testing.T) {
	t.Parallel()
	quarter := 18
	for _, c := range []struct {
		cidr  string
		zones int
		mask  *int
		specs []subnetSpec
		want  []string
	}{
		{"10.0.0.0/16", 1, nil, isolated, []string{"v-isolated-1 a 10.0.0.0/16"}},
		{"10.0.0.0/16", 2, nil, isolated, []string{"v-isolated-1 a 10.0.0.0/17", "v-isolated-2 b " +
			"10.0.128.0/17"}},
		{"10.0.0.0/16", 3, nil, isolated, []string{"v-isolated-1 a 10.0.0.0/18", "v-isolated-2 b 10.0.64.0/18", "v-isolated-3 c 10.0.128.0/18"}},
		{"192.168.7.0/24", 2, nil, []subnetSpec{{
			Type: "Isolated",
			Name: "data",
		}}, []string{"v-data-1 a 192.168.7.0/25", "v-data-2 b 192.168.7.128/25"}},
		{"10.0.0.0/16", 2, nil, []subnetSpec{{
			Type:     "Isolated",
			CIDRMask: 24,
		}}, []string{"v-isolated-1 a 10.0.0.0/24", "v-isolated-2 b 10.0.128.0/24"}},
		{"10.0.0.0/16", 1, nil, []subnetSpec{
			{Type: "Isolated"},
			{Type: "Isolated", Name: "b"},
		}, []string{"v-isolated-1 a 10.0.0.0/17", "v-b-1 a 10.0.128.0/17"}},
		// The parts of a given size are the same for any number of zones.
		{"10.0.0.0/16", 2, &quarter, isolated, []string{"v-isolated-1 a 10.0.0.0/18", "v-isolated-2 " +
			"b 10.0.64.0/18"}},
		{"10.0.0.0/16", 3, &quarter, isolated, []string{"v-isolated-1 a 10.0.0.0/18", "v-isolated-2 " +
			"b 10.0.64.0/18", "v-isolated-3 c 10.0.128.0/18"}},
		// A range begins at a multiple of its size.
		{"10.0.0.0/16", 1, nil, []subnetSpec{
			{Type: "Isolated", CIDRMask: 24},
			{Type: "Isolated", Name: "b", CIDRMask: 20},
		}, []string{"v-isolated-1 a 10.0.0.0/24", "v-b-1 a 10.0.16.0/20"}},
	} {
		made, err := layout("v", c.cidr, zonesOf(c.zones), c.mask, c.specs)
		if err != nil {
			t.Errorf("%s over %d: %v", c.cidr, c.zones, err)
			continue
		}
		var got []string
		for _, s := range made {
			got = append(got, fmt.Sprint(s.name, " ", s.zone, " ", s.cidr))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s over %d (-want +got):\n%s", c.cidr, c.zones, diff)
		}
	}
}

func TestSubnetsThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cidr  string
		specs []subnetSpec
	}{
		{"10.0.0.0/24", []subnetSpec{{Type: "Isolated", CIDRMask: 24}}},
		{"10.0.0.0/32", isolated},
		{"10.0.0.1/24", isolated},
		{"fd00::/16", isolated},
		{"", isolated},
		{"10.0.0.0/24", []subnetSpec{
			{Type: "Isolated", CIDRMask: 27},
			{Type: "Isolated", CIDRMask: 26},
			{Type: "Isolated", CIDRMask: 27},
		}},
	} {
		if got, err := layout("v", c.cidr, zonesOf(2), nil, c.specs); err == nil {
			t.Errorf("%s with %v gave %v", c.cidr, c.specs, got)
		}
	}
}

func TestUnsupportedVpcsAreRefusedByName(t *testing.T) {
	t.Parallel()
	good := func() vpcArgs {
		var a vpcArgs
		auto := "Auto"
		a.Strategy = &auto
		a.NAT = &natGateways{Strategy: "None"}
		a.Specs = []subnetArgs{{Type: "Isolated"}}
		return a
	}
	if err := good().check(); err != nil {
		t.Fatal(err)
	}
	one, four, legacy := 1, 4, "Legacy"
	for want, change := range map[string]func(*vpcArgs){
		"subnetStrategy":                      func(a *vpcArgs) { a.Strategy = nil },
		"subnetStrategy is not Auto":          func(a *vpcArgs) { a.Strategy = &legacy },
		"natGateways.strategy must be None":   func(a *vpcArgs) { a.NAT = nil },
		"NAT gateways":                        func(a *vpcArgs) { a.NAT.Strategy = "Single" },
		"natGateways.elasticIpAllocationIds":  func(a *vpcArgs) { a.NAT.Elastic = []string{"eip"} },
		"without subnetSpecs":                 func(a *vpcArgs) { a.Specs = nil },
		"subnetSpecs[0].type Public":          func(a *vpcArgs) { a.Specs[0].Type = "Public" },
		"subnetSpecs[0].cidrBlocks":           func(a *vpcArgs) { a.Specs[0].CIDRBlocks = []string{"10.0.0.0/24"} },
		"subnetSpecs[0].size":                 func(a *vpcArgs) { a.Specs[0].Size = &four },
		"only one of availabilityZoneNames":   func(a *vpcArgs) { a.Zones, a.NumberOfZones = []string{"a"}, &one },
		"a VPC over 4 zones; it must be 1 to": func(a *vpcArgs) { a.NumberOfZones = &four },
	} {
		a := good()
		change(&a)
		if err := a.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}
