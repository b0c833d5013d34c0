package gateway

import (
	"encoding/json"
	"fmt"
)

// decodeMember reads one member of a function's response, if it is there.
func decodeMember(fields map[string]json.RawMessage, name string, to any) error {
	raw, ok := fields[name]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// respond1 maps what a function returned, by the rules of payload format 1.0:
// an object with statusCode. Anything else is malformed. multiValueHeaders
// follow the headers of the same name. Sources: API Gateway developer guide,
// "Create AWS Lambda proxy integrations for HTTP APIs", and responses recorded
// from AWS, aws/aws-lambda-dotnet, Tools/LambdaTestTool-v2 (HttpV1).
func respond1(payload []byte) reply {
	var fields map[string]json.RawMessage
	if json.Unmarshal(payload, &fields) != nil || fields["statusCode"] == nil {
		return internalError(
			"the function's response is malformed: payload format 1.0 needs an object with statusCode",
		)
	}
	var multi map[string][]any
	if err := decodeMember(fields, "multiValueHeaders", &multi); err != nil {
		return internalError("the function's response is malformed: " + err.Error())
	}
	// Cookies are of format 2.0; here they are Set-Cookie headers.
	delete(fields, "cookies")
	out := described(fields)
	if out.err != "" {
		return out
	}
	for name, list := range multi {
		for _, v := range list {
			if text, ok := scalar(v); ok {
				out.setHeader(name, text)
			}
		}
	}
	return out
}
