package chainsel

import (
	"fmt"
	"io"
	"iter"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/trace"
)

// Defaults and bounds of Config.
const (
	queueDefault         = 64
	volatileDefault      = 8192
	volatileBytesDefault = 24 << 20
	invalidDefault       = 1024
	followersDefault     = 256
	rangeDefault         = 256
	logDefault           = 64
	prefixDefault        = "chain/"
	countMax             = 1 << 20
	// batchReserve is what a switch's batch holds beyond bodies: keys, headers' framing and deletions, per block of the volatile part and of the last K.
	batchReserve = 128
)

// Config configures [Open]. Ledger, Store and K have no default. A limit that is 0 takes its default.
type Config[S any] struct {
	Genesis chain.Tip // where every chain of the network starts: chain.Genesis.Tip
	Initial S         // the ledger's state there
	K       int       // the security parameter, in blocks: no rollback is ever deeper
	Ledger  Ledger[S]
	Order   Order // default Longest
	Store   store.Store
	Prefix  string // of all keys in the store, default "chain/"; no other package may write below it

	// CheckHeader judges a header by itself: its proof, its leader. AddBlock calls it on its caller's task, so it must be safe for concurrent
	// use; Open calls it for the stored chain. Nil accepts all headers.
	CheckHeader func(*chain.Header) error

	// Encode and Decode are the codec of states, for snapshots: with them, Open replays what comes after the newest snapshot instead of everything. Both or
	// neither. Encode yields the encoding in pieces, which it may reuse. Decode reads it and must not panic on any bytes; after is the block after which the state
	// is: a ledger whose blocks commit to the state compares. A snapshot that Decode refuses, that was changed, or after which the ledger refuses a stored block is not used.
	Encode        func(S) iter.Seq[[]byte]
	Decode        func(r io.Reader, after chain.Block) (S, error)
	SnapshotEvery int // blocks between snapshots, of the state K blocks back; default 1,000; the newest two are kept

	// SnapshotAtEnd has the state after the tip written too when the scope ends, so that the next Open replays nothing. It takes as long as Encode and the
	// store do.
	SnapshotAtEnd bool

	QueueMax         int // blocks that wait for the selection task, default 64; when full, AddBlock waits
	VolatileMax      int // blocks kept beside the selection, default 8,192; when full, one goes (see the package comment)
	VolatileBytesMax int // their bytes, default 24 MiB; at most what a batch of the store holds
	InvalidMax       int // invalid blocks remembered, default 1,024; when full, the oldest is forgotten
	FollowersMax     int // followers open at a time, default 256; when full, NewFollower fails with ErrLimit
	RangeMax         int // blocks of one Range, default 256; longer ones fail with ErrLimit
	LogMax           int // switches, and declined chains, remembered with their reasons, default 64 each; the oldest goes

	Tracer trace.Tracer[Event]
}

// complete fills in the defaults and names the first field that is not valid.
func (c *Config[S]) complete() error {
	bad := func(field, format string, args ...any) error {
		return fmt.Errorf("chainsel: Config.%s %s", field, fmt.Sprintf(format, args...))
	}
	if c.Order == nil {
		c.Order = Longest{}
	}
	if c.Prefix == "" {
		c.Prefix = prefixDefault
	}
	switch {
	case c.Genesis.BlockNo != 0 || c.Genesis.Point.Slot != 0:
		return bad("Genesis", "is %v instead of a tip with number 0 and slot 0", c.Genesis)
	case c.K < 1 || c.K > countMax:
		return bad("K", "is %d instead of 1 to %d", c.K, countMax)
	case c.Ledger == nil:
		return bad("Ledger", "is missing")
	case c.Store == nil:
		return bad("Store", "is missing")
	case c.SnapshotAtEnd && c.Encode == nil:
		return bad("SnapshotAtEnd", "needs Config.Encode")
	case (c.Encode == nil) != (c.Decode == nil):
		return bad("Encode", "and Config.Decode come together: one is missing")
	case len(c.Prefix) > store.KeyBytesMax/2:
		return bad("Prefix", "has %d bytes, at most %d", len(c.Prefix), store.KeyBytesMax/2)
	}
	for _, l := range []struct {
		name string
		p    *int
		def  int
	}{
		{"QueueMax", &c.QueueMax, queueDefault},
		{"VolatileMax", &c.VolatileMax, volatileDefault},
		{"InvalidMax", &c.InvalidMax, invalidDefault},
		{"FollowersMax", &c.FollowersMax, followersDefault},
		{"RangeMax", &c.RangeMax, rangeDefault},
		{"LogMax", &c.LogMax, logDefault},
		{"SnapshotEvery", &c.SnapshotEvery, snapshotDefault},
	} {
		if *l.p == 0 {
			*l.p = l.def
		}
		if *l.p < 1 || *l.p > countMax {
			return bad(l.name, "is %d instead of 1 to %d", *l.p, countMax)
		}
	}
	return c.completeBytes(bad)
}

// completeBytes checks that a switch always fits into one batch: its blocks are all in the volatile part.
func (c *Config[S]) completeBytes(bad func(field, format string, args ...any) error) error {
	if c.VolatileBytesMax == 0 {
		c.VolatileBytesMax = volatileBytesDefault
	}
	operation := batchReserve + 2*len(c.Prefix)
	most := store.BatchBytesMax - operation*(c.K+c.VolatileMax+1)
	if c.VolatileBytesMax < 1 || c.VolatileBytesMax > most {
		return bad("VolatileBytesMax", "is %d instead of 1 to %d, so that with K = %d and VolatileMax = %d every switch fits into one batch",
			c.VolatileBytesMax, most, c.K, c.VolatileMax)
	}
	return nil
}
