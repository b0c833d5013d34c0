package field_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"items-api/internal/field"
	"items-api/internal/field/fieldtest"
)

func every(t testing.TB) *field.Type {
	t.Helper()
	of, err := field.Of(reflect.TypeFor[fieldtest.Every]())
	if err != nil {
		t.Fatal(err)
	}
	if err := of.Sendable(); err != nil {
		t.Fatal(err)
	}
	return of
}

func TestEveryKindComesBackAsItWasSent(t *testing.T) {
	t.Parallel()
	samples := fieldtest.Objects(every(t))
	seen := map[string]bool{}
	for _, s := range samples {
		seen[s.Field] = true
		var v fieldtest.Every
		problems, err := field.Decode([]byte(s.JSON), &v)
		if err != nil || len(problems) > 0 {
			t.Errorf("%s was refused: %v, %v", s.JSON, problems, err)
			continue
		}
		data, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%s cannot be written: %v", s.JSON, err)
		} else if lost := s.Lost(data); lost != "" {
			t.Errorf("%s became %s: %s", s.JSON, data, lost)
		}
	}
	if len(seen) != len(every(t).Fields) {
		t.Errorf("only the fields %v have samples", seen)
	}
	t.Logf("%d samples of %d fields", len(samples), len(seen))
}

func TestWhatBreaksAConstraintIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ member, path, message string }{
		{`"text":""`, "/text", "at least 1 characters"},
		{`"text":"äääää😀"`, "/text", "at most 5 characters, not 6"},
		{`"text":null`, "/text", "must be a string"},
		{`"text":1`, "/text", "must be a string"},
		{`"optional":null`, "/optional", "must be a string"},
		{`"filled":"x"`, "/filled", "at least 2"},
		{`"colour":"blue"`, "/colour", `one of "red"`},
		{`"itemId":"01A20E01-F111-7A4A-B65A-DBD82BDE526B"`, "/itemId", "no item id"},
		{`"time":"2024-02-30T00:00:00Z"`, "/time", "RFC 3339"},
		{`"time":"2024-02-28T0:00:00Z"`, "/time", "RFC 3339"},
		{`"time":"2024-02-28T00:00:00,5Z"`, "/time", "RFC 3339"},
		{`"time":"2024-02-28T00:00:00+25:00"`, "/time", "RFC 3339"},
		{`"day":"2023-02-29"`, "/day", "2006-01-02"},
		{`"code":"ab-1"`, "/code", "the pattern ^[A-Z]{2}"},
		{`"int":1.5`, "/int", "whole number"},
		{`"int":"1"`, "/int", "whole number"},
		{`"int":9223372036854775808`, "/int", "64 bits"},
		{`"int":1e1000000000000`, "/int", "64 bits"},
		{`"int8":128`, "/int8", "at most 127"},
		{`"int8":-129`, "/int8", "at least -128"},
		{`"uint":-1`, "/uint", "at least 0"},
		{`"uint8":256`, "/uint8", "at most 255"},
		{`"uint64":18446744073709551616`, "/uint64", "64 bits"},
		{`"float64":1e309`, "/float64", "more digits"},
		{`"float64":0.12345678901234567890`, "/float64", "more digits"},
		{`"float64":1e-400`, "/float64", "more digits"},
		{`"float32":16777217`, "/float32", "32 bits"},
		{`"float64":true`, "/float64", "must be a number"},
		{`"percent":100.00000000000000000000001`, "/percent", "at most 100"},
		{`"percent":-1`, "/percent", "at least 0"},
		{`"between":5`, "/between", "less than 5"},
		{`"between":-5`, "/between", "more than -5"},
		{`"size":3`, "/size", "one of 1, 2, -3"},
		{`"half":0.51`, "/half", "one of 0.5"},
		{`"count":0`, "/count", "at least 1"},
		{`"flag":"true"`, "/flag", "true or false"},
		{`"maybe":null`, "/maybe", "true or false"},
		{`"strings":["a","b","c","d"]`, "/strings", "at most 3 elements"},
		{`"strings":["abc"]`, "/strings/0", "at most 2 characters"},
		{`"strings":null`, "/strings", "must be a list"},
		{`"needed":[-2]`, "/needed/0", "at least -1"},
		{`"needed":[null]`, "/needed/0", "whole number"},
		{`"matrix":[[]]`, "/matrix/0", "at least 1 elements"},
		{`"matrix":[[10]]`, "/matrix/0/0", "at most 9"},
		{`"places":[{"city":""}]`, "/places/0/city", "at least 1 characters"},
		{`"places":[{}]`, "/places/0", "at least 1 fields"},
		{`"places":[{"city":"x","town":1}]`, "/places/0/town", "not known"},
		{`"place":{"city":"x","zip":"123456"}`, "/place/zip", "the pattern"},
		{`"labels":{}`, "/labels", "at least 1 fields"},
		{`"labels":{"a/b":""}`, "/labels/a~1b", "at least 1 characters"},
		{`"scores":{"a":[1,2,3]}`, "/scores/a", "at most 2 elements"},
		{`"free":{"a":"` + strings.Repeat("x", 2000) + `"}`, "/free", "at most 2000 bytes"},
		{`"some":null`, "/some", "must not be null"},
		{`"nested":{"b":1}`, "/nested/b", "not known"},
		{`"text":"a","text":"b"`, "/text", "stands twice"},
		{`"Text":"a"`, "/Text", "not known"},
	} {
		body := `{"needed":[],` + c.member + `}`
		if strings.Contains(c.member, `"needed"`) {
			body = "{" + c.member + "}"
		}
		var v fieldtest.Every
		problems, err := field.Decode([]byte(body), &v)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, p := range problems {
			found = found || p.Path == c.path && strings.Contains(p.Message, c.message)
		}
		if !found {
			t.Errorf("%s: got %v, want %s: %s", c.member, problems, c.path, c.message)
		}
	}
}

