package pebble

import (
	"fmt"
	"os"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/synodkit/synod/store"
)

// fuse stands between pebble and the file system. The first write or sync that fails blows it, and so do pebble's fatal and
// background errors and corruption: from then on nothing is written any more, whatever pebble tries. That is what makes a
// failure final (what a failed fsync has left is unknown, and a second one would say "fine"), and what makes it safe that the
// logger's Fatalf returns.
//
// pebble does not expect to live on after every error, so what it is told depends on where it stands:
//
//   - An error on its write-ahead log makes it panic, between locks. The log's files therefore never report one: they pretend.
//     The writer looks at the fuse before it reports a batch as done.
//   - While it opens, it would try a flush that fails for ever, and an Open that fails closes its caches under jobs still
//     running. So everything pretends until Open has returned.
//   - Later its background jobs would try again without pause. They get the error once, and then wait for Close.
type fuse struct {
	vfs.FS
	dir     string
	blown   atomic.Pointer[error]
	onBlow  func(err error) // called once
	mode    atomic.Int32
	closing chan struct{} // lets jobs that wait go
}

// Modes of a fuse.
const (
	opening int32 = iota
	running
	inspecting // every change is refused
)

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

// intact reports whether pebble may begin a compaction.
func (f *fuse) intact() bool { return f.cause() == nil && f.mode.Load() == running }

// try runs a change of the disk, unless the fuse is blown. A change that fails blows it.
func (f *fuse) try(change func() error) error {
	err := f.cause()
	if err != nil && f.mode.Load() == running {
		<-f.closing
	}
	if err == nil {
		if err = change(); err != nil {
			f.blow(err)
		}
	}
	if f.mode.Load() == opening {
		return nil
	}
	return err
}

// pretend is try for what must never fail.
func (f *fuse) pretend(change func() error) {
	if f.cause() == nil {
		if err := change(); err != nil {
			f.blow(err)
		}
	}
}

func (f *fuse) tryFile(open func() (vfs.File, error)) (vfs.File, error) {
	var file vfs.File
	err := f.try(func() (err error) { file, err = open(); return err })
	switch {
	case err != nil:
		return nil, err
	case file == nil:
		return &muteFile{fuse: f}, nil
	}
	return &fusedFile{File: file, fuse: f}, nil
}

// openLog opens a file of the write-ahead log.
func (f *fuse) openLog(open func() (vfs.File, error)) vfs.File {
	m := &muteFile{fuse: f}
	f.pretend(func() (err error) { m.file, err = open(); return err })
	return m
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
