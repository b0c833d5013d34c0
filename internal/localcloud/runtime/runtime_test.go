package runtime

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var bootstrap string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "runtime-test-")
	if err != nil {
		panic(err)
	}
	bootstrap = filepath.Join(dir, "bootstrap")
	if out, err := exec.Command(
		"go",
		"build",
		"-o",
		bootstrap,
		"./testdata/function",
	).CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// pack writes a zip with one entry.
func pack(t *testing.T, name string, content []byte, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "package.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	h := &zip.FileHeader{Name: name, Method: zip.Store}
	h.SetMode(mode)
	w, err := z.CreateHeader(h)
	if err == nil {
		_, err = w.Write(content)
	}
	if err = errors.Join(err, z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func good(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	return pack(t, "bootstrap", data, 0o755)
}

type logs struct {
	mu    sync.Mutex
	lines []LogLine
}

func (l *logs) add(line LogLine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *logs) find(text string) (LogLine, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.lines, func(line LogLine) bool { return strings.Contains(line.Text, text) })
	if i < 0 {
		return LogLine{}, false
	}
	return l.lines[i], true
}

func start(t *testing.T) (*Runtime, *logs) {
	t.Helper()
	l := &logs{}
	r, err := New(Config{
		Dir:       t.TempDir(),
		AccountID: "000000000000",
		Region:    "us-east-1",
		Now:       time.Now,
		Log:       l.add,
		Credentials: func(f Function) (Credentials, error) {
			return Credentials{"key-of-" + f.RoleARN, "secret", "token"}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	// A machine may be busy for longer than a result is held back.
	r.settle = time.Minute
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r, l
}

func put(t *testing.T, r *Runtime, f Function) {
	t.Helper()
	f.Name, f.Version, f.ARN, f.RoleARN = "f", "$LATEST", "arn:aws:lambda:us-east-1:000000000000:function:f", "role"
	if f.Timeout == 0 {
		f.Timeout = 20 * time.Second
	}
	if f.SHA256 == "" {
		f.SHA256 = f.Package
	}
	if err := r.Put(f); err != nil {
		t.Fatal(err)
	}
}

type result struct {
	ARN                     string
	Pid                     int
	Version, Tmp            string
	Status                  int
	Env                     []string
	ErrorType, ErrorMessage string
}

func invoke(t *testing.T, r *Runtime, do, path string) (Result, result) {
	t.Helper()
	payload, err := json.Marshal(map[string]string{"Do": do, "Path": path})
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.Invoke(context.Background(), Target{Name: "f", Version: "$LATEST"}, payload)
	if err != nil {
		t.Error(err)
		return res, result{}
	}
	var out result
	if err := json.Unmarshal(res.Payload, &out); err != nil {
		t.Errorf("%v in %s", err, res.Payload)
	}
	return res, out
}

func TestWarmProcessIsUsedAgain(t *testing.T) {
	t.Parallel()
	r, _ := start(t)
	put(t, r, Function{Package: good(t)})
	first, a := invoke(t, r, "", "")
	second, b := invoke(t, r, "", "")
	if !first.Cold || second.Cold || a.Pid != b.Pid || first.RequestID == second.RequestID {
		t.Errorf("got %+v and %+v in the processes %d and %d", first, second, a.Pid, b.Pid)
	}
}

func TestReservedConcurrencyBoundsProcesses(t *testing.T) {
	t.Parallel()
	r, _ := start(t)
	n := 3
	put(t, r, Function{Package: good(t), Reserved: &n})
	gate := filepath.Join(t.TempDir(), "go")
	var wait sync.WaitGroup
	pids := make([]int, n)
	for i := range n {
		wait.Go(func() {
			_, out := invoke(t, r, "wait", gate)
			pids[i] = out.Pid
		})
	}
	until(t, func() bool { s := r.Stats(); return s[0].Busy == n && len(s[0].Pids) == n })
	if _, err := r.Invoke(t.Context(), Target{
		Name:    "f",
		Version: "$LATEST",
	}, []byte("{}")); !errors.Is(err, ErrThrottled) || !strings.Contains(err.Error(), "ReservedFunctionConcurrentInvocationLimitExceeded") {
		t.Errorf("one more got %v", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wait.Wait()
	slices.Sort(pids)
	if len(slices.Compact(pids)) != n {
		t.Errorf("the processes were %v", pids)
	}
	zero := 0
	put(t, r, Function{Package: good(t), Reserved: &zero})
	if _, err := r.Invoke(t.Context(), Target{
		Name:    "f",
		Version: "$LATEST",
	}, []byte("{}")); !errors.Is(err, ErrThrottled) {
		t.Errorf("a reservation of 0 got %v", err)
	}
}

func until(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatal("the condition did not come true")
		case <-tick.C:
		}
	}
}

func TestTimeoutKillsTheProcessAndTemporaryFilesStay(t *testing.T) {
	t.Parallel()
	r, l := start(t)
	put(t, r, Function{Package: good(t), Timeout: time.Second})
	_, before := invoke(t, r, "", "")
	res, out := invoke(t, r, "hang", "")
	if res.FunctionError != "Unhandled" || out.ErrorType != "Sandbox.Timedout" ||
		out.ErrorMessage != "RequestId: "+res.RequestID+" Error: Task timed out after 1.00 seconds" {
		t.Errorf("got %s", res.Payload)
	}
	if _, ok := l.find("Task timed out after 1.00 seconds"); !ok {
		t.Error("the log does not say so")
	}
	_, after := invoke(t, r, "", "")
	if after.Pid == before.Pid || after.Tmp != before.Tmp {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func TestFailuresSayWhatLambdaSays(t *testing.T) {
	t.Parallel()
	text := []byte("not an executable")
	cases := []struct {
		name, zip, do string
		env           map[string]string
		kind, message string
	}{
		{"exit", good(t), "exit", nil, "Runtime.ExitError", "Runtime exited with error: exit status 4"},
		{"signal", good(t), "kill", nil, "Runtime.ExitError", "signal: killed"},
		{"reported", good(t), "error", nil, "Mine", "boom"},
		{
			"exit in init",
			good(t),
			"",
			map[string]string{"FAIL_INIT": "1"},
			"Runtime.ExitError",
			"exit status 3",
		},
		{
			"no bootstrap",
			pack(t, "other", text, 0o755),
			"",
			nil,
			"Runtime.InvalidEntrypoint",
			"Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
		},
		{
			"not executable",
			pack(t, "bootstrap", text, 0o644),
			"",
			nil,
			"Runtime.InvalidEntrypoint",
			"fork/exec /var/task/bootstrap: permission denied",
		},
		{
			"exec format",
			pack(t, "bootstrap", text, 0o755),
			"",
			nil,
			"Runtime.InvalidEntrypoint",
			"exec format error",
		},
		{"too large", good(t), "large", nil, "Function.ResponseSizeTooLarge", "6291556 bytes"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, _ := start(t)
			put(t, r, Function{Package: c.zip, Environment: c.env})
			res, out := invoke(t, r, c.do, "")
			if res.FunctionError != "Unhandled" || out.ErrorType != c.kind ||
				!strings.Contains(out.ErrorMessage, c.message) {
				t.Errorf("got %q %s", res.FunctionError, res.Payload)
			}
		})
	}
}

func TestRuntimeAPIRefusesWrongCalls(t *testing.T) {
	t.Parallel()
	r, _ := start(t)
	put(t, r, Function{Package: good(t)})
	if _, out := invoke(t, r, "stale", ""); out.Status != 400 {
		t.Errorf("a stale request id got %d", out.Status)
	}
	if res, _ := invoke(t, r, "twice", ""); res.FunctionError != "" {
		t.Errorf("a second response made it fail: %s", res.Payload)
	}
	if _, err := r.Invoke(t.Context(), Target{
		Name:    "f",
		Version: "$LATEST",
	}, []byte("{")); !errors.Is(err, ErrInvalidPayload) {
		t.Errorf("a payload that is no JSON got %v", err)
	}
	if _, err := r.Invoke(t.Context(), Target{
		Name:    "g",
		Version: "$LATEST",
	}, []byte("{}")); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown function got %v", err)
	}
}

func TestEnvironmentIsLambdasAndNotTheHosts(t *testing.T) {
	t.Setenv("HOST_SECRET", "leak")
	r, _ := start(t)
	put(t, r, Function{
		Package:     good(t),
		Handler:     "bootstrap",
		MemoryMB:    256,
		LogGroup:    "group",
		Environment: map[string]string{"MINE": "1"},
	})
	_, out := invoke(t, r, "env", "")
	for _, want := range []string{"MINE=1", "_HANDLER=bootstrap", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_ACCESS_KEY_ID=key-of-role", "AWS_SESSION_TOKEN=token",
		"AWS_REGION=us-east-1", "TZ=:UTC", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_LOG_GROUP_NAME=group", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand"} {
		if !slices.Contains(out.Env, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, v := range out.Env {
		if strings.HasPrefix(v, "HOST_SECRET") || strings.HasPrefix(v, "AWS_EXECUTION_ENV") ||
			strings.HasPrefix(v, "HOME=") {
			t.Errorf("%s is there", v)
		}
	}
}

func TestConfigurationChangesWhatLambdaLetsItChange(t *testing.T) {
	t.Parallel()
	r, _ := start(t)
	put(t, r, Function{Package: good(t), Environment: map[string]string{
		"TZ":   "Europe/Zurich",
		"LANG": "de_CH.UTF-8",
		"PATH": "/opt/mine/bin:/usr/bin:/bin",
	}})
	_, out := invoke(t, r, "env", "")
	for _, want := range []string{"TZ=Europe/Zurich", "LANG=de_CH.UTF-8", "PATH=/opt/mine/bin:/usr/bin:/bin"} {
		if !slices.Contains(out.Env, want) {
			t.Errorf("%s is missing in %v", want, out.Env)
		}
	}
}

func TestNewCodeTakesOverWithoutALostRequest(t *testing.T) {
	t.Parallel()
	r, _ := start(t)
	pkg := good(t)
	put(t, r, Function{Package: pkg, Environment: map[string]string{"CODE": "0"}})
	gate := filepath.Join(t.TempDir(), "go")
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, out := invoke(t, r, "wait", gate); out.Version != "0" {
			t.Errorf("the request in flight ended with the code %q", out.Version)
		}
	})
	until(t, func() bool { return r.Stats()[0].Busy == 1 })
	for i := 1; i <= 3; i++ {
		put(t, r, Function{Package: pkg, Environment: map[string]string{"CODE": fmt.Sprint(i)}})
		if _, out := invoke(t, r, "", ""); out.Version != fmt.Sprint(i) {
			t.Errorf("the request after deployment %d ran the code %q", i, out.Version)
		}
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wait.Wait()
}

func TestFunctionRunsOnWhenTheCallerLeaves(t *testing.T) {
	t.Parallel()
	r, _ := start(t)
	put(t, r, Function{Package: good(t)})
	gate := filepath.Join(t.TempDir(), "go")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := r.Invoke(ctx, Target{
		Name:    "f",
		Version: "$LATEST",
	}, []byte(`{"Do":"wait","Path":"`+gate+`"}`)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if s := r.Stats()[0]; s.Busy != 1 {
		t.Errorf("the function is not running: %+v", s)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return r.Stats()[0].Busy == 0 })
	if res, _ := invoke(t, r, "", ""); res.Cold {
		t.Error("the process was not kept")
	}
}

func TestLogLinesCarryTheRequestID(t *testing.T) {
	t.Parallel()
	r, l := start(t)
	put(t, r, Function{Package: good(t), LogGroup: "group"})
	res, _ := invoke(t, r, "log", "")
	until(t, func() bool { _, ok := l.find("to stdout"); return ok })
	line, _ := l.find("to stdout")
	if line.RequestID != res.RequestID || line.LogGroup != "group" || line.LogStream != res.LogStream ||
		line.Platform {
		t.Errorf("got %+v", line)
	}
	if report, ok := l.find(
		"REPORT RequestId: " + res.RequestID,
	); !ok ||
		!strings.Contains(report.Text, "Init Duration") {
		t.Errorf("got %+v", report)
	}
}

func TestPackagesAreChecked(t *testing.T) {
	t.Parallel()
	bad := filepath.Join(t.TempDir(), "bad.zip")
	if err := os.WriteFile(bad, []byte("no zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckPackage(
		bad,
	); err == nil ||
		!strings.Contains(err.Error(), "Could not unzip uploaded file") {
		t.Errorf("got %v", err)
	}
	if err := CheckPackage(
		pack(t, "../out", nil, 0o644),
	); err == nil ||
		!strings.Contains(err.Error(), "../out") {
		t.Errorf("got %v", err)
	}
	if err := CheckRunnable(good(t)); err != nil {
		t.Error(err)
	}
	foreign := pack(t, "bootstrap", []byte("MZ..."), 0o755)
	err := CheckRunnable(foreign)
	if err == nil || !strings.Contains(err.Error(), "built for windows: build the package for this machine") {
		t.Errorf("got %v", err)
	}
}
