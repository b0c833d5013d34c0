package stack

import (
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
