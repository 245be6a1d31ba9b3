package pebble

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// The marker file says that a directory is a store of ours, of which version, and in which state.
const (
	markerName     = "SYNOD"
	markerPrefix   = "synod store "
	markerCreating = markerPrefix + "1 creating\n" // nothing was ever reported as written
	markerOpen     = markerPrefix + "1 open\n"     // in use, or left by a crash
	markerClosed   = markerPrefix + "1 closed "    // and the seal
	markerBytesMax = 128
	lockName       = "LOCK"
)

// readMarker is the marker's content, "" if the directory is empty. ErrForeign if it holds files but no marker.
func readMarker(disk vfs.FS, dir string) (string, error) {
	names, err := disk.List(dir)
	if err != nil {
		return "", fmt.Errorf("pebble: open %s: %w", dir, err)
	}
	if !slices.Contains(names, markerName) {
		for _, name := range names {
			if name != lockName && name != markerName+".tmp" {
				return "", fmt.Errorf("%w: %s: %s", ErrForeign, dir, name)
			}
		}
		return "", nil
	}
	f, err := disk.Open(disk.PathJoin(dir, markerName))
	if err != nil {
		return "", fmt.Errorf("pebble: open %s: %w", dir, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, markerBytesMax))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("pebble: open %s: %w", dir, err)
	}
	switch m := string(text); {
	case m == markerCreating || m == markerOpen || strings.HasPrefix(m, markerClosed):
		return m, nil
	case strings.HasPrefix(m, markerPrefix):
		return "", fmt.Errorf("%w: %s: marker %q", ErrVersion, dir, m)
	default:
		return "", corrupt(dir, fmt.Errorf("marker %q", m))
	}
}

// sealed is the marker of a closed store: a hash over everything in the directory but the content of tables, whose blocks have
// checksums that hold. Those of pebble's manifest and log do not tell damage near the end from a crash.
func sealed(disk vfs.FS, dir string) (string, error) {
	names, err := sealedNames(disk, dir)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, name := range names {
		path := disk.PathJoin(dir, name)
		info, err := disk.Stat(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%d %s %d\n", len(name), name, info.Size())
		if isTable(name) {
			continue
		}
		f, err := disk.Open(path)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(h, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s%x\n", markerClosed, h.Sum(nil)), nil
}

// sealedNames are the files that a seal speaks about, in order.
func sealedNames(disk vfs.FS, dir string) ([]string, error) {
	names, err := disk.List(dir)
	names = slices.DeleteFunc(names, func(name string) bool {
		return name == lockName || name == markerName || name == markerName+".tmp"
	})
	slices.Sort(names)
	return names, err
}

func isTable(name string) bool { return strings.HasSuffix(name, ".sst") }

func syncFile(disk vfs.FS, path string) error {
	f, err := disk.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// writeMarker replaces the marker durably.
func writeMarker(disk vfs.FS, dir, text string) error {
	tmp, name := disk.PathJoin(dir, markerName+".tmp"), disk.PathJoin(dir, markerName)
	f, err := disk.Create(tmp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(text))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := disk.Rename(tmp, name); err != nil {
		return err
	}
	return syncDir(disk, dir)
}

func syncDir(disk vfs.FS, dir string) error {
	d, err := disk.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// removeUnfinished clears what a creation that did not finish has left. It knows pebble's names and leaves others alone.
func removeUnfinished(disk vfs.FS, dir string) error {
	names, err := disk.List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "MANIFEST-"), strings.HasPrefix(name, "OPTIONS-"), strings.HasPrefix(name, "marker."),
			strings.HasSuffix(name, ".log"), strings.HasSuffix(name, ".sst"), strings.HasSuffix(name, ".dbtmp"):
			if err := disk.Remove(disk.PathJoin(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}
