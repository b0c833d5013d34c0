package iam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// unique refuses a document in which an object has a member twice, at any
// depth: readers do not agree on which one counts. Names that differ in case
// only are the same, as they are for the decoder. What is not JSON is left to
// the decoder, too.
func unique(doc []byte) error {
	if !json.Valid(doc) {
		return nil
	}
	return uniqueValue(json.NewDecoder(bytes.NewReader(doc)), "")
}

// uniqueValue reads one value of a valid document.
func uniqueValue(d *json.Decoder, path string) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	object := token == json.Delim('{')
	if !object && token != json.Delim('[') {
		return nil
	}
	seen := map[string]bool{}
	for i := 0; d.More(); i++ {
		at := fmt.Sprintf("%s[%d]", path, i)
		if object {
			if at, err = uniqueName(d, path, seen); err != nil {
				return err
			}
		}
		if err := uniqueValue(d, at); err != nil {
			return err
		}
	}
	_, err = d.Token() // the end of the object or list
	return err
}

// uniqueName reads the name of a member and returns the path to it.
func uniqueName(d *json.Decoder, path string, seen map[string]bool) (string, error) {
	token, err := d.Token()
	if err != nil {
		return "", err
	}
	name, _ := token.(string)
	at := strings.TrimPrefix(path+"."+name, ".")
	if seen[strings.ToLower(name)] {
		return "", fmt.Errorf("the member %s appears twice", at)
	}
	seen[strings.ToLower(name)] = true
	return at, nil
}
