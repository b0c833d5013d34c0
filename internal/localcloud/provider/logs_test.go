package provider

import (
	"slices"
	"testing"
)

// What was logged goes with the log group, unless the group is to stay when
// the resource goes.
func TestLogsGoWithTheirGroup(t *testing.T) {
	t.Parallel()
	s, cloud := server(t)
	for name, in := range map[string]map[string]any{
		"gone":  {"name": "/gone"},
		"stays": {"name": "/stays", "skipDestroy": true},
	} {
		id, out, _ := create(t, s, logGroupType, name, props(in))
		if !s.p.HasLogGroup(id) || !slices.Contains(s.p.LogGroups(), id) {
			t.Errorf("the group %s is not known", id)
		}
		if err := deleted(t, s, logGroupType, id, out); err != nil {
			t.Error(err)
		}
		if s.p.HasLogGroup(id) {
			t.Errorf("the group %s is still known", id)
		}
	}
	if want := []string{"remove log group /gone"}; !slices.Equal(cloud.calls, want) {
		t.Errorf("the cloud was told %v", cloud.calls)
	}
}
