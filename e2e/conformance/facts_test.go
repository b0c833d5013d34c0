package conformance

import "testing"

func factTable(t *testing.T, vectors []vector) string { return "" }
