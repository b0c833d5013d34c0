package stack

import (
	"strings"
	"testing"
)

func TestZonesOfAnotherRegionAreRefused(t *testing.T) {
	t.Parallel()
	config := map[string]string{
		"items-api:network": `{"private":true,"zoneNames":["us-east-1a","us-east-1b","us-east-1d"]}`,
		"aws:region":        "eu-west-1",
	}
	made, err := deploy(config)
	if err == nil || len(made) > 0 ||
		!strings.Contains(
			err.Error(),
			"items-api:network holds the zone name us-east-1d, and the stack is in eu-west-1",
		) {
		t.Errorf("%v was registered, %v", made, err)
	}
	s, err := Parse(config)
	if err != nil {
		t.Fatal(err)
	}
	if s.Network.Zones != 3 {
		t.Errorf("three names make %d zones", s.Network.Zones)
	}
	for _, name := range []string{"eusc-de-east-1a", "us-gov-west-1b", "us-isob-east-1a", "ap-southeast-2c"} {
		if !zoneName.MatchString(name) {
			t.Errorf("%s is refused", name)
		}
	}
	for _, region := range []string{"us-east-1", ""} {
		if err := s.Network.checkRegion(region); err != nil {
			t.Errorf("%q: %v", region, err)
		}
	}
}
