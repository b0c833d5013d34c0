package access

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakeAWS stands for the AWS CLI: it notes what it is asked for, a line for each
// argument, and answers a sign-in with a token of the local cloud.
const fakeAWS = `#!/bin/sh
printf '%s\n' "$@" -- >> "$ASKED"
if [ "$2" = admin-initiate-auth ]; then cat "$GIVEN"; fi
`

// What a deployment prints can be pasted as it stands: it makes a user and a
// token, and calls the API with that.
func TestPrintedLinesMakeAUserAndATokenAndCallTheAPI(t *testing.T) {
	t.Parallel()
	s := start(t, map[string]any{"auth": map[string]any{"mode": "cognito"}})
	dir := t.TempDir()
	asked, given := filepath.Join(dir, "asked"), filepath.Join(dir, "given")
	token := s.command(t, "token", "--sub", "alice")
	for file, text := range map[string]string{given: token + "\n", filepath.Join(dir, "aws"): fakeAWS} {
		if err := os.WriteFile(file, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	signIn, ok := s.outputs["signIn"].(string)
	if !ok {
		t.Fatal("the deployment does not say how to sign in")
	}
	cmd := exec.Command("sh", "-c", `eval "$1"; eval "$2"`, "sh", signIn, s.outputs["tryIt"].(string))
	cmd.Env = append(os.Environ(),
		"PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"),
		"ASKED="+asked,
		"GIVEN="+given,
	)
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), `"name":"first"`) {
		t.Errorf("the printed lines gave %s, %v", out, err)
	}
	calls := calls(t, asked)
	pool, client := s.outputs["userPoolId"].(string), s.outputs["userPoolClientId"].(string)
	if len(calls) != 3 {
		t.Fatalf("the AWS CLI was asked for %q", calls)
	}
	for i, name := range []string{"admin-create-user", "admin-set-user-password", "admin-initiate-auth"} {
		c := calls[i]
		if c.positional != "cognito-idp "+name || c.options["--region"] != "us-east-1" ||
			c.options["--user-pool-id"] != pool {
			t.Errorf("call %d is %+v", i+1, c)
		}
	}
	password := calls[1].options["--password"]
	if len(password) < 12 || !strings.ContainsAny(password, "A") || !strings.ContainsAny(password, "a") ||
		!strings.ContainsAny(password, "0123456789") {
		t.Errorf("the pool's policy refuses the password %s", password)
	}
	if _, permanent := calls[1].options["--permanent"]; !permanent {
		t.Error("the user would have to change the password first")
	}
	want := "USERNAME=alice@example.com,PASSWORD=" + password
	if got := calls[2].options; got["--auth-parameters"] != want || got["--client-id"] != client ||
		got["--auth-flow"] != "ADMIN_USER_PASSWORD_AUTH" {
		t.Errorf("the user is signed in with %v", got)
	}

	// A stack whose users must not get lost does not offer it.
	s.change(t, map[string]any{"deletionProtection": true})
	if v, offered := s.outputs["signIn"]; offered {
		t.Errorf("a protected stack offers %v", v)
	}
	s.change(t, map[string]any{"deletionProtection": false})
}

// call is a call of the AWS CLI.
type call struct {
	positional string
	options    map[string]string
}

// calls reads what fakeAWS noted.
func calls(t *testing.T, file string) []call {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []call
	for _, text := range strings.Split(strings.TrimSuffix(string(data), "--\n"), "--\n") {
		c := call{options: map[string]string{}}
		option := ""
		for _, argument := range strings.Split(strings.TrimSpace(text), "\n") {
			switch {
			case strings.HasPrefix(argument, "--"):
				option = argument
				c.options[option] = ""
			case option != "":
				c.options[option] = argument
			default:
				c.positional = strings.TrimSpace(c.positional + " " + argument)
			}
		}
		out = append(out, c)
	}
	return out
}
