package simdisk

import (
	"errors"
	"time"
)

// Errors beside those of package store.
var (
	ErrCorrupt = errors.New("simdisk: corrupt")
	ErrOpen    = errors.New("simdisk: open already")
)

// The fail points of a disk, for sim.Fail and simtest.Fault.
const (
	WriteFault = "simdisk.write" // a write fails with the armed error
	SyncFault  = "simdisk.sync"  // a sync fails with the armed error
	ReadFault  = "simdisk.read"  // a Get or Scan fails with the armed error, once
	StallFault = "simdisk.stall" // a write or sync takes Config.StallTime more
	RotFault   = "simdisk.rot"   // a bit flips in a value, just before a Get looks at it
)

// Config is how a disk behaves. The zero value is a disk that takes no time and has no end.
type Config struct {
	WriteTime      time.Duration // of one group of batches
	SyncTime       time.Duration
	Jitter         time.Duration // up to this is added to either
	StallTime      time.Duration // of StallFault; default 10 s
	BytesPerSecond int           // of writing; 0 is unbounded
	QueueBytes     int           // accepted and not yet written, beyond one batch; default 8 MiB
	CapacityBytes  int           // of keys and values; a write beyond it fails with syscall.ENOSPC; 0 is unbounded

	bugs bugs
}

const (
	stallDefault = 10 * time.Second
	queueDefault = 8 << 20
)

// bugs are planted by tests.
type bugs struct {
	ackWritten bool // a batch is said to be durable when it is written
	holes      bool // a power loss may keep a batch and lose one before it
	unchecked  bool // checksums are not looked at
}
