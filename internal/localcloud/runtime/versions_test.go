package runtime

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The versions of a function share its reservation, a new reservation ends no
// process, and a version that is removed counts until its work is done.
func TestVersionsShareTheReservation(t *testing.T) {
	t.Parallel()
	r, _ := start(t)
	pkg := good(t)
	function := func(version string, reserved int) Function {
		return Function{
			Name:     "f",
			Version:  version,
			ARN:      "arn:aws:lambda:us-east-1:000000000000:function:f",
			RoleARN:  "role",
			Package:  pkg,
			SHA256:   "s",
			Timeout:  20 * time.Second,
			Reserved: &reserved,
		}
	}
	apply := func(reserved int, versions ...string) {
		t.Helper()
		for _, v := range versions {
			if err := r.Put(function(v, reserved)); err != nil {
				t.Fatal(err)
			}
		}
	}
	call := func(version string, payload any) (result, Result, error) {
		data, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		res, err := r.Invoke(t.Context(), Target{Name: "f", Version: version, Qualifier: "live"}, data)
		var out result
		if err == nil {
			err = json.Unmarshal(res.Payload, &out)
		}
		return out, res, err
	}
	apply(2, "1", "2")
	first, _, err := call("1", map[string]string{"Do": "env"})
	if err != nil || !slices.Contains(first.Env, "AWS_LAMBDA_FUNCTION_VERSION=1") ||
		first.ARN != "arn:aws:lambda:us-east-1:000000000000:function:f:live" {
		t.Fatalf("version 1 was told %s and %v, %v", first.ARN, first.Env, err)
	}
	apply(1, "1", "2")
	if again, _, err := call("1", map[string]string{"Do": "env"}); err != nil || again.Pid != first.Pid {
		t.Errorf(
			"the process was %d and is %d after a change of the reservation, %v",
			first.Pid,
			again.Pid,
			err,
		)
	}
	gate := filepath.Join(t.TempDir(), "go")
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, _, err := call("1", map[string]string{"Do": "wait", "Path": gate}); err != nil {
			t.Error(err)
		}
	})
	until(t, func() bool { return r.busyOf("f") == 1 })
	if err := r.Remove("f", "1"); err != nil {
		t.Fatal(err)
	}
	if got := r.Versions("f"); !slices.Equal(got, []string{"2"}) {
		t.Errorf("the versions are %v", got)
	}
	if _, _, err := call("2", map[string]string{}); !errors.Is(err, ErrThrottled) {
		t.Errorf("version 2 beside the last request of version 1 got %v", err)
	}
	if _, _, err := call("1", map[string]string{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("the removed version got %v", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wait.Wait()
	until(t, func() bool { return r.busyOf("f") == 0 })
	if _, _, err := call("2", map[string]string{}); err != nil {
		t.Error(err)
	}
}

// Versions that come and go while requests run fail none but with an error
// that says so.
func TestVersionsComeAndGoUnderLoad(t *testing.T) {
	t.Parallel()
	r, _ := start(t)
	pkg := good(t)
	n := 8
	put := func(version string) {
		if err := r.Put(Function{
			Name:     "f",
			Version:  version,
			ARN:      "arn:aws:lambda:us-east-1:000000000000:function:f",
			RoleARN:  "role",
			Package:  pkg,
			SHA256:   "s",
			Timeout:  20 * time.Second,
			Reserved: &n,
		}); err != nil {
			t.Error(err)
		}
	}
	put("1")
	put("2")
	var wait sync.WaitGroup
	answered := make([]atomic.Int64, 4)
	done := make(chan struct{})
	for i := range answered {
		wait.Go(func() {
			for v := 0; ; v++ {
				select {
				case <-done:
					return
				default:
				}
				version := []string{"1", "2"}[v%2]
				_, err := r.Invoke(t.Context(), Target{
					Name:      "f",
					Version:   version,
					Qualifier: "live",
				}, []byte("{}"))
				if err == nil {
					answered[i].Add(1)
				} else if !errors.Is(err, ErrNotFound) || version == "1" {
					t.Errorf("version %s: %v", version, err)
				}
			}
		})
	}
	until(t, func() bool {
		if err := r.Remove("f", "2"); err != nil {
			t.Error(err)
		}
		put("2")
		return !slices.ContainsFunc([]int{0, 1, 2, 3}, func(i int) bool { return answered[i].Load() < 20 })
	})
	close(done)
	wait.Wait()
}

func (r *Runtime) busyOf(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.busy(name)
}
