package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"items-api/internal/localcloud/provider"
)

const exported = `{"version":3,"deployment":{"manifest":{},"resources":[
	{"urn":"urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"},
	{"urn":"urn:pulumi:dev::shop::aws:iam/role:Role::r","id":"r-1"}]}}`

func TestStatesAreReadForTheCensus(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	own := filepath.Join(dir, "pulumi", ".pulumi", "stacks", "items")
	const checkpoint = `{"version":3,"checkpoint":{"stack":"organization/items/local","latest":{"resources":[
		{"urn":"urn:pulumi:local::items::aws:iam/role:Role::x","id":"x-1"}]}}}`
	err := errors.Join(
		os.MkdirAll(own, 0o700),
		os.WriteFile(filepath.Join(own, "local.json"), []byte(checkpoint), 0o600),
		os.WriteFile(
			filepath.Join(own, "new.json"),
			[]byte(`{"version":3,"checkpoint":{"stack":"organization/items/new"}}`),
			0o600,
		),
		os.WriteFile(filepath.Join(own, "local.json.bak"), []byte(`{`), 0o600),
		os.WriteFile(filepath.Join(dir, "dev.json"), []byte(exported), 0o600),
	)
	past := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err = errors.Join(err, os.Chtimes(filepath.Join(dir, "dev.json"), past, past)); err != nil {
		t.Fatal(err)
	}
	o := &options{dir: dir}
	c, err := o.census(
		strings.NewReader(""),
		cleaning{states: []string{filepath.Join(dir, "dev.json")}, gone: []string{"old/prod"}, yes: true},
	)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Remove || c.Items || len(c.States) != 4 {
		t.Fatalf("got %+v", c)
	}
	want := []provider.Known{
		{Project: "old", Stack: "prod", Origin: provider.Foreign, Taken: c.States[0].Taken},
		{
			Project: "shop", Stack: "dev", Origin: provider.Foreign, Taken: past,
			Resources: []provider.Held{
				{URN: "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"},
				{URN: "urn:pulumi:dev::shop::aws:iam/role:Role::r", ID: "r-1"},
			},
		},
		{
			Project: "items", Stack: "local", Origin: provider.Own, Taken: c.OwnTaken,
			Resources: []provider.Held{{URN: "urn:pulumi:local::items::aws:iam/role:Role::x", ID: "x-1"}},
		},
		{Project: "items", Stack: "new", Origin: provider.Own, Taken: c.OwnTaken},
	}
	if diff := cmp.Diff(want, c.States); diff != "" {
		t.Errorf("the states differ (-want +got):\n%s", diff)
	}
	if _, err := o.census(strings.NewReader(exported), cleaning{states: []string{"-"}}); err != nil {
		t.Errorf("from the input: %v", err)
	}
}

func TestStatesThatCannotJudgeAreRefused(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, text string
		gone       string
		want       string
	}{
		{"no JSON", "hello", "", "is not what `pulumi stack export` prints"},
		{"another document", `{"a":1}`, "", "has no deployment"},
		{"an array", `[]`, "", "is not what"},
		{"empty", `{"version":3,"deployment":{"manifest":{}}}`, "", "say --gone PROJECT/STACK"},
		{
			"not ended",
			`{"version":3,"deployment":{"pending_operations":[{}],"resources":[]}}`,
			"",
			"run `pulumi refresh`",
		},
		{"gone without a stack", exported, "shop", "takes PROJECT/STACK"},
		{"gone without a project", exported, "/dev", "takes PROJECT/STACK"},
	}
	for _, c := range cases {
		k := cleaning{states: []string{"-"}}
		if c.gone != "" {
			k.gone = []string{c.gone}
		}
		_, err := (&options{dir: t.TempDir()}).census(strings.NewReader(c.text), k)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	dir := t.TempDir()
	own := filepath.Join(dir, "pulumi", ".pulumi", "stacks", "items")
	err := os.MkdirAll(own, 0o700)
	if err = errors.Join(
		err,
		os.WriteFile(filepath.Join(own, "local.json"), []byte("{"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	if _, err := (&options{dir: dir}).census(strings.NewReader(""), cleaning{}); err == nil ||
		!strings.Contains(err.Error(), "`local deploy` repairs it") {
		t.Errorf("a damaged state gave %v", err)
	}
}

func TestLeftoversAreListedByURN(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	left := []provider.Leftover{
		{URN: "urn:a", ID: "1"},
		{URN: "urn:b", ID: "2", Keep: "it holds items"},
		{URN: "urn:c", ID: "3", Removed: true},
		{ID: "things"},
		{URN: "urn:pulumi:dev::shop::aws:iam/role:Role::r", ID: "5", Keep: "not given", Unjudged: true},
		{URN: "urn:pulumi:dev::shop::aws:iam/role:Role::s", ID: "6", Keep: "not given", Unjudged: true},
	}
	if err := (cleaning{}).print(&out, left); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"urn:a                     1       can be removed",
		"urn:b                     2       stays: it holds items",
		"urn:c                     3       removed",
		"a table without a record  things  can be removed",
		"2 of the stack shop/dev stay: its state is not given (--state, or --gone).",
		"2 can be removed: run this again with --yes.",
		"",
	}
	if diff := cmp.Diff(want, strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}
