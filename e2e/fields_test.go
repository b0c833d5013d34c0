package e2e

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"items-api/e2e/rest"
	"items-api/internal/api"
	"items-api/internal/field"
	"items-api/internal/field/fieldtest"
)

// By the declared type, so that a field that is added there is tested.
func TestEveryFieldComesBackAsItWasSent(t *testing.T) {
	t.Parallel()
	of, err := field.Of(reflect.TypeFor[api.ItemInput]())
	if err != nil {
		t.Fatal(err)
	}
	run := create(t, "for keys of its own").ID
	samples := fieldtest.Objects(of)
	for i, s := range samples {
		compare := func(by string, a rest.Answer, body []byte) {
			t.Helper()
			if lost := s.Lost(body); lost != "" {
				t.Errorf("%s of %s gave %s: %s", by, s.JSON, a.Body, lost)
			}
		}
		made := call(t, "POST", "/items", s.JSON).Want(t, 201)
		compare("create", made, made.Body)
		at := made.Header.Get("Location")
		got := call(t, "GET", at, nil).Want(t, 200)
		compare("get", got, got.Body)
		other := samples[(i+1)%len(samples)]
		call(t, "PUT", at, other.JSON).Want(t, 200)
		replaced := call(t, "PUT", at, s.JSON).Want(t, 200)
		compare("replace", replaced, replaced.Body)
		for range 2 {
			keyed := call(t, "POST", "/items", s.JSON, "Idempotency-Key", fmt.Sprint(run, i)).Want(t, 201)
			compare("create with a key", keyed, keyed.Body)
		}
		wrote := call(t, "POST", "/items/batch-write", `{"entries":[{"create":`+s.JSON+`}]}`).Want(t, 200)
		id := rest.Decode[api.BatchWriteResponse](t, wrote).Results[0].ID
		read := call(t, "POST", "/items/batch-get", api.BatchGetRequest{IDs: []string{id}}).Want(t, 200)
		compare("batches", read, within(read.Body))
		call(t, "DELETE", "/items/"+id, nil).Want(t, 204)
		call(t, "DELETE", at, nil).Want(t, 204)
	}
}

// within returns the items of a list of one.
func within(body []byte) []byte {
	text := string(body)
	from, to := strings.Index(text, `"items":[`), strings.LastIndex(text, `],"missing"`)
	if from < 0 || to < 0 {
		return body
	}
	return []byte(text[from+len(`"items":[`) : to])
}

func TestTextThatIsNotUnicodeIsRefused(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"byte":           "{\"name\":\"a\xff\"}",
		"byte in a name": "{\"name\":\"a\",\"attributes\":{\"\xff\":1}}",
		"surrogate":      `{"name":"a\ud800"}`,
		"two surrogates": `{"name":"a","attributes":{"\udc00\ud800":1}}`,
	} {
		a := call(t, "POST", "/items", body, "Idempotency-Key", "unicode").Want(t, 400)
		if p := rest.Decode[api.Problem](t, a); p.Code != api.InvalidBody {
			t.Errorf("%s: got %s", name, a.Body)
		}
	}
	whole := call(t, "POST", "/items", `{"name":"a\ud83d\ude00\ufffd"}`).Want(t, 201)
	if it := rest.Decode[api.Item](t, whole); it.Name != "a\U0001F600\ufffd" {
		t.Errorf("got %q", it.Name)
	}
}
