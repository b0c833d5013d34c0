package api

import "items-api/internal/field"

// Decode reads a JSON body into the struct that v points to, strictly: unknown
// fields, wrong types, duplicate fields, text that is not Unicode, text after
// the document and broken constraints are errors. All bad fields, up to 100, are
// reported at once, in an *Error with the code InvalidBody.
func Decode(data []byte, v any) error {
	problems, err := field.Decode(data, v)
	return invalid(InvalidBody, problems, err)
}

// DecodeQuery reads query parameters likewise, DecodePath those of a path. The
// codes are InvalidQuery and InvalidID.
func DecodeQuery(parameters map[string]string, v any) error {
	problems, err := field.DecodeText(parameters, v)
	return invalid(InvalidQuery, problems, err)
}

// DecodePath reads the parameters of a path; see DecodeQuery.
func DecodePath(parameters map[string]string, v any) error {
	problems, err := field.DecodeText(parameters, v)
	return invalid(InvalidID, problems, err)
}

func invalid(code Code, problems []field.Problem, err error) error {
	if err != nil || len(problems) == 0 {
		return err
	}
	out := &Error{Code: code}
	for _, p := range problems {
		out.Fields = append(out.Fields, FieldError{p.Path, p.Message})
	}
	return out
}

// ValidID reports whether s has the form of an item id: a UUID of version 7,
// in lower case.
func ValidID(s string) bool { return field.UUIDv7(s) }
