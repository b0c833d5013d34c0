// Command function is a Lambda runtime for tests: the payload says what to do.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

var base = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"

func main() {
	if os.Getenv("FAIL_INIT") != "" {
		os.Exit(3)
	}
	for {
		resp, err := http.Get(base + "invocation/next")
		if err != nil {
			os.Exit(9)
		}
		id := resp.Header.Get("Lambda-Runtime-Aws-Request-Id")
		var in struct {
			Do   string
			Path string
		}
		if err := json.NewDecoder(resp.Body).Decode(&in); err != nil {
			os.Exit(8)
		}
		answer(id, resp.Header.Get("Lambda-Runtime-Invoked-Function-Arn"), in.Do, in.Path)
	}
}

func post(path string, body []byte) int {
	resp, err := http.Post(base+path, "application/json", bytes.NewReader(body))
	if err != nil {
		os.Exit(7)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		os.Exit(7)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func answer(id, arn, do, path string) {
	out := map[string]any{"arn": arn, "pid": os.Getpid(), "version": os.Getenv("CODE"), "tmp": os.Getenv("TMPDIR")}
	switch do {
	case "exit":
		os.Exit(4)
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "hang":
		select {}
	case "wait":
		// Until the file exists.
		for {
			if _, err := os.Stat(path); err == nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
	case "tick":
		go tick(path)
	case "large":
		out["text"] = strings.Repeat("x", 7<<20)
	case "stale":
		out["status"] = post("invocation/other/response", []byte("{}"))
	case "env":
		out["env"] = os.Environ()
	case "log":
		fmt.Println("to stdout")
	case "error":
		post("invocation/"+id+"/error", []byte(`{"errorType":"Mine","errorMessage":"boom"}`))
		return
	case "twice":
		post("invocation/"+id+"/response", []byte(`{}`))
		if status := post("invocation/"+id+"/response", []byte(`{}`)); status != 403 {
			os.Exit(6)
		}
		return
	}
	body, err := json.Marshal(out)
	if err != nil {
		os.Exit(5)
	}
	post("invocation/"+id+"/response", body)
}

// tick makes a file longer for as long as the process runs.
func tick(path string) {
	for {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			os.Exit(10)
		}
		_, _ = f.WriteString(".")
		_ = f.Close()
		time.Sleep(time.Millisecond)
	}
}
