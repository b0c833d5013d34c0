package dynamodb

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"items-api/internal/localcloud/iam"
)

// maxRequest bounds a request in bytes: a batch of 16 MB in JSON.
const maxRequest = 32 << 20

// ServeHTTP checks a request and passes it on to the database. The call is
// observed before its answer is sent, so that whoever got the answer finds it
// counted.
func (d *Database) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := Call{Time: d.Now()}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err != nil {
		return // the client is gone
	}
	out := d.answer(r, body, &call)
	call.Duration = d.Now().Sub(call.Time)
	if !out.dropped && !out.silent {
		call.Status = out.status
	}
	d.Observe(call)
	if out.silent {
		// The context ends with the client, and not with the time that its
		// request had to arrive.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		<-r.Context().Done()
		out.dropped = true
	}
	if !out.dropped {
		send(w, out.status, out.body)
		return
	}
	// It panics with what makes net/http close the connection silently.
	panic(http.ErrAbortHandler)
}

// answered is what a client gets: a response, a connection that is dropped, or
// nothing until it goes by itself.
type answered struct {
	status  int
	body    []byte
	dropped bool
	silent  bool
}

func (d *Database) answer(r *http.Request, body []byte, call *Call) answered {
	target := targetOf(r)
	call.Operation = target.operation
	if !isObject(body) {
		return (&fault{http.StatusBadRequest, serializationException, ""}).answer(call)
	}
	identity, denied := d.verify(r, body)
	d.connections.used(r.Context(), identity.AccessKeyID)
	call.PrincipalARN, call.Function, call.FunctionRequestID = identity.PrincipalARN, identity.Function, identity.FunctionRequestID
	if identity.Route != nil && identity.Route.Unreachable != "" {
		return unreachable(call, identity.Route.Unreachable)
	}
	if denied == nil && !identity.Admin {
		denied = d.admit(r, body, call, identity)
	}
	if denied != nil {
		return denied.answer(call)
	}
	call.Allowed = true
	if answers[call.Operation] != nil && target.api == tablesAPI {
		return d.answerOwn(r.Context(), body, call)
	}
	if identity.Admin {
		return d.forward(r, body, call)
	}
	return d.disturbed(r, body, call, identity)
}

// disturbed passes a call of a function on, with the faults that hit it.
func (d *Database) disturbed(r *http.Request, body []byte, call *Call, identity Identity) answered {
	hit, err := d.faults.choose(call.Operation, identity.HTTPRequestID, identity.Faults)
	if err != nil {
		d.Log(err.Error())
		return internalError().answer(call)
	}
	var held map[string]json.RawMessage
	after := false
	for _, f := range hit {
		call.Faults = append(call.Faults, f.Kind)
		switch f.Kind {
		case Latency:
			timer := time.NewTimer(time.Duration(f.DelayMS) * time.Millisecond)
			select {
			case <-timer.C:
			case <-r.Context().Done():
				timer.Stop()
			}
		case DropBefore:
			return answered{dropped: true}
		case DropAfter:
			after = true
		case UnprocessedKeys, UnprocessedItems:
			if held == nil {
				body, held = withhold(call.Operation, body)
			}
			if held == nil {
				return injected[Throughput].answer(call) // as when nothing could be processed
			}
		default:
			return injected[f.Kind].answer(call)
		}
	}
	out := d.forward(r, body, call)
	if out.status == http.StatusOK && held != nil {
		out.body = release(call.Operation, out.body, held)
	}
	out.dropped = after
	return out
}

// admit evaluates the policies.
func (d *Database) admit(r *http.Request, body []byte, call *Call, identity Identity) *fault {
	target := targetOf(r)
	if !target.known() || len(r.Header.Values("X-Amz-Target")) != 1 {
		return &fault{
			http.StatusBadRequest,
			coral + "UnknownOperationException",
			"The operation is not one of the DynamoDB API that the local cloud judges: " + r.Header.Get(
				"X-Amz-Target",
			),
		}
	}
	requests, err := d.requested(r.Context(), target, body)
	var f *fault
	switch {
	case errors.Is(err, errBusy):
		return internalError()
	case errors.As(err, &f):
		return f
	case err != nil:
		return &fault{http.StatusBadRequest, validation, err.Error()}
	}
	for _, q := range requests {
		call.Actions = append(call.Actions, q.Action)
		call.Resources = append(call.Resources, q.Resource)
	}
	return d.judge(requests, identity, call)
}

