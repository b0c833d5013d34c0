package localcloud

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/grpc/stats"

	"items-api/internal/localcloud/provider"
)

// What is being deployed at the moment is in no state yet.
func TestLeftoversAreForTheOwnCommandAndNotDuringADeployment(t *testing.T) {
	t.Parallel()
	c := &Cloud{engines: engines{token: "secret"}}
	ask := func(token string, h http.HandlerFunc) (string, error) {
		s := httptest.NewServer(h)
		defer s.Close()
		_, err := Instance{Control: s.URL, Token: token}.Leftovers(provider.Census{Remove: true})
		if err != nil {
			return err.Error(), err
		}
		return "", nil
	}
	if text, err := ask("guess", c.serveLeftovers); err == nil ||
		!strings.Contains(text, "for the command that runs") {
		t.Errorf("another token got %v", err)
	}
	looking := c.engines.sessions.TagConn(t.Context(), nil)
	c.engines.sessions.HandleConn(looking, &stats.ConnBegin{})
	if n := c.engines.sessions.Open(); n != 0 {
		t.Errorf("a connection without a call counts: %d", n)
	}
	c.engines.sessions.TagRPC(looking, nil)
	if text, err := ask("secret", c.serveLeftovers); err == nil ||
		!strings.Contains(text, "wait for its end") {
		t.Errorf("during a deployment: %v", err)
	}
	c.engines.sessions.HandleConn(looking, &stats.ConnEnd{})
	garbage := func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.NoBody
		c.serveLeftovers(w, r)
	}
	if text, err := ask("secret", garbage); err == nil ||
		!strings.Contains(text, "reading what the states know") {
		t.Errorf("a request without a census: %v", err)
	}
}
