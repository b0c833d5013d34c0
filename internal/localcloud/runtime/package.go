package runtime

import (
	"archive/zip"
	"crypto/sha256"
	"debug/elf"
	"debug/macho"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
)

const (
	maxZipped   = 52428800
	maxUnzipped = 262144000
)

// CheckPackage tests a zip as Lambda does when a function is created. Whether
// there is a bootstrap is not checked: Lambda does not either.
func CheckPackage(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("reading the package: %w", err)
	}
	if info.Size() > maxZipped {
		return fmt.Errorf(
			"RequestEntityTooLargeException: Zipped size must be smaller than %d bytes, not %d",
			maxZipped,
			info.Size(),
		)
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		return errors.New(
			"InvalidParameterValueException: Could not unzip uploaded file. Please check your file, then " +
				"try to upload again.",
		)
	}
	defer z.Close()
	var sum uint64
	for _, f := range z.File {
		sum += f.UncompressedSize64
		if !filepath.IsLocal(strings.TrimSuffix(f.Name, "/")) {
			return fmt.Errorf(
				"InvalidParameterValueException: the package holds the path %q, which leads out of it",
				f.Name,
			)
		}
	}
	if sum >= maxUnzipped {
		return fmt.Errorf(
			"InvalidParameterValueException: Unzipped size must be smaller than %d bytes",
			maxUnzipped,
		)
	}
	return nil
}

// CheckRunnable tells whether this machine can run the bootstrap of a zip. A
// package without one is not judged.
func CheckRunnable(path string) error {
	z, err := zip.OpenReader(path)
	if err != nil {
		return fmt.Errorf("reading the package: %w", err)
	}
	defer z.Close()
	f, err := z.Open("bootstrap")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading bootstrap in the package: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return fmt.Errorf("reading bootstrap in the package: %w", err)
	}
	built := target(data)
	host := goruntime.GOOS + "/" + goruntime.GOARCH
	if built == "" || built == host {
		return nil
	}
	return fmt.Errorf("this machine (%s) cannot run the package's bootstrap, which is built for %s: "+
		"build the package for this machine when it is deployed here; the function's architectures can "+
		"stay as they are",
		host, built)
}

// target returns the system and processor that an executable is built for, or
// "" for a script, which its interpreter decides.
func target(data []byte) string {
	r := strings.NewReader(string(data))
	if f, err := elf.NewFile(r); err == nil {
		arch, ok := map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[f.Machine]
		if !ok {
			arch = f.Machine.String()
		}
		return "linux/" + arch
	}
	if f, err := macho.NewFile(r); err == nil {
		arch, ok := map[macho.Cpu]string{macho.CpuAmd64: "amd64", macho.CpuArm64: "arm64"}[f.Cpu]
		if !ok {
			arch = f.Cpu.String()
		}
		return "darwin/" + arch
	}
	if strings.HasPrefix(string(data), "MZ") {
		return "windows"
	}
	return ""
}

// unpack extracts a package once; its directory is named after its content.
func (r *Runtime) unpack(f Function) (string, error) {
	if f.Package == "" {
		return "", errors.New("there is no package")
	}
	sum := sha256.Sum256([]byte(f.SHA256))
	dir := filepath.Join(r.Dir, "task-"+hex.EncodeToString(sum[:16]))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	tmp, err := os.MkdirTemp(r.Dir, "unpack-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	z, err := zip.OpenReader(f.Package)
	if err != nil {
		return "", err
	}
	defer z.Close()
	for _, file := range z.File {
		if err := extract(tmp, file); err != nil {
			return "", fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, serr := os.Stat(dir); serr != nil {
			return "", err
		}
	}
	return dir, nil
}

func extract(dir string, f *zip.File) error {
	if !filepath.IsLocal(strings.TrimSuffix(f.Name, "/")) {
		return errors.New("the path leads out of the package")
	}
	path := filepath.Join(dir, filepath.FromSlash(f.Name))
	if f.FileInfo().IsDir() {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, f.Mode().Perm()|0o400)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
