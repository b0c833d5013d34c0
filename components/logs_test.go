package components

import (
	"slices"
	"testing"
)

// An access log that has another name keeps it: the old group would be deleted
// with its lines.
func TestAccessLogIsWhereServicesWriteAndAnExistingOneStays(t *testing.T) {
	t.Parallel()
	both(t, args, func(t *testing.T, r *recorder) {
		access, own := r.named(t, logToken, "items-access"), r.named(t, logToken, "items-function")
		r.is(t, access.Inputs, "/aws/vendedlogs/items-access-", "namePrefix")
		kept := access.RegisterRPC.GetIgnoreChanges()
		if !slices.Contains(kept, "name") || !slices.Contains(kept, "namePrefix") {
			t.Errorf("an existing access log is replaced, as only %v are ignored", kept)
		}
		// Lambda writes to its own group by the function's role.
		if own.Inputs.HasValue("namePrefix") || own.Inputs.HasValue("name") ||
			len(own.RegisterRPC.GetIgnoreChanges()) > 0 {
			t.Errorf("the function's log group has another name: %v", own.Inputs)
		}
	})
}
