package pebble

import (
	"io"
	"io/fs"
	"strings"

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

func (d *fusedDir) Sync() error { return d.fuse.pretend(d.File.Sync) }

// pretend is try for what must not fail.
func (f *fuse) pretend(change func() error) error {
	if f.cause() == nil {
		if err := change(); err != nil {
			f.blow(err)
		}
	}
	return nil
}

// logFile is a file of the write-ahead log. Its one writer at a time is pebble's log writer. It never fails.
type logFile struct {
	vfs.File // nil if it could not be opened
	fuse     *fuse
}

func isLog(name string) bool { return strings.HasSuffix(name, ".log") }

func (f *fuse) openLog(open func() (vfs.File, error)) vfs.File {
	l := &logFile{fuse: f}
	_ = f.pretend(func() error {
		file, err := open()
		if err == nil {
			l.File = file
		}
		return err
	})
	return l
}

func (l *logFile) do(change func() error) error {
	if l.File == nil {
		return nil
	}
	return l.fuse.pretend(change)
}

func (l *logFile) Write(p []byte) (int, error) {
	return len(p), l.do(func() error { _, err := l.File.Write(p); return err })
}

func (l *logFile) WriteAt(p []byte, off int64) (int, error) {
	return len(p), l.do(func() error { _, err := l.File.WriteAt(p, off); return err })
}

func (l *logFile) Sync() error { return l.SyncData() }

func (l *logFile) SyncData() error {
	return l.do(func() error { return l.File.SyncData() })
}

func (l *logFile) SyncTo(int64) (bool, error) { return true, l.SyncData() }

func (l *logFile) Preallocate(off, length int64) error {
	return l.do(func() error { _ = l.File.Preallocate(off, length); return nil })
}

func (l *logFile) Close() error {
	if l.File != nil { // also when the fuse is blown: descriptors are given back
		if err := l.File.Close(); err != nil {
			l.fuse.blow(err)
		}
	}
	return nil
}

func (l *logFile) Fd() uintptr {
	if l.File == nil {
		return vfs.InvalidFd
	}
	return l.File.Fd()
}

func (l *logFile) Stat() (vfs.FileInfo, error) {
	if l.File == nil {
		return nil, fs.ErrNotExist
	}
	return l.File.Stat()
}

func (l *logFile) Read(p []byte) (int, error) {
	if l.File == nil {
		return 0, io.EOF
	}
	return l.File.Read(p)
}

func (l *logFile) ReadAt(p []byte, off int64) (int, error) {
	if l.File == nil {
		return 0, io.EOF
	}
	return l.File.ReadAt(p, off)
}

func (l *logFile) Prefetch(off, length int64) error {
	if l.File == nil {
		return nil
	}
	return l.File.Prefetch(off, length)
}
