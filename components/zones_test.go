package components

import (
	"slices"
	"testing"
)

func TestZonesAreThoseThatWorkUnlessTheyAreNamedOrInUse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		network Network
		want    []string
		lookups int // beside those of account, region and partition
	}{
		"a new network": {Network{Zones: 2}, []string{"eu-west-1c", "eu-west-1d"}, 1},
		"zones by name": {Network{
			Zones:     2,
			ZoneNames: []string{"eu-west-1b", "eu-west-1a"},
		}, []string{"eu-west-1b", "eu-west-1a"}, 0},
		"one that fails": {Network{
			Zones:    2,
			Existing: []string{"eu-west-1b", "eu-west-1c"},
		}, []string{"eu-west-1b", "eu-west-1c"}, 0},
		"a third zone": {Network{
			Zones:    3,
			Existing: []string{"eu-west-1b", "eu-west-1d"},
		}, []string{"eu-west-1b", "eu-west-1d", "eu-west-1c"}, 1},
		"one zone less": {Network{
			Zones:    2,
			Existing: []string{"eu-west-1b", "eu-west-1d", "eu-west-1c"},
		}, []string{"eu-west-1b", "eu-west-1d"}, 0},
		"other names": {Network{
			Zones:     2,
			ZoneNames: []string{"eu-west-1c", "eu-west-1d"},
			Existing:  []string{"eu-west-1a", "eu-west-1b"},
		}, []string{"eu-west-1c", "eu-west-1d"}, 0},
	} {
		c.network.Private = true
		both(t, withNetwork(c.network), func(t *testing.T, r *recorder) {
			if got := texts(at(r.one(t, vpcToken), "availabilityZoneNames")); !slices.Equal(got, c.want) {
				t.Errorf("%s: got the zones %v, want %v", name, got, c.want)
			}
			if r.zoneLookups != c.lookups {
				t.Errorf("%s: the zones were asked for %d times", name, r.zoneLookups)
			}
		})
	}
}
