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

// Constrained is embedded too, where its own constraint has no place.
type Constrained struct {
	_    struct{} `minProperties:"1"`
	Name *string  `                  json:"name,omitempty"`
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
			F *json.RawMessage `json:"f,omitempty"`
		}{}, []string{".F:", "*json.RawMessage", "null already"}},
		{struct {
			F *any `json:"f"`
		}{}, []string{".F:", "*interface {}", "null already"}},
		{struct {
			F []*any `json:"f,omitzero"`
		}{}, []string{".F[]:", "*interface {}"}},
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
			//lint:ignore SA5008 a name that encoding/json ignores is what is tested
			F string `json:"f'"`
		}{}, []string{".F ", "f'", "encoding/json"}},
		{struct {
			F string `json:"→"`
		}{}, []string{".F ", "→", "encoding/json"}},
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
			Constrained
		}{}, []string{".Constrained:", "minProperties"}},
		{struct {
			_ struct{} `maxLength:"1"`
		}{}, []string{"maxLength"}},
		{struct {
			F uint8 `json:"f" enum:"1,256"`
		}{}, []string{".F:", "enum", "256", "uint8"}},
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

// What is enforced can be seen: the limits of the type are among the constraints
// if the tags allow more.
func TestLimitsOfTheTypeHoldBesideThoseOfTheTags(t *testing.T) {
	t.Parallel()
	of, err := field.Of(reflect.TypeFor[struct {
		Below    uint8 `json:"below" minimum:"-5" maximum:"1000"`
		Open     int8  `json:"open" exclusiveMinimum:"-500" exclusiveMaximum:"500"`
		Narrower int8  `json:"narrower" exclusiveMinimum:"-5" maximum:"5"`
	}]())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][2]string{{"0", "255"}, {"-128", "127"}, {"", "5"}} {
		c := of.Fields[i].Type.Constraints
		if c.Minimum != want[0] || c.Maximum != want[1] {
			t.Errorf("%s is from %q to %q, want %q", of.Fields[i].Name, c.Minimum, c.Maximum, want)
		}
	}
}

func TestNamesAreEscapedInPaths(t *testing.T) {
	t.Parallel()
	var v struct {
		F *int `json:"a/b~c,omitempty" minimum:"3"`
	}
	problems, err := field.Decode([]byte(`{"a/b~c":1}`), &v)
	if err != nil || len(problems) != 1 || problems[0].Path != "/a~1b~0c" {
		t.Errorf("got %v, %v", problems, err)
	}
}
