package field_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"items-api/internal/field"
)

type loop struct {
	Next *loop `json:"next,omitempty"`
}

// Base is embedded in declarations that are wrong.
type Base struct {
	Name string `json:"name"`
}

// made is a struct with a string that go vet would not let through.
func made(name, pkg, tag string) any {
	return reflect.Zero(reflect.StructOf([]reflect.StructField{{
		Name:    name,
		PkgPath: pkg,
		Type:    reflect.TypeFor[string](),
		Tag:     reflect.StructTag(tag),
	}})).Interface()
}

// Each is a declaration of which something would not be enforced, kept or
// described: it is refused, by the field's name.
func TestWhatIsNotSupportedIsRefusedByName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		declared any
		want     []string
	}{
		{struct {
			F chan int `json:"f"`
		}{}, []string{".F:", "chan int"}},
		{struct {
			F func() `json:"f"`
		}{}, []string{".F:", "func"}},
		{struct {
			F complex128 `json:"f"`
		}{}, []string{".F:", "complex128"}},
		{struct {
			F [3]int `json:"f"`
		}{}, []string{".F:", "[3]int"}},
		{struct {
			F []byte `json:"f"`
		}{}, []string{".F:", "bytes"}},
		{struct {
			F time.Time `json:"f"`
		}{}, []string{".F:", "time.Time"}},
		{struct {
			F fmt.Stringer `json:"f"`
		}{}, []string{".F:", "Stringer"}},
		{struct {
			F **int `json:"f"`
		}{}, []string{".F:", "*int"}},
		{struct {
			F map[int]string `json:"f"`
		}{}, []string{".F:", "map[int]string"}},
		{struct {
			F map[string]chan int `json:"f"`
		}{}, []string{".F[]:", "chan int"}},
		{loop{}, []string{"loop.Next", "contains itself"}},
		{struct{ F string }{}, []string{".F ", "needs a name"}},
		{struct {
			F string `json:"-"`
		}{}, []string{".F ", "needs a name"}},
		{struct {
			F int `json:"f,string"`
		}{}, []string{".F:", `"string"`}},
		{made("f", "items-api/internal/field_test", `json:"f"`), []string{".f ", "not exported"}},
		{struct {
			F string `json:"f" multipleOf:"2"`
		}{}, []string{".F:", "the tag multipleOf is not supported"}},
		{struct {
			F string `json:"f" minLenght:"2"`
		}{}, []string{".F:", "the tag minLenght", "minLength"}},
		{struct {
			F string `json:"f" minimum:"2"`
		}{}, []string{".F:", "minimum", "string"}},
		{struct {
			F int `json:"f" minimum:"1.5"`
		}{}, []string{".F:", "minimum", "1.5"}},
		{struct {
			F string `json:"f" maxLength:"many"`
		}{}, []string{".F:", "maxLength", "many"}},
		{struct {
			F string `json:"f" format:"email"`
		}{}, []string{".F:", "email", "date-time"}},
		{struct {
			F string `json:"f" pattern:"(?i)a"`
		}{}, []string{".F:", "pattern", "(?i"}},
		{struct {
			F string `json:"f" pattern:"("`
		}{}, []string{".F:", "pattern"}},
		{struct {
			F int `json:"f" enum:"1,x"`
		}{}, []string{".F:", "enum", "x"}},
		{struct {
			F []string `json:"f" items.maximum:"1"`
		}{}, []string{".F[]:", "maximum"}},
		{struct {
			F []string `json:"f" item.maxLength:"1"`
		}{}, []string{".F:", "item.maxLength"}},
		{struct {
			F string `json:"f" required:"yes"`
		}{}, []string{".F:", "required", "yes"}},
		{struct {
			F string `json:"f" default:"a" maxLength:"0"`
		}{}, []string{".F:", "default"}},
		{struct {
			F int `json:"f" default:"x"`
		}{}, []string{".F:", "default"}},
		{struct {
			F int `json:"f" default:"1" required:"true"`
		}{}, []string{".F ", "required"}},
		{made("F", "", `json:"f" maxLength:2`), []string{".F:", "malformed"}},
		{made("F", "", `json:"f" json:"g"`), []string{".F:", "appears twice"}},
		{struct {
			Base
			Other string `json:"name"`
		}{}, []string{".name", "declared twice"}},
		{struct {
			*Base
		}{}, []string{".Base:", "embedded"}},
		{struct {
			_ struct{} `maxLength:"1"`
		}{}, []string{"maxLength"}},
		{struct {
			F chan int `json:"f"`
			G chan int `json:"g"`
		}{}, []string{".F:", ".G:"}},
	} {
		_, err := field.Of(reflect.TypeOf(c.declared))
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%T: got %v, want %q", c.declared, err, want)
			}
		}
	}
}

func TestFieldsThatWouldLoseWhatIsSentAreRefusedByName(t *testing.T) {
	t.Parallel()
	type inner struct {
		Flag bool `json:"flag,omitempty"`
	}
	for _, c := range []struct {
		declared any
		want     string // "" for none
	}{
		{struct {
			F string `json:"f,omitempty"`
		}{}, ".f loses a value that is zero"},
		{struct {
			F string `json:"f,omitempty" minLength:"1"`
		}{}, ""},
		{struct {
			F *string `json:"f,omitempty"`
		}{}, ""},
		{struct {
			F bool `json:"f,omitempty"`
		}{}, ".f loses a value that is zero"},
		{struct {
			F int `json:"f,omitzero" minimum:"-1"`
		}{}, ".f loses a value that is zero"},
		{struct {
			F int `json:"f,omitzero" exclusiveMinimum:"0"`
		}{}, ""},
		{struct {
			F []string `json:"f,omitempty"`
		}{}, ".f loses a value that is empty"},
		{struct {
			F []string `json:"f,omitzero"`
		}{}, ""},
		{struct {
			F []string `json:"f"`
		}{}, ".f would be null"},
		{struct {
			F map[string]any `json:"f,omitempty"`
		}{}, ".f loses a value that is empty"},
		{struct {
			F inner `json:"f" required:"true"`
		}{}, ".f.flag loses a value that is zero"},
		{struct {
			F []inner `json:"f,omitzero"`
		}{}, ".f[].flag loses a value that is zero"},
		{struct {
			F json.RawMessage `json:"f,omitempty"`
		}{}, ""},
	} {
		of, err := field.Of(reflect.TypeOf(c.declared))
		if err != nil {
			t.Fatal(err)
		}
		err = of.Sendable()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%T: got %v, want %q", c.declared, err, c.want)
		}
	}
}
