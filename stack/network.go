package stack

import (
	"fmt"
	"maps"

	"items-api/components"
)

// Network is the configuration key network.
type Network struct {
	Private bool   `json:"private"`
	Zones   int    `json:"zones"`
	CIDR    string `json:"cidr"`
	Keep    bool   `json:"keep"`
}

func defaultNetwork() Network { return Network{Zones: 2, CIDR: components.DefaultCIDR} }

func (p *parser) network(text string) Network {
	n := defaultNetwork()
	if p.object(text, &n) == nil {
		return n
	}
	if n.Zones != 2 && n.Zones != 3 {
		p.fail("holds zones %d; it must be 2 or 3", n.Zones)
	}
	if err := components.CheckCIDR(n.CIDR); err != nil {
		p.fail("holds a cidr that is not possible; it %v", err)
	}
	return n
}

// checkTags leaves room for the tags that awsx gives to subnets.
func (n Network) checkTags(tags map[string]string) error {
	all := map[string]string{"Name": "", "SubnetType": ""}
	own := len(all)
	maps.Copy(all, tags)
	if (n.Private || n.Keep) && len(all) > mostTags {
		return fmt.Errorf("%s:tags holds %d tags, and with %s:network subnets have Name and SubnetType too, and AWS takes %d for a resource: leave %d for these", Namespace, len(tags), Namespace, mostTags, own)
	}
	return nil
}
