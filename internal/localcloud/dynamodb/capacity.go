package dynamodb

import (
	"bytes"
	"encoding/json"
	"slices"
)

// reads and writes are the operations that consume capacity.
var (
	reads  = []string{"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"}
	writes = []string{"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
)

const capacityMember = "ReturnConsumedCapacity"

// metered makes a request ask for the capacity that it consumes. It reports
// false when the request asks itself, or consumes none; then it is unchanged.
func metered(operation string, body []byte) ([]byte, bool) {
	if !slices.Contains(reads, operation) && !slices.Contains(writes, operation) {
		return body, false
	}
	var raw map[string]json.RawMessage
	if json.Unmarshal(body, &raw) != nil || raw == nil || raw[capacityMember] != nil {
		return body, false
	}
	comma := ","
	if len(raw) == 0 {
		comma = ""
	}
	begin := bytes.IndexByte(body, '{') + 1
	return slices.Concat(body[:begin], []byte(`"`+capacityMember+`":"TOTAL"`+comma), body[begin:]), true
}

// consumed takes the consumed capacity out of a response that the client did
// not ask it of, and notes it.
func consumed(call *Call, body []byte, hide bool) []byte {
	var raw map[string]json.RawMessage
	if json.Unmarshal(body, &raw) != nil || raw["ConsumedCapacity"] == nil {
		return body
	}
	type units struct{ CapacityUnits float64 }
	var all []units
	if json.Unmarshal(raw["ConsumedCapacity"], &all) != nil {
		var one units
		if json.Unmarshal(raw["ConsumedCapacity"], &one) == nil {
			all = []units{one}
		}
	}
	for _, u := range all {
		if slices.Contains(reads, call.Operation) {
			call.ReadUnits += u.CapacityUnits
		} else {
			call.WriteUnits += u.CapacityUnits
		}
	}
	if !hide {
		return body
	}
	delete(raw, "ConsumedCapacity")
	out, err := json.Marshal(raw)
	if err != nil {
		return body
	}
	return out
}
