package seeds

import (
	"reflect"
	"testing"
)

func TestInputsAreDividedByEmptyLines(t *testing.T) {
	t.Parallel()
	text := "string(\"a\\n\\xca\")\n[]byte(\"\")\n\nstring(\"(b)\")\n[]byte(\"\\x00\")\n"
	got, err := parse(text)
	want := [][]any{
		{"a\n\xca", []byte{}},
		{"(b)", []byte{0}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWhatIsNotAValueIsNamed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"go test fuzz v1", "int(1)", `string("a"`, `rune("a")`, "string(a)"} {
		if got, err := parse(text); err == nil {
			t.Errorf("%q gave %q", text, got)
		}
	}
}
