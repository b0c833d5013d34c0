package runtime

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// api serves the Lambda Runtime API, version 2018-06-01. Source: Lambda
// developer guide, "Using the Lambda runtime API".
func (e *environment) api() http.Handler {
	mux := http.NewServeMux()
	const base = "/2018-06-01/runtime"
	mux.HandleFunc("GET "+base+"/invocation/next", e.handleNext)
	mux.HandleFunc(
		"POST "+base+"/invocation/{id}/response",
		func(w http.ResponseWriter, r *http.Request) { e.handleAnswer(w, r, false) },
	)
	mux.HandleFunc(
		"POST "+base+"/invocation/{id}/error",
		func(w http.ResponseWriter, r *http.Request) { e.handleAnswer(w, r, true) },
	)
	mux.HandleFunc("POST "+base+"/init/error", e.handleInitError)
	return mux
}

func (e *environment) handleNext(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	next, waiting, freezer := e.next, e.waiting, e.freezer
	e.mu.Unlock()
	freezer.poll()
	select {
	case waiting <- struct{}{}:
	default:
	}
	select {
	case <-r.Context().Done():
		freezer.answered()
	case inv := <-next:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		h.Set(
			"Lambda-Runtime-Deadline-Ms",
			strconv.FormatInt(e.runtime.Now().Add(e.function.Timeout).UnixMilli(), 10),
		)
		h.Set("Lambda-Runtime-Invoked-Function-Arn", inv.arn)
		h.Set("Lambda-Runtime-Trace-Id", traceID(e.runtime.Now(), inv.id))
		deliver(w, inv.payload, freezer.answered)
	}
}

func traceID(now time.Time, id string) string {
	hex := regexp.MustCompile(`[^0-9a-f]`).ReplaceAllString(id, "")
	return "Root=1-" + strconv.FormatInt(
		now.Unix(),
		16,
	) + "-" + hex[:24] + ";Parent=" + hex[16:] + ";Sampled=0"
}

func problem(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"errorMessage":"`+message+`","errorType":"`+kind+`"}`)
}

func accepted(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func (e *environment) handleAnswer(w http.ResponseWriter, r *http.Request, failed bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPayload+1))
	if err != nil {
		problem(w, http.StatusBadRequest, "TruncatedBody", "the body could not be read")
		return
	}
	e.mu.Lock()
	inv := e.current
	switch {
	case inv == nil || inv.id != r.PathValue("id"):
		e.mu.Unlock()
		problem(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	case inv.settled:
		e.mu.Unlock()
		problem(w, http.StatusForbidden, "InvalidStateTransition", "State transition is not allowed")
		return
	}
	inv.settled = true
	e.mu.Unlock()
	if len(body) > maxPayload {
		inv.answer <- failure("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum "+
			"allowed payload size (6291556 bytes).")
		problem(
			w,
			http.StatusRequestEntityTooLarge,
			"RequestEntityTooLarge",
			"Exceeded maximum allowed payload size (6291556 bytes).",
		)
		return
	}
	inv.answer <- answer{payload: body, failed: failed}
	accepted(w)
}

func (e *environment) handleInitError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPayload))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		problem(w, http.StatusBadRequest, "TruncatedBody", "the body could not be read")
		return
	}
	e.mu.Lock()
	e.initError = &answer{payload: body, failed: true}
	e.mu.Unlock()
	accepted(w)
}
