package stack

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"items-api/components"
)

// Network is the configuration key network.
type Network struct {
	Private   bool     `json:"private"`
	Zones     int      `json:"zones"`
	ZoneNames []string `json:"zoneNames"`
	CIDR      string   `json:"cidr"`
	Keep      bool     `json:"keep"`
}

// component adds the zones that the network has.
func (n Network) component(existing []string) components.Network {
	return components.Network{
		Private:   n.Private,
		Zones:     n.Zones,
		ZoneNames: n.ZoneNames,
		Existing:  existing,
		CIDR:      n.CIDR,
		Keep:      n.Keep,
	}
}

func defaultNetwork() Network { return Network{Zones: 2, CIDR: components.DefaultCIDR} }

func (p *parser) network(text string) Network {
	n := defaultNetwork()
	given := p.object(text, &n)
	if given == nil {
		return n
	}
	if _, counted := given["zones"]; !counted && len(n.ZoneNames) > 0 {
		n.Zones = len(n.ZoneNames)
	}
	p.zoneNames(n)
	if n.Zones != 2 && n.Zones != 3 {
		p.fail("holds zones %d; it must be 2 or 3", n.Zones)
	}
	if err := components.CheckCIDR(n.CIDR); err != nil {
		p.fail("holds a cidr that is not possible; it %v", err)
	}
	return n
}

// zoneName is the name of an availability zone; those of Local Zones and of
// Wavelength Zones are longer, and Lambda has no functions there.
var zoneName = regexp.MustCompile(`^([a-z]{2,4}(?:-[a-z]+)+-[0-9])[a-z]$`)

func (p *parser) zoneNames(n Network) {
	if names := len(n.ZoneNames); names > 0 && names != n.Zones {
		p.fail("holds %d zoneNames and zones %d: name each zone, or leave zones out", names, n.Zones)
	}
	for i, name := range n.ZoneNames {
		if !zoneName.MatchString(name) {
			p.fail("holds the zone name %q; one of an availability zone looks like us-east-1a", name)
		}
		if slices.Index(n.ZoneNames, name) < i {
			p.fail("holds the zone name %q, which appears twice", name)
		}
	}
}

// checkRegion tests that the zones are in the stack's region. An empty region is
// not known here.
func (n Network) checkRegion(region string) error {
	var errs []error
	for _, name := range n.ZoneNames {
		if m := zoneName.FindStringSubmatch(name); region != "" && m != nil && m[1] != region {
			errs = append(
				errs,
				fmt.Errorf("%s:network holds the zone name %s, and the stack is in %s: name zones of %s",
					Namespace, name, region, region),
			)
		}
	}
	return errors.Join(errs...)
}

// checkTags leaves room for the tags that awsx gives to subnets.
func (n Network) checkTags(tags map[string]string) error {
	all := map[string]string{"Name": "", "SubnetType": ""}
	own := len(all)
	maps.Copy(all, tags)
	if (n.Private || n.Keep) && len(all) > mostTags {
		return fmt.Errorf(
			"%s:tags holds %d tags, and with %s:network subnets have Name and SubnetType too, and AWS "+
				"takes %d for a resource: leave %d for these",
			Namespace,
			len(tags),
			Namespace,
			mostTags,
			own,
		)
	}
	return nil
}
