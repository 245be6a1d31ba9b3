package pebble

import (
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// fusedFile is a file that is written to: a table, a manifest, a marker.
type fusedFile struct {
	vfs.File
	fuse *fuse
}

func (f *fusedFile) Write(p []byte) (n int, err error) {
	err = f.fuse.try(func() error { n, err = f.File.Write(p); return err })
	return n, err
}

func (f *fusedFile) WriteAt(p []byte, off int64) (n int, err error) {
	err = f.fuse.try(func() error { n, err = f.File.WriteAt(p, off); return err })
	return n, err
}

func (f *fusedFile) Sync() error     { return f.fuse.try(f.File.Sync) }
func (f *fusedFile) SyncData() error { return f.fuse.try(f.File.SyncData) }

func (f *fusedFile) SyncTo(length int64) (full bool, err error) {
	err = f.fuse.try(func() error { full, err = f.File.SyncTo(length); return err })
	return full, err
}

// Preallocate is a wish: pebble goes on without.
func (f *fusedFile) Preallocate(off, length int64) error {
	if f.fuse.cause() == nil {
		_ = f.File.Preallocate(off, length)
	}
	return nil
}

// fusedDir is a directory. Its sync is part of opening a log, so it pretends as a log does.
type fusedDir struct {
	vfs.File
	fuse *fuse
}

func (d *fusedDir) Sync() error { d.fuse.pretend(d.File.Sync); return nil }

func isLog(name string) bool { return strings.HasSuffix(name, ".log") }

// muteFile is a file that never fails: one of the log, or one that pretends to be there because the fuse was blown.
type muteFile struct {
	file vfs.File // nil if it could not be opened
	fuse *fuse
}

func (m *muteFile) do(change func() error) error {
	if m.file != nil {
		m.fuse.pretend(change)
	}
	return nil
}

func (m *muteFile) Write(p []byte) (int, error) {
	return len(p), m.do(func() error { _, err := m.file.Write(p); return err })
}

func (m *muteFile) WriteAt(p []byte, off int64) (int, error) {
	return len(p), m.do(func() error { _, err := m.file.WriteAt(p, off); return err })
}

func (m *muteFile) Sync() error     { return m.do(func() error { return m.file.Sync() }) }
func (m *muteFile) SyncData() error { return m.do(func() error { return m.file.SyncData() }) }

func (m *muteFile) SyncTo(int64) (bool, error) { return true, m.SyncData() }

func (m *muteFile) Preallocate(off, length int64) error {
	return m.do(func() error { _ = m.file.Preallocate(off, length); return nil })
}

// Close gives the descriptor back also when the fuse is blown.
func (m *muteFile) Close() error {
	if m.file != nil {
		if err := m.file.Close(); err != nil {
			m.fuse.blow(err)
		}
	}
	return nil
}

func (m *muteFile) Fd() uintptr {
	if m.file == nil {
		return vfs.InvalidFd
	}
	return m.file.Fd()
}

func (m *muteFile) Stat() (info vfs.FileInfo, _ error) {
	info = noInfo{}
	err := m.do(func() error {
		real, err := m.file.Stat()
		if err == nil {
			info = real
		}
		return err
	})
	return info, err
}

func (m *muteFile) Read(p []byte) (int, error) {
	if m.file == nil {
		return 0, io.EOF
	}
	return m.file.Read(p)
}

func (m *muteFile) ReadAt(p []byte, off int64) (int, error) {
	if m.file == nil {
		return 0, io.EOF
	}
	return m.file.ReadAt(p, off)
}

func (m *muteFile) Prefetch(off, length int64) error {
	if m.file == nil {
		return nil
	}
	return m.file.Prefetch(off, length)
}

// noInfo describes a file that is not there as an empty one.
type noInfo struct{}

func (noInfo) Name() string           { return "" }
func (noInfo) Size() int64            { return 0 }
func (noInfo) Mode() fs.FileMode      { return 0 }
func (noInfo) ModTime() (t time.Time) { return t }
func (noInfo) IsDir() bool            { return false }
func (noInfo) Sys() any               { return nil }
func (noInfo) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }
