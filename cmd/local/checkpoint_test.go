package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDamagedStateOfTheEngineIsMended(t *testing.T) {
	t.Parallel()
	const good, older = `{"version":3}`, `{"version":3,"checkpoint":{}}`
	cases := map[string]struct {
		files map[string]string
		want  string // of local.json; "" if it must not be there
		fails bool
	}{
		"nothing there": {nil, "", false},
		"sound": {map[string]string{
			"local.json":     good,
			"local.json.bak": older,
		}, good, false},
		"metadata half-written": {map[string]string{
			"local.json":           good,
			"local.json.attrs":     "",
			"local.json.bak.attrs": "{",
		}, good, false},
		"empty": {map[string]string{
			"local.json":     "",
			"local.json.bak": older,
		}, older, false},
		"cut off": {map[string]string{
			"local.json":     good[:5],
			"local.json.bak": older,
		}, older, false},
		"not completed": {map[string]string{
			"local.json":          good,
			"local.json.18a2.tmp": good[:3],
		}, good, false},
		"damaged without another": {map[string]string{"local.json": good[:5]}, good[:5], true},
		"both damaged": {map[string]string{
			"local.json":     good[:5],
			"local.json.bak": "",
		}, good[:5], true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &options{dir: t.TempDir(), stack: "local"}
			dir := filepath.Join(o.dir, "pulumi", ".pulumi", "stacks", project)
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for file, text := range c.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			err := o.mend()
			if (err != nil) != c.fails ||
				err != nil &&
					(!strings.Contains(err.Error(), "local.json") || !strings.Contains(err.Error(), "backup")) {
				t.Errorf("got the error %v", err)
			}
			data, err := os.ReadFile(filepath.Join(dir, "local.json"))
			if string(data) != c.want || (err != nil) != (c.want == "") {
				t.Errorf("the state is %q, %v, want %q", data, err, c.want)
			}
			for _, pattern := range []string{"*.attrs", "*.tmp"} {
				if left, err := filepath.Glob(filepath.Join(dir, pattern)); err != nil || len(left) > 0 {
					t.Errorf("%v is left, %v", left, err)
				}
			}
		})
	}
}
