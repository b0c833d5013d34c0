//go:build !linux

package peer

import "net/netip"

// owner knows nobody: see the package's comment.
func owner(_, _ netip.AddrPort) (uid int, known bool, err error) { return 0, false, nil }
