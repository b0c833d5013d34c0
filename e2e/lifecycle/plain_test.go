package lifecycle

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"items-api/internal/build"
	"items-api/stack"
)

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
	"Principal":{"Service":"lambda.amazonaws.com"}}]}`

// function is a program with a function in an archive whose path is relative.
func function(ctx *pulumi.Context) error {
	team, err := aws.NewProvider(ctx, "team", &aws.ProviderArgs{
		Region: pulumi.String("us-east-1"),
		DefaultTags: aws.ProviderDefaultTagsArgs{
			Tags: pulumi.StringMap{"team": pulumi.String("a"), "stage": pulumi.String("dev")},
		},
	})
	if err != nil {
		return err
	}
	role, err := iam.NewRole(ctx, "role", &iam.RoleArgs{
		AssumeRolePolicy: pulumi.String(trust),
		Tags:             pulumi.StringMap{"stage": pulumi.String("prod")},
	}, pulumi.Provider(team))
	if err != nil {
		return err
	}
	f, err := lambda.NewFunction(ctx, "function", &lambda.FunctionArgs{
		Role:    role.Arn,
		Runtime: pulumi.String("provided.al2023"),
		Handler: pulumi.String("bootstrap"),
		Code:    pulumi.NewFileArchive("code.zip"),
	})
	if err != nil {
		return err
	}
	ctx.Export("hash", f.CodeSha256)
	//lint:ignore SA1019 it alone has the default tags too
	ctx.Export("tags", role.TagsAll)
	//lint:ignore SA1019 it alone has the default tags too
	ctx.Export("plain", f.TagsAll)
	return nil
}

// pack writes code.zip into a directory and returns the hash that Lambda shows.
func pack(t *testing.T, dir, text string) string {
	t.Helper()
	file := filepath.Join(dir, "code.zip")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	header := &zip.FileHeader{Name: "bootstrap"}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err == nil {
		_, err = w.Write([]byte("#!/bin/sh\n# " + runtime.GOARCH + text + "\n"))
	}
	if err = errors.Join(err, z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// The directory of `serve` has another archive of the same name. The SDK reads
// the file too, in the directory of this process.
func TestProgramsGetTheirOwnFilesAndTags(t *testing.T) {
	p := clone(t)
	u := serving(t, p)
	wrong := pack(t, p.Dir, "wrong")
	someone := newUser(t, u)
	t.Chdir(someone.work)
	right := pack(t, someone.work, "right")
	s := someone.stack(t, "another", "dev", function)
	out := up(t, s).Outputs
	if out["hash"].Value != right {
		t.Errorf(
			"the function has the hash %v, want %s; that of the other file is %s",
			out["hash"].Value,
			right,
			wrong,
		)
	}
	if got, err := json.Marshal(out["tags"].Value); err != nil ||
		string(got) != `{"stage":"prod","team":"a"}` {
		t.Errorf("all tags of the role are %s, %v", got, err)
	}
	if got, err := json.Marshal(out["plain"].Value); err != nil || string(got) != `{}` {
		t.Errorf("a function of another provider has the tags %s, %v", got, err)
	}

	// Started again, with the same lines in the user's shell.
	if err := u.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Preview(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "is not running: start it again") {
		t.Errorf("without a cloud the preview gave %v", err)
	}
	serving(t, p)
	right = pack(t, someone.work, "changed")
	if got := up(t, s).Outputs["hash"].Value; got != right {
		t.Errorf("after a restart the function has the hash %v, want %s", got, right)
	}

	// Attached without a plug-in: nothing says where the program is.
	other := user{work: someone.work, env: plain(t, attached(t, p)), root: someone.root}
	again := other.stack(t, "another", "attached", function)
	_, err := again.Preview(t.Context())
	if err == nil || !strings.Contains(err.Error(), "is not what the program gives") {
		t.Errorf("another file of the same name was taken: %v", err)
	}
	pack(t, p.Dir, "changed")
	if _, err := again.Preview(t.Context()); err != nil {
		t.Errorf("the same file was refused: %v", err)
	}
	destroyed(t, s)
}

func TestCommandsKnowAStackOfThePlainCommand(t *testing.T) {
	t.Parallel()
	p := clone(t)
	someone := newUser(t, serving(t, p))
	s := someone.stack(t, stack.Namespace, "dev", stack.Deploy)
	for key, value := range map[string]string{
		"aws:region":                            "us-east-1",
		stack.Namespace + ":architecture":       "host",
		stack.Namespace + ":auth":               `{"mode":"cognito"}`,
		stack.Namespace + ":network":            `{"private":true}`,
		stack.Namespace + ":deletionProtection": "false",
	} {
		if err := s.SetConfig(t.Context(), key, auto.ConfigValue{Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	pool := up(t, s).Outputs["userPoolId"].Value
	env := []string{}
	for k, v := range someone.env {
		env = append(env, k+"="+v)
	}
	text, err := p.RunWith(env, "outputs", "--stack", "dev")
	var out map[string]any
	if err != nil || json.Unmarshal([]byte(text), &out) != nil || out["userPoolId"] != pool || pool == nil {
		t.Errorf("the outputs are %v\n%s", err, text)
	}
	token, err := p.RunWith(env, "token", "--stack", "dev")
	if err != nil || strings.Count(token, ".") != 2 {
		t.Errorf("the token is %q, %v", token, err)
	}
	if text, err := p.RunWith(env, "outputs", "--stack", "nobodys"); err == nil ||
		!strings.Contains(text, "nor does the plain pulumi command know it") {
		t.Errorf("an unknown stack gave %q, %v", text, err)
	}
}

// The engine reads the schema when it writes code for what was imported.
func TestSchemaIsValid(t *testing.T) {
	t.Parallel()
	root, err := build.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	options := &auto.PulumiCommandOptions{Root: filepath.Join(root, ".tools")}
	cli, err := auto.NewPulumiCommand(options)
	if err != nil {
		cli, err = auto.NewPulumiCommand(nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"PULUMI_HOME=" + t.TempDir(), "PULUMI_SKIP_UPDATE_CHECK=true"}
	check := func(file string) error {
		out, errs, _, err := cli.Run(t.Context(), root, nil, nil, nil, env, "schema", "check", file)
		if err != nil {
			t.Log(out, errs)
		}
		return err
	}
	file := filepath.Join(root, "internal", "localcloud", "provider", "schema.json")
	if err := check(file); err != nil {
		t.Errorf("the schema is refused: %v", err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "schema.json")
	const ref = "#/types/aws:dynamodb/TableAttribute:TableAttribute"
	text := strings.ReplaceAll(string(data), ref, ref+"s")
	if err := os.WriteFile(broken, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := check(broken); err == nil {
		t.Error("a schema with a type that does not exist is accepted")
	}
}

// The key in Pulumi.yaml is read by the engine, here with another version.
func TestAnEngineOfAnotherVersionIsRefused(t *testing.T) {
	t.Parallel()
	p := clone(t)
	file := filepath.Join(p.Dir, "Pulumi.yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const key = `requiredPulumiVersion: ">=`
	if !strings.Contains(string(data), key) {
		t.Fatalf("%s has no %s", file, key)
	}
	text := strings.ReplaceAll(string(data), key, key+"9")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := p.Run("preview"); err == nil ||
		!strings.Contains(out, "does not satisfy the version range") {
		t.Errorf("the preview gave %v\n%s", err, out)
	}
}
