package provider

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/archive"
)

// bundle is an archive that a program gives.
type bundle struct {
	*archive.Archive
	// dir is the directory of the program, where relative paths begin, or ""
	// if the engine does not say.
	dir string
}

// locate notes the directory of the program in all archives of its properties.
func locate(v any, dir string) {
	switch v := v.(type) {
	case *bundle:
		v.dir = dir
	case values:
		locate(map[string]any(v), dir)
	case map[string]any:
		for _, e := range v {
			locate(e, dir)
		}
	case []any:
		for _, e := range v {
			locate(e, dir)
		}
	}
}

// zip returns the archive as a zip. It returns an error if what is found has
// another hash than the engine sends, which has read the archive in the
// directory of the program: another directory may have another file of that
// name.
func (b *bundle) zip() ([]byte, error) {
	if b.Hash == "" {
		return nil, fmt.Errorf(
			"reading %s: the engine sends no hash of it, without which another file of that name "+
				"could be taken for it",
			b,
		)
	}
	dir := b.dir
	if dir == "" {
		var err error
		if dir, err = os.Getwd(); err != nil {
			return nil, fmt.Errorf("reading %s: %w", b, err)
		}
	}
	var data bytes.Buffer
	if err := b.ArchiveWithWD(archive.ZIPArchive, &data, dir); err != nil {
		return nil, fmt.Errorf("reading %s in %s: %w%s", b, dir, err, b.hint())
	}
	found, err := b.hash(data.Bytes(), dir)
	if err != nil {
		return nil, fmt.Errorf("reading %s in %s: %w%s", b, dir, err, b.hint())
	}
	if found != b.Hash {
		return nil, fmt.Errorf(
			"%s in %s is not what the program gives: its hash is %.12s, and the engine read one with %.12s%s",
			b,
			dir,
			found,
			b.Hash,
			b.hint(),
		)
	}
	return data.Bytes(), nil
}

// hash returns the hash of the archive as the engine computes it: that of the
// file, if it is one. A zip is not read again for that.
func (b *bundle) hash(zip []byte, dir string) (string, error) {
	format, file, err := b.ReadSourceArchiveWithWD(dir)
	if err != nil {
		return "", err
	}
	if file != nil {
		if err := file.Close(); err != nil {
			return "", err
		}
	}
	if format == archive.ZIPArchive {
		sum := sha256.Sum256(zip)
		return hex.EncodeToString(sum[:]), nil
	}
	again := *b.Archive
	again.Hash = ""
	err = again.EnsureHashWithWD(dir)
	return again.Hash, err
}

// hint says what to do where the directory of the program is not known.
func (b *bundle) hint() string {
	if b.dir != "" {
		return "; if it was built in the meantime, deploy again"
	}
	return "; with PULUMI_DEBUG_PROVIDERS the engine does not say where the program is: " +
		"put the local cloud's plug-ins into PATH instead, or give an absolute path"
}

// String names the archive in messages.
func (b *bundle) String() string {
	if path, ok := b.GetPath(); ok {
		return "the archive " + path
	}
	if uri, ok := b.GetURI(); ok {
		return "the archive " + uri
	}
	return "the archive of assets"
}