func TestTextsAreReadAsTheirKinds(t *testing.T) {
	t.Parallel()
	type query struct {
		Limit int      `json:"limit"           minimum:"1" maximum:"100" default:"20"`
		After *string  `json:"after,omitempty"`
		Ratio *float64 `json:"ratio,omitempty"`
		Open  *bool    `json:"open,omitempty"`
	}
	for _, c := range []struct {
		in   map[string]string
		want string // as JSON, or what is wrong
	}{
		{nil, `{"limit":20}`},
		{
			map[string]string{"limit": "100", "after": "", "ratio": "0.5", "open": "false"},
			`{"limit":100,"after":"","ratio":0.5,"open":false}`,
		},
		{map[string]string{"limit": "101"}, "limit: it must be at most 100"},
		{map[string]string{"limit": "0"}, "limit: it must be at least 1"},
		{map[string]string{"limit": "ten"}, "limit: it must be a whole number"},
		{map[string]string{"limit": ""}, "limit: it must be a whole number"},
		{map[string]string{"limit": "1,2"}, "limit: it must be a whole number"},
		{map[string]string{"ratio": "NaN"}, "ratio: it must be a number"},
		{map[string]string{"open": "1"}, "open: it must be true or false"},
		{map[string]string{"a/b~c": "x"}, "a/b~c: the parameter is not known"},
	} {
		var q query
		problems, err := field.DecodeText(c.in, &q)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(q)
		got := string(data)
		if len(problems) > 0 {
			got = problems[0].Path + ": " + problems[0].Message
		}
		if err != nil || got != c.want {
			t.Errorf("%v gave %s, want %s", c.in, got, c.want)
		}
	}
}

// FuzzDecode checks that what is accepted is kept as it was sent.
func FuzzDecode(f *testing.F) {
	for _, s := range fieldtest.Objects(every(f)) {
		f.Add([]byte(s.JSON))
	}
	f.Add([]byte(`{"text":"\ud83d\ude00","needed":[1],"free":{"a":"\\ud800"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v fieldtest.Every
		problems, err := field.Decode(data, &v)
		if err != nil {
			t.Fatal(err)
		}
		if len(problems) > 0 || fieldtest.Incomparable(data) {
			return
		}
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if lost := (fieldtest.Sample{JSON: string(data)}).Lost(out); lost != "" {
			t.Errorf("%q became %q: %s", data, out, lost)
		}
	})
}
