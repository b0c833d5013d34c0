package api

import (
	"strings"
	"testing"
)

func TestTheDeclarationIsWhole(t *testing.T) {
	t.Parallel()
	if err := Check(); err != nil {
		t.Error(err)
	}
}

func TestDeclarationsThatCannotBeKeptAreRefusedByName(t *testing.T) {
	t.Parallel()
	type price struct {
		Amount chan int `json:"amount"`
	}
	type colour struct {
		Shade int `json:"shade,omitempty" multipleOf:"2"`
	}
	type lossy struct {
		Active bool `json:"active,omitempty"`
	}
	type listed struct {
		IDs []string `json:"ids,omitzero"`
	}
	for _, c := range []struct {
		route Route
		want  []string
	}{
		{Route{Request: price{}}, []string{"POST /x", "price.Amount", "chan int"}},
		{Route{Response: price{}}, []string{"price.Amount"}},
		{Route{Request: colour{}}, []string{"colour.Shade", "multipleOf"}},
		{Route{Request: lossy{}}, []string{"lossy.active", "loses"}},
		{Route{Response: lossy{}}, nil},
		{Route{Request: []string{}}, []string{"[]string", "not a struct"}},
		{Route{Query: listed{}}, []string{"query parameter ids", "array"}},
		{Route{PathParameters: ItemRef{}}, []string{"declares [id]"}},
		{Route{Path: "/x/{id}/{other}", PathParameters: ItemRef{}}, []string{"[id other]"}},
		{Route{Path: "/x/{id}"}, []string{"[id]"}},
		{Route{Path: "/x/{limit}", PathParameters: struct {
			Limit int `json:"limit"`
		}{}}, []string{"limit", "required"}},
	} {
		c.route.Method = "POST"
		if c.route.Path == "" {
			c.route.Path = "/x"
		}
		err := check([]Route{c.route})
		if (err == nil) != (c.want == nil) {
			t.Errorf("%+v: got %v", c.route, err)
		}
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: got %v, want %q", c.route, err, want)
			}
		}
	}
}
