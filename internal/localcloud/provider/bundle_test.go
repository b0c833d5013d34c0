package provider

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"
)

// program writes a directory with an archive and a directory of the same files.
func program(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	files := filepath.Join(dir, "files")
	if err := os.Mkdir(files, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(files, "bootstrap"), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "code.zip"))
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	w, err := z.Create("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// bootstrap returns the text of the file of that name in a zip.
func bootstrap(t *testing.T, data []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open("bootstrap")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// in returns a call of an engine whose program is in a directory.
func in(t *testing.T, dir string) context.Context {
	t.Helper()
	if dir == "" {
		return t.Context()
	}
	return metadata.NewIncomingContext(t.Context(), metadata.Pairs("local-cloud-directory-bin", dir))
}

// checkIn checks a function with an archive that the engine has read in a
// directory, and returns what is wrong with it.
func checkIn(t *testing.T, s *Server, read, said, path string) (*structpb.Struct, string) {
	t.Helper()
	a, err := archive.FromPathWithWD(path, read)
	if err != nil {
		t.Fatal(err)
	}
	role, _, _ := create(t, s, roleType, "r-"+s.p.ID(4), props(map[string]any{"assumeRolePolicy": trust}))
	code := resource.PropertyMap{
		"code":    resource.NewProperty(a),
		"role":    resource.NewProperty("arn:aws:iam::000000000000:role/" + role),
		"handler": resource.NewProperty("bootstrap"),
		"runtime": resource.NewProperty("provided.al2023"),
	}
	r, err := s.Check(
		in(t, said),
		&pulumirpc.CheckRequest{
			Urn:        urn(functionType, "f"),
			News:       encode(t, code),
			RandomSeed: []byte("seed"),
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, f := range r.Failures {
		problems = append(problems, f.Property+": "+f.Reason)
	}
	return r.Inputs, strings.Join(problems, "\n")
}

func TestRelativeArchiveIsReadWhereTheProgramIs(t *testing.T) {
	right := program(t, "right")
	t.Chdir(program(t, "wrong")) // where the cloud runs
	for _, path := range []string{"code.zip", "files"} {
		s, cloud := server(t)
		inputs, problems := checkIn(t, s, right, right, path)
		if problems != "" {
			t.Fatalf("%s: %s", path, problems)
		}
		r, err := s.Create(
			in(t, right),
			&pulumirpc.CreateRequest{Urn: urn(functionType, "f"), Properties: inputs},
		)
		if err != nil {
			t.Fatal(err)
		}
		if got := bootstrap(t, cloud.zip); got != "right" {
			t.Errorf("%s: another file was deployed: %q", path, got)
		}
		sent := r.Properties.Fields["code"].GetStructValue().Fields["path"].GetStringValue()
		if sent != path {
			t.Errorf("the engine is told the path %q instead of its own", sent)
		}
	}
}

func TestArchiveWithAnotherHashIsRefused(t *testing.T) {
	right := program(t, "right")
	wrong := program(t, "wrong")
	t.Chdir(wrong)
	empty := t.TempDir()
	cases := []struct{ name, said, path, want string }{
		{
			"attached without a directory",
			"",
			"code.zip",
			"PULUMI_DEBUG_PROVIDERS the engine does not say where the program is",
		},
		{"a directory without a directory", "", "files", "is not what the program gives"},
		{"changed since", wrong, "code.zip", "deploy again"},
		{"changed files since", wrong, "files", "deploy again"},
		{"not there", empty, "code.zip", "code.zip in " + empty},
	}
	for _, c := range cases {
		s, cloud := server(t)
		inputs, problems := checkIn(t, s, right, c.said, c.path)
		if !strings.Contains(problems, "code: ") || !strings.Contains(problems, c.want) {
			t.Errorf("%s: the preview says %q", c.name, problems)
		}
		if inputs.Fields["code"] == nil {
			inputs = encode(t, resource.PropertyMap{})
		}
		_, err := s.Create(
			in(t, c.said),
			&pulumirpc.CreateRequest{Urn: urn(functionType, "f"), Properties: inputs},
		)
		if err == nil || len(cloud.zip) > 0 {
			t.Errorf("%s: %v, and deployed was %q", c.name, err, cloud.zip)
		}
	}
	s, _ := server(t)
	if _, problems := checkIn(t, s, right, "", filepath.Join(right, "code.zip")); problems != "" {
		t.Errorf("an absolute path is refused: %s", problems)
	}
}

func TestArchiveWithoutAHashIsRefused(t *testing.T) {
	t.Parallel()
	dir := program(t, "right")
	b := &bundle{Archive: &archive.Archive{Path: filepath.Join(dir, "code.zip")}, dir: dir}
	if _, err := b.zip(); err == nil || !strings.Contains(err.Error(), "sends no hash") {
		t.Errorf("got %v", err)
	}
}
