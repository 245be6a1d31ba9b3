package pebble

import (
	"fmt"
	"os"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/synodkit/synod/store"
)

// fuse stands between pebble and the file system. The first write or sync that fails blows it, and so do pebble's fatal and
// background errors: from then on nothing is written any more, whatever pebble tries. That is what makes a failure final
// (what a failed fsync has left is unknown, and a second one would say "fine"), and what makes it safe that the logger's Fatalf
// returns.
//
// pebble treats an error on its write-ahead log as the end of the process: it panics, between locks. Therefore the log's files
// never report one. They blow the fuse and pretend; the writer looks at the fuse before it reports a batch as done.
type fuse struct {
	vfs.FS
	dir     string
	blown   atomic.Pointer[error]
	onBlow  func(err error) // called once
	running atomic.Bool     // after Open: background work of pebble waits instead of trying again and again
	closing chan struct{}   // lets it go
}

func newFuse(under vfs.FS, dir string, onBlow func(error)) *fuse {
	return &fuse{FS: under, dir: dir, onBlow: onBlow, closing: make(chan struct{})}
}

// blow makes err the store's failure, unless it has one.
func (f *fuse) blow(err error) {
	err = fmt.Errorf("%w: %s: %w", store.ErrFailed, f.dir, err)
	if f.blown.CompareAndSwap(nil, &err) && f.onBlow != nil {
		f.onBlow(err)
	}
}

// cause is the failure, or nil.
func (f *fuse) cause() error {
	if p := f.blown.Load(); p != nil {
		return *p
	}
	return nil
}

// try runs a change of the disk, unless the fuse is blown. A change that fails blows it.
func (f *fuse) try(change func() error) error {
	if err := f.cause(); err != nil {
		if f.running.Load() {
			<-f.closing
		}
		return err
	}
	err := change()
	if err != nil {
		f.blow(err)
	}
	return err
}

func (f *fuse) tryFile(open func() (vfs.File, error)) (out vfs.File, err error) {
	err = f.try(func() error {
		file, err := open()
		if err == nil {
			out = &fusedFile{File: file, fuse: f}
		}
		return err
	})
	return out, err
}

func (f *fuse) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	open := func() (vfs.File, error) { return f.FS.Create(name, c) }
	if isLog(name) {
		return f.openLog(open), nil
	}
	return f.tryFile(open)
}

func (f *fuse) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	open := func() (vfs.File, error) { return f.FS.ReuseForWrite(oldname, newname, c) }
	if isLog(newname) {
		return f.openLog(open), nil
	}
	return f.tryFile(open)
}

func (f *fuse) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return f.tryFile(func() (vfs.File, error) { return f.FS.OpenReadWrite(name, c, o...) })
}

func (f *fuse) OpenDir(name string) (vfs.File, error) {
	d, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &fusedDir{File: d, fuse: f}, nil
}

func (f *fuse) Link(oldname, newname string) error {
	return f.try(func() error { return f.FS.Link(oldname, newname) })
}

func (f *fuse) Rename(oldname, newname string) error {
	return f.try(func() error { return f.FS.Rename(oldname, newname) })
}

func (f *fuse) MkdirAll(dir string, perm os.FileMode) error {
	return f.try(func() error { return f.FS.MkdirAll(dir, perm) })
}

// Remove passes its error on without blowing the fuse: a file too many does no harm.
func (f *fuse) Remove(name string) error {
	if err := f.cause(); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

func (f *fuse) RemoveAll(name string) error {
	if err := f.cause(); err != nil {
		return err
	}
	return f.FS.RemoveAll(name)
}

// GetDiskUsage is unsupported: pebble would only report it.
func (f *fuse) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{}, vfs.ErrUnsupported
}

// Unwrap hides the real file system, to which pebble must not go around the fuse.
func (f *fuse) Unwrap() vfs.FS { return nil }
