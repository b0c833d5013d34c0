package localcloud

import (
	"net/http"
	"testing"
)

// A page whose name leads to this machine by DNS rebinding learns nothing of
// the roles or the user pools.
func TestControlRefusesForeignHosts(t *testing.T) {
	t.Parallel()
	c := &Cloud{Config: Config{Dir: t.TempDir()}}
	if err := c.serveIssuers(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.issuer.Close() })
	for host, want := range map[string]int{"evil.example": http.StatusForbidden, "": http.StatusNotFound} {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.IssuerURL("unknown"), nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Host = host
		resp, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != want {
			t.Errorf("the host %q got %d, %v", host, resp.StatusCode, err)
		}
	}
}
