package provider

import (
	"fmt"
	"slices"
)

// availabilityZones lists the region's zones, as far as the filters let them
// through. A filter that is not known is refused, since it could hide a zone
// on AWS.
func availabilityZones(p *Provider, args values) (values, []Failure) {
	names, ids := []any{}, []any{}
	if args.has("allAvailabilityZones") && args.boolean("allAvailabilityZones") {
		return nil, []Failure{{"allAvailabilityZones", "the local cloud has no zones to opt in to"}}
	}
	for _, z := range p.zones() {
		name, id := p.Region+z.letter, p.zoneID(z)
		facts := map[string]string{
			"zone-name":     name,
			"zone-id":       id,
			"state":         "available",
			"region-name":   p.Region,
			"opt-in-status": "opt-in-not-required",
			"zone-type":     "availability-zone",
			"group-name":    p.zoneGroup(),
		}
		keep := !slices.Contains(args.strings("excludeNames"), name) &&
			!slices.Contains(args.strings("excludeZoneIds"), id)
		if state := args.str("state"); state != "" && state != facts["state"] {
			keep = false
		}
		for n, e := range args.list("filters") {
			f, _ := e.(map[string]any)
			fact, known := facts[values(f).str("name")]
			if !known {
				return nil, []Failure{
					{
						fmt.Sprintf("filters[%d].name", n),
						fmt.Sprintf("the local cloud does not support the filter %q", values(f).str("name")),
					},
				}
			}
			keep = keep && slices.Contains(values(f).strings("values"), fact)
		}
		if keep {
			names, ids = append(names, name), append(ids, id)
		}
	}
	out := args.clone()
	out["id"], out["names"], out["zoneIds"], out["groupNames"] = p.Region, names, ids, []any{p.zoneGroup()}
	return out, nil
}

// zoneGroup is the group of all zones.
func (p *Provider) zoneGroup() string { return p.Region + "-zg-1" }
