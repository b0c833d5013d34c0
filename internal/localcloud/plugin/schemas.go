package plugin

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/proto"
)

// schemas remembers which schemas an engine was given, to remove the copies
// that it keeps: it keeps them by the name and the version of the real plug-in,
// which knows more types, and would use them for that one later. Source:
// schemaFilePath in pkg/codegen/schema/loader.go of github.com/pulumi/pulumi.
type schemas struct {
	mu    sync.Mutex
	given [][]byte
}

// saw takes the answer to a call if it is a schema.
func (s *schemas) saw(method string, answer []byte) {
	if method != pulumirpc.ResourceProvider_GetSchema_FullMethodName {
		return
	}
	var r pulumirpc.GetSchemaResponse
	if proto.Unmarshal(answer, &r) != nil || r.Schema == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.given = append(s.given, []byte(r.Schema))
}

// forget removes the copies from the directory where engines keep schemas.
func (s *schemas) forget(dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.given) == 0 || dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		file := filepath.Join(dir, e.Name())
		if s.isOurs(file) {
			errs = append(errs, os.Remove(file))
		}
	}
	return errors.Join(errs...)
}

func (s *schemas) isOurs(file string) bool {
	info, err := os.Stat(file)
	if err != nil {
		return false
	}
	for _, g := range s.given {
		if info.Size() != int64(len(g)) {
			continue
		}
		if data, err := os.ReadFile(file); err == nil && bytes.Equal(data, g) {
			return true
		}
	}
	return false
}

// schemaDir returns where the engine keeps schemas, "" if it keeps none.
func schemaDir() string {
	if home := os.Getenv("PULUMI_HOME"); home != "" {
		return filepath.Join(home, "schemas")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".pulumi", "schemas")
}
