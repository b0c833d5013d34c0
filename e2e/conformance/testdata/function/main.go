// Command function is a Lambda runtime that does what a vector says: it speaks
// the Runtime API itself, so that it can post any bytes. Each event is kept in
// a file named by the request's id, for the test to read.
package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

var base = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"

func main() {
	for {
		resp, err := http.Get(base + "next")
		if err != nil {
			os.Exit(9)
		}
		event, err := io.ReadAll(resp.Body)
		if err != nil || resp.Body.Close() != nil {
			os.Exit(8)
		}
		keep(event)
		answer(resp.Header.Get("Lambda-Runtime-Aws-Request-Id"), event)
	}
}

func keep(event []byte) {
	var e struct {
		RequestContext struct{ RequestID string }
	}
	if json.Unmarshal(event, &e) != nil {
		os.Exit(7)
	}
	file := filepath.Join(os.Getenv("CAPTURE_DIR"), hex.EncodeToString([]byte(e.RequestContext.RequestID)))
	if os.WriteFile(file, event, 0o600) != nil {
		os.Exit(6)
	}
}

func answer(id string, event []byte) {
	path, out := id+"/response", []byte(os.Getenv("PAYLOAD"))
	switch os.Getenv("KIND") {
	case "echo":
		body, err := json.Marshal(map[string]any{"statusCode": 200, "body": string(event)})
		if err != nil {
			os.Exit(5)
		}
		out = body
	case "error":
		path, out = id+"/error", []byte(`{"errorType":"Error","errorMessage":"`+os.Getenv("PAYLOAD")+`"}`)
	case "exit":
		os.Exit(number())
	case "sleep":
		time.Sleep(time.Duration(number()) * time.Millisecond)
		out = []byte(`{"statusCode":200}`)
	}
	resp, err := http.Post(base+path, "application/json", bytes.NewReader(out))
	if err != nil {
		os.Exit(4)
	}
	resp.Body.Close()
}

func number() int {
	n, err := strconv.Atoi(os.Getenv("PAYLOAD"))
	if err != nil {
		os.Exit(3)
	}
	return n
}