// byCode marks a request as one that a function's code makes.
func (d *Database) byCode(q iam.Request, identity Identity) iam.Request {
	if identity.Function == "" {
		return q
	}
	out := iam.Request{
		Action:   q.Action,
		Resource: q.Resource,
		Context:  maps.Clone(q.Context),
	}
	if out.Context == nil {
		out.Context = map[string][]string{}
	}
	name, _, _ := strings.Cut(identity.Function, ":")
	out.Context[iam.SourceFunction] = []string{
		"arn:aws:lambda:" + d.Region + ":" + d.AccountID + ":function:" + name,
	}
	return out
}

// fault is an error that the gate answers itself.
type fault struct {
	status        int
	code, message string
}

// internalError is what clients try again.
func internalError() *fault {
	return &fault{
		http.StatusInternalServerError,
		"com.amazonaws.dynamodb.v20120810#InternalServerError",
		"The request processing has failed because of an internal error",
	}
}

func (f *fault) answer(call *Call) answered {
	call.ErrorCode = f.code[strings.LastIndex(f.code, "#")+1:]
	body := map[string]string{"__type": f.code, "message": f.message}
	if f.message == "" {
		delete(body, "message")
	}
	return answered{status: f.status, body: must(body)}
}

func send(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/x-amz-json-1.0")
	h.Set("X-Amzn-Requestid", strings.ToUpper(strings.ReplaceAll(uuid.NewString(), "-", "")))
	h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// A client that is gone does not want it.
	_, _ = w.Write(body)
}

// forward sends the request to the database under the namespace key.
func (d *Database) forward(r *http.Request, body []byte, call *Call) answered {
	target, request := targetOf(r), body
	body, wrong := d.inward(target, body)
	if wrong != nil {
		return wrong.answer(call)
	}
	body, hide := metered(call.Operation, body)
	status, body, err := d.exchange(r, call.Operation, body)
	if err != nil {
		// The database is being started again: an error that clients retry.
		return internalError().answer(call)
	}
	if status >= 300 {
		var e struct {
			Type string `json:"__type"`
		}
		if json.Unmarshal(body, &e) == nil {
			call.ErrorCode = e.Type[strings.LastIndex(e.Type, "#")+1:]
		}
	} else {
		body = consumed(call, body, hide)
	}
	switch call.Operation {
	case "CreateTable", "DeleteTable", "UpdateTable":
		d.schemas.forget()
		if status == http.StatusOK {
			d.noteTable(call.Operation, request)
		}
	}
	return answered{status: status, body: d.outward(target, body)}
}

// exchange sends a request and reads the answer. It returns when what was
// acknowledged is on disk.
func (d *Database) exchange(
	r *http.Request,
	operation string,
	body []byte,
) (status int, out []byte, err error) {
	d.pause.RLock()
	defer d.pause.RUnlock()
	running := d.running()
	// A call goes on when its client has gone, as on AWS.
	q, err := http.NewRequestWithContext(
		context.WithoutCancel(r.Context()),
		http.MethodPost,
		d.upstream(),
		bytes.NewReader(body),
	)
	if err != nil {
		return 0, nil, err
	}
	for _, h := range []string{"X-Amz-Target", "Content-Type", "X-Amz-Date"} {
		q.Header.Set(h, r.Header.Get(h))
	}
	scope := d.namespace + "/" + d.Now().UTC().Format("20060102") + "/" + d.Region + "/dynamodb/aws4_request"
	q.Header.Set(
		"Authorization",
		"AWS4-HMAC-SHA256 Credential="+scope+", SignedHeaders=host;x-amz-date, Signature="+strings.Repeat(
			"0",
			64,
		),
	)
	resp, err := d.transport.RoundTrip(q)
	if err != nil {
		return 0, nil, err
	}
	out, err = io.ReadAll(resp.Body)
	if err == nil && unsettled(operation, resp.StatusCode) {
		err = d.settle(r.Context(), running)
	}
	return resp.StatusCode, out, errors.Join(err, resp.Body.Close())
}
