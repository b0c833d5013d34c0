package runtime

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// address returns where the only environment asks for work.
func address(t *testing.T, r *Runtime) string {
	t.Helper()
	_, out := invoke(t, r, "env", "")
	const name = "AWS_LAMBDA_RUNTIME_API="
	i := slices.IndexFunc(out.Env, func(v string) bool { return strings.HasPrefix(v, name) })
	if i < 0 {
		t.Fatal("the function is not told where to ask for work")
	}
	return strings.TrimPrefix(out.Env[i], name)
}

// A page whose name leads to this machine by DNS rebinding sends its name.
func TestRuntimeAPIRefusesForeignHosts(t *testing.T) {
	t.Parallel()
	r, _ := start(t)
	put(t, r, Function{Package: good(t)})
	url := "http://" + address(t, r) + "/2018-06-01/runtime/invocation/other/response"
	for host, want := range map[string]int{"evil.example": http.StatusForbidden, "": http.StatusBadRequest} {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
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
