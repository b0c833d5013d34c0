package localcloud

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Only root can become another user; others see that they come in themselves.
func TestPortsForEnginesAreClosedToOtherUsers(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return
	}
	var addresses []string
	for _, a := range served(t) {
		addresses = append(addresses, a)
	}
	dir, err := os.MkdirTemp("", "engines-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "ask")
	if err := os.WriteFile(binary, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	run := func(uid uint32) string {
		cmd := exec.Command(binary)
		cmd.Dir = "/"
		cmd.Env = []string{asker + "=" + strings.Join(addresses, ",")}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	if got := run(0); strings.Count(got, "OK") != 3 || strings.Count(got, "Unauthenticated") != 2 {
		t.Errorf("the same user got %s", got)
	}
	if got := run(65534); strings.Count(got, "Unavailable") != 5 {
		t.Errorf("another user got %s", got)
	}
}
