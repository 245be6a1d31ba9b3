package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/synodkit/synod/chain/sign"
)

const (
	leaderFile = "leader.key" // signs blocks
	hostFile   = "host.key"   // identifies the libp2p host
	dbFolder   = "db"
	newPrefix  = ".new-" // of files being written
)

// nodeKeys are the secrets of one node.
type nodeKeys struct{ leader, host sign.PrivateKey }

func randomKeys() (k nodeKeys, err error) {
	if k.leader, err = sign.GenerateKey(rand.Reader); err != nil {
		return k, err
	}
	k.host, err = sign.GenerateKey(rand.Reader)
	return k, err
}

// readKeys reads both keys of a node.
func readKeys(dir string) (k nodeKeys, err error) {
	if k.leader, err = readKey(filepath.Join(dir, leaderFile)); err != nil {
		return k, err
	}
	k.host, err = readKey(filepath.Join(dir, hostFile))
	return k, err
}

// storedKeys makes the keys of a new network's node and writes those that an interrupted start has not written yet.
func storedKeys(o options, dir string, i int) (nodeKeys, error) {
	k, err := makeKeys(o, i)
	if err != nil {
		return k, err
	}
	for _, part := range []struct {
		file string
		key  *sign.PrivateKey
	}{{leaderFile, &k.leader}, {hostFile, &k.host}} {
		path := filepath.Join(dir, part.file)
		found, err := readKey(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if err := writeKey(path, *part.key); err != nil {
				return k, err
			}
		case err != nil:
			return k, fmt.Errorf("--data-dir: %w", err)
		case o.seeded() && found.Public() != part.key.Public():
			return k, fmt.Errorf("--seed %d, but %s holds another key", o.seed, path)
		default:
			*part.key = found
		}
	}
	return k, nil
}

// readKey reads a key file: the seed in hexadecimal digits. A file that others may read is refused.
func readKey(path string) (sign.PrivateKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return sign.PrivateKey{}, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return sign.PrivateKey{}, fmt.Errorf("%s: others may read it (mode %#o): want 0600", path, mode)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return sign.PrivateKey{}, err
	}
	seed, err := hex.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(seed) != 32 {
		return sign.PrivateKey{}, fmt.Errorf("%s: not a key: want 64 hexadecimal digits", path) // and never the text
	}
	return sign.KeyFromSeed([32]byte(seed)), nil
}

func writeKey(path string, key sign.PrivateKey) error {
	seed := key.Seed()
	return writeNew(path, append(hex.AppendEncode(nil, seed[:]), '\n'), 0o600)
}

// writeNew writes a file that must not exist: whole, on disk before it has its name, and never over another.
func writeNew(path string, content []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), newPrefix+"*")
	if err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // unlike Rename, fails if path exists
	}
	if err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	return nil
}
