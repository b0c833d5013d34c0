package dynamodb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"items-api/internal/localcloud/iam"
)

// maxRequest bounds a request in bytes: a batch of 16 MB in JSON.
const maxRequest = 32 << 20

// ServeHTTP checks a request and passes it on to the database.
func (d *Database) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := d.Now()
	call := Call{Time: begin}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	if err != nil {
		return // the client is gone
	}
	denied, identity := d.admit(r, body, &call)
	if denied != nil {
		call.Status, call.ErrorCode, call.Duration = denied.status, denied.code, d.Now().Sub(begin)
		denied.write(w)
		d.Observe(call)
		return
	}
	call.Allowed = true
	call.PrincipalARN, call.Function = identity.PrincipalARN, identity.Function
	d.forward(w, r, body, &call)
	call.Duration = d.Now().Sub(begin)
	d.Observe(call)
}

// admit verifies the signature and evaluates the policies.
func (d *Database) admit(r *http.Request, body []byte, call *Call) (*fault, Identity) {
	_, call.Operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	identity, denied := d.verify(r, body)
	call.PrincipalARN, call.Function = identity.PrincipalARN, identity.Function
	if denied != nil {
		return denied, identity
	}
	if identity.Admin {
		return nil, identity
	}
	requests, err := d.requests(r.Context(), call.Operation, body)
	if errors.Is(err, errBusy) {
		return internalError(), identity
	}
	if err != nil {
		return &fault{http.StatusBadRequest, "com.amazon.coral.validate#ValidationException", err.Error()}, identity
	}
	for _, q := range requests {
		call.Actions = append(call.Actions, q.Action)
		call.Resources = append(call.Resources, q.Resource)
	}
	for _, q := range requests {
		decision := iam.Evaluate(identity.Policies, q)
		if decision.Allowed {
			continue
		}
		reason := fmt.Sprintf("because no identity-based policy allows the %s action", q.Action)
		if decision.ExplicitDeny {
			reason = "with an explicit deny in an identity-based policy"
		}
		return &fault{http.StatusBadRequest, "com.amazon.coral.service#AccessDeniedException",
			fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", identity.PrincipalARN, q.Action, q.Resource, reason)}, identity
	}
	return nil, identity
}

// fault is an error that the gate answers itself.
type fault struct {
	status        int
	code, message string
}

// internalError is what clients try again.
func internalError() *fault {
	return &fault{http.StatusInternalServerError, "com.amazonaws.dynamodb.v20120810#InternalServerError", "The request processing has failed because of an internal error"}
}

func (f *fault) write(w http.ResponseWriter) {
	body, err := json.Marshal(map[string]string{"__type": f.code, "message": f.message})
	if err != nil {
		body = []byte("{}")
	}
	send(w, f.status, body)
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
func (d *Database) forward(w http.ResponseWriter, r *http.Request, body []byte, call *Call) {
	name := "arn:aws:dynamodb:" + d.Region + ":" + d.AccountID + ":table/"
	inner := "arn:aws:dynamodb:ddblocal:000000000000:table/"
	// A table may be named by its ARN; the database knows the bare name only.
	body = bytes.ReplaceAll(body, []byte(`"TableName":"`+name), []byte(`"TableName":"`))
	q, err := http.NewRequestWithContext(r.Context(), http.MethodPost, d.upstream(), bytes.NewReader(body))
	if err != nil {
		internalError().write(w)
		return
	}
	for _, h := range []string{"X-Amz-Target", "Content-Type", "X-Amz-Date"} {
		q.Header.Set(h, r.Header.Get(h))
	}
	date := d.Now().UTC().Format("20060102")
	q.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+d.namespace+"/"+date+"/"+d.Region+"/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature="+strings.Repeat("0", 64))
	resp, err := d.transport.RoundTrip(q)
	if err == nil {
		defer resp.Body.Close()
		body, err = io.ReadAll(resp.Body)
	}
	if err != nil {
		// The database is being started again: an error that clients retry.
		call.Status, call.ErrorCode = http.StatusInternalServerError, "InternalServerError"
		internalError().write(w)
		return
	}
	call.Status = resp.StatusCode
	if resp.StatusCode >= 300 {
		var e struct {
			Type string `json:"__type"`
		}
		if json.Unmarshal(body, &e) == nil {
			call.ErrorCode = e.Type[strings.LastIndex(e.Type, "#")+1:]
		}
	}
	switch call.Operation {
	case "CreateTable", "DeleteTable", "UpdateTable":
		d.schemas.forget()
	}
	// Only descriptions hold ARNs that the database made; items are left alone.
	if strings.Contains(call.Operation, "Table") || strings.Contains(call.Operation, "TimeToLive") || strings.Contains(call.Operation, "Tags") {
		body = bytes.ReplaceAll(body, []byte(inner), []byte(name))
	}
	send(w, resp.StatusCode, body)
}
