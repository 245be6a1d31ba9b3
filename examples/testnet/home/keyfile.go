package home

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/synodkit/synod/chain/sign"
)

// readKey reads a key file: the seed in hexadecimal digits. A file that others may read is refused.
func readKey(path string) (sign.PrivateKey, error) {
	text, err := readFile(path, 256, func(info fs.FileInfo) error {
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			return fmt.Errorf("%s: others may read it (mode %#o): want 0600", path, mode)
		}
		return nil
	})
	if err != nil {
		return sign.PrivateKey{}, err
	}
	seed, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(seed) != 32 {
		return sign.PrivateKey{}, fmt.Errorf("%s: not a key: want 64 hexadecimal digits", path) // and never the text
	}
	return sign.KeyFromSeed([32]byte(seed)), nil
}

// readFile reads a file of at most limit bytes whose properties are as wanted.
func readFile(path string, limit int64, want func(fs.FileInfo) error) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a file", path)
	case info.Size() > limit:
		return nil, fmt.Errorf("%s: %d bytes, at most %d", path, info.Size(), limit)
	}
	if err := want(info); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

func anyFile(fs.FileInfo) error { return nil }

// writeKey writes a key file that must not exist, mode 0600.
func writeKey(path string, key sign.PrivateKey) error {
	seed := key.Seed()
	return writeNew(path, append(hex.AppendEncode(nil, seed[:]), '\n'), 0o600)
}

// writeNew writes a file that must not exist: whole, on disk before it has its name, with its name when writeNew returns, and never over another.
func writeNew(path string, content []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), newPrefix+"*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil { // unlike Rename, fails if path exists
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder puts the names in a folder on disk, where the system can: a key whose address was shown must not be lost.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writeOnce writes a file, unless it is there with the same content.
func writeOnce(path string, content []byte) error {
	held, err := readFile(path, genesisBytesMax, anyFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return writeNew(path, content, 0o644)
	case err != nil:
		return err
	case !bytes.Equal(held, content):
		return fmt.Errorf("%s is there already, and says otherwise", path)
	}
	return nil
}

// makeFolder makes a folder for its owner alone, with those above it.
func makeFolder(path string) error { return os.MkdirAll(path, 0o700) }
