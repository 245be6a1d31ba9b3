package pebble

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/synodkit/synod/store"
)

// Config sets the limits of a store. The zero Config is ready: every zero field has the default named beside it.
type Config struct {
	QueueMax      int // batches waiting for the writer; 1,024
	QueueBytesMax int // their SizeBytes together; 64 MiB; at least store.BatchBytesMax
	CacheBytes    int // blocks read; 8 MiB
	MemTableBytes int // written but not yet in tables; at most four such tables; 16 MiB

	fs vfs.FS // tests only: the disk
}

// withDefaults fills in the defaults and checks the rest.
func (c Config) withDefaults() (Config, error) {
	for _, f := range []struct {
		name       string
		value      *int
		zero, from int
	}{
		{"QueueMax", &c.QueueMax, 1024, 1},
		{"QueueBytesMax", &c.QueueBytesMax, 64 << 20, store.BatchBytesMax},
		{"CacheBytes", &c.CacheBytes, 8 << 20, 1 << 16},
		{"MemTableBytes", &c.MemTableBytes, 16 << 20, 1 << 16},
	} {
		if *f.value == 0 {
			*f.value = f.zero
		}
		if *f.value < f.from {
			return c, fmt.Errorf("pebble: config: %s is %d, at least %d", f.name, *f.value, f.from)
		}
	}
	if c.fs == nil {
		c.fs = vfs.Default
	}
	return c, nil
}
