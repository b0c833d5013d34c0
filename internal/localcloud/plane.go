package localcloud

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"items-api/internal/localcloud/gateway"
	"items-api/internal/localcloud/provider"
	"items-api/internal/localcloud/runtime"
	"items-api/internal/localcloud/state"
)

var (
	_ provider.Cloud  = (*Cloud)(nil)
	_ gateway.Invoker = (*Cloud)(nil)
)

// Tables returns the database's control plane. What the gate remembers of
// tables is dropped, since the caller may change them.
func (c *Cloud) Tables() provider.Tables {
	c.database.Forget()
	return c.database.Client()
}

// EraseAfter leaves nothing of tables that drop deletes on disk.
func (c *Cloud) EraseAfter(ctx context.Context, drop func() error) error {
	return c.database.EraseAfter(ctx, drop)
}

const latest = "$LATEST"

// CheckPackage tests a zip as Lambda does, and whether this machine can run it.
func (c *Cloud) CheckPackage(zip []byte) error {
	file, err := os.CreateTemp(c.Dir, "check-*.zip")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(zip)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := runtime.CheckPackage(file.Name()); err != nil {
		return err
	}
	return runtime.CheckRunnable(file.Name())
}

// StorePackage keeps a zip under a name made from its content.
func (c *Cloud) StorePackage(zip []byte) (provider.Package, error) {
	if err := c.CheckPackage(zip); err != nil {
		return provider.Package{}, err
	}
	sum := sha256.Sum256(zip)
	path := filepath.Join(c.Dir, "packages", hex.EncodeToString(sum[:])+".zip")
	pkg := provider.Package{
		Path:   path,
		SHA256: base64.StdEncoding.EncodeToString(sum[:]),
		Size:   int64(len(zip)),
	}
	if _, err := os.Stat(path); err == nil {
		return pkg, nil
	}
	return pkg, state.WriteFile(path, zip, 0o600)
}

// prunePackages removes packages that no function uses any more.
func (c *Cloud) prunePackages() error {
	used := map[string]bool{}
	for _, name := range c.provider.Functions() {
		packages, err := c.provider.Packages(name)
		if err != nil {
			return err
		}
		for _, p := range packages {
			used[p] = true
		}
	}
	for _, pattern := range []string{"packages/*", "check-*.zip"} {
		found, err := fs.Glob(os.DirFS(c.Dir), pattern)
		if err != nil {
			return err
		}
		for _, name := range found {
			f := filepath.Join(c.Dir, name)
			if used[f] {
				continue
			}
			if err := os.Remove(f); err != nil {
				return fmt.Errorf("removing an unused package: %w", err)
			}
		}
	}
	return nil
}

// ApplyFunction gives the runtime a function as its record is, and the versions
// that its aliases point to. A version that none points to any more ends.
func (c *Cloud) ApplyFunction(_ context.Context, name string) error {
	serving := append(c.provider.Serving(name), latest)
	for _, version := range serving {
		if err := c.putVersion(name, version); err != nil {
			return err
		}
	}
	for _, version := range c.runtime.Versions(name) {
		if slices.Contains(serving, version) {
			continue
		}
		if err := c.runtime.Remove(name, version); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cloud) putVersion(name, version string) error {
	f, err := c.provider.Version(name, version)
	if err != nil {
		return err
	}
	return c.runtime.Put(f)
}

// RemoveFunction takes a function away.
func (c *Cloud) RemoveFunction(_ context.Context, name string) error {
	c.usage.forget(name)
	var errs []error
	for _, version := range c.runtime.Versions(name) {
		errs = append(errs, c.runtime.Remove(name, version))
	}
	return errors.Join(errs...)
}

// ApplyAPI gives the gateway an API as its records are.
func (c *Cloud) ApplyAPI(_ context.Context, id string) error {
	a, err := c.provider.API(id)
	if err != nil {
		return err
	}
	return c.gateway.Put(a)
}

// Invoke runs a function for the gateway, if its resource policy permits.
func (c *Cloud) Invoke(ctx context.Context, in gateway.Invocation) (gateway.Result, error) {
	name, qualifier := provider.SplitFunction(in.FunctionARN)
	if _, err := c.provider.Function(name); err != nil {
		return gateway.Result{}, fmt.Errorf("%w: %s", gateway.ErrFunctionNotFound, in.FunctionARN)
	}
	if !c.provider.Permitted(name, qualifier, "apigateway.amazonaws.com", in.SourceARN) {
		return gateway.Result{}, fmt.Errorf(
			"%w: %s by %s",
			gateway.ErrNotPermitted,
			in.FunctionARN,
			in.SourceARN,
		)
	}
	w := c.traffic.begin(in.RequestID, in.Faults)
	version, res, err := c.run(runtime.WithCause(ctx, w), name, qualifier, in.Payload)
	c.traffic.ran(w, name, version)
	switch {
	case errors.Is(err, runtime.ErrThrottled):
		err = fmt.Errorf("%w: %w", gateway.ErrThrottled, err)
	case errors.Is(err, runtime.ErrPayloadTooLarge):
		err = fmt.Errorf("%w: %w", gateway.ErrPayloadTooLarge, err)
	case errors.Is(err, runtime.ErrNotFound):
		err = fmt.Errorf("%w: %w", gateway.ErrFunctionNotFound, err)
	}
	return gateway.Result{
		Payload:       res.Payload,
		FunctionError: res.FunctionError,
		RequestID:     res.RequestID,
		Cold:          res.Cold,
		Duration:      res.Duration,
	}, err
}

// run invokes the version that a qualifier stands for. One that has just lost
// its last alias, or never had one, is given to the runtime first.
func (c *Cloud) run(
	ctx context.Context,
	name, qualifier string,
	payload []byte,
) (string, runtime.Result, error) {
	version, err := c.provider.Resolve(name, qualifier)
	if err != nil {
		return "", runtime.Result{}, fmt.Errorf("%w: %w", runtime.ErrNotFound, err)
	}
	target := runtime.Target{
		Name:      name,
		Version:   version,
		Qualifier: qualifier,
	}
	res, err := c.runtime.Invoke(ctx, target, payload)
	if !errors.Is(err, runtime.ErrNotFound) {
		return version, res, err
	}
	if err := c.putVersion(name, version); err != nil {
		return version, res, fmt.Errorf("%w: %w", runtime.ErrNotFound, err)
	}
	res, err = c.runtime.Invoke(ctx, target, payload)
	return version, res, err
}
