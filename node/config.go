package node

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/p2p/txsubmission"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/trace"
)

// Network is what a node needs of a transport.
type Network interface {
	p2p.Network
	p2p.Connections
}

// Defaults of Config, in bytes.
const (
	bodyBytesDefault = 256 << 10 // of transactions in a block
	txBytesDefault   = 64 << 10  // of one
)

// Ledger gives blocks and transactions their meaning: what chainsel and mempool ask of it, and the way back from transactions to a block. S is the
// state, a persistent value; X a parsed transaction. All methods are pure functions of their arguments and must not panic.
type Ledger[S, X any] interface {
	chainsel.Ledger[S]
	mempool.Ledger[S, X]

	// Body is the body of a block in a slot, after a block whose state is s, that holds txs: they are valid on s in this order, and Apply must accept the
	// block. Check knows no slot: if Apply's verdict depends on the slot or the block's number, Body leaves out what is not valid there. Their bytes are
	// at most Config.BodyBytesMax; what Body adds must leave the body within chain.BodyBytesMax.
	Body(s S, slot chain.Slot, txs []X) []byte
}

// Config describes a node whose ledger has states of type S and transactions of type X. Genesis, K, Ledger, Store, Network and Peers have no default.
type Config[S, X any] struct {
	Genesis chain.Genesis
	K       int // no rollback is deeper, in blocks
	Ledger  Ledger[S, X]
	Initial S
	Store   store.Store
	Network Network
	Peers   *peers.Ledger // the one that the network asks whom to refuse

	// Encode and Decode are the codec of states, for snapshots: those of chainsel.Config. Without them a start applies the whole chain again.
	Encode        func(S) iter.Seq[[]byte]
	Decode        func(r io.Reader, after chain.Block) (S, error)
	SnapshotEvery int // blocks, default that of chainsel

	Dial []string // addresses to keep connected to

	Key          sign.PrivateKey // of a leader of the genesis; without one the node follows only
	BodyBytesMax int             // of the transactions in a block it forges, default 256 KiB

	// Mempool bounds the pool. TxBytesMax is here at most BodyBytesMax, since a transaction that fits into no block would stay in the way of all others,
	// and at most txsubmission.TxBytesMax, since a larger one would not travel; default 64 KiB, or as much as those and BytesMax allow.
	Mempool mempool.Limits

	RetryMin, RetryMax time.Duration // pauses between attempts to reach a peer; default 200 ms to 10 s

	Trace Tracers
}

// Tracers listen to the node and to what it wires. All may be off.
type Tracers struct {
	Peer    trace.Tracer[PeerEvent]
	Chain   trace.Tracer[chainsel.Event]
	Mempool trace.Tracer[mempool.Event]
	Forger  trace.Tracer[leaderschedule.Event]
}

// complete fills in defaults and names the first field that is not valid.
func (c *Config[S, X]) complete() error {
	if err := c.Genesis.Validate(); err != nil {
		return fmt.Errorf("node: Config.Genesis: %w", err)
	}
	if c.BodyBytesMax == 0 {
		c.BodyBytesMax = bodyBytesDefault
	}
	tx := min(txsubmission.TxBytesMax, c.BodyBytesMax)
	if c.Mempool.TxBytesMax == 0 {
		c.Mempool.TxBytesMax = min(txBytesDefault, tx)
		if c.Mempool.BytesMax > 0 {
			c.Mempool.TxBytesMax = min(c.Mempool.TxBytesMax, c.Mempool.BytesMax)
		}
	}
	if c.RetryMin == 0 {
		c.RetryMin = 200 * time.Millisecond
	}
	if c.RetryMax == 0 {
		c.RetryMax = max(10*time.Second, c.RetryMin)
	}
	switch {
	case c.Network == nil:
		return errors.New("node: Config.Network is missing")
	case c.Store == nil:
		return errors.New("node: Config.Store is missing")
	case c.Ledger == nil:
		return errors.New("node: Config.Ledger is missing")
	case c.K < 1:
		return fmt.Errorf("node: Config.K is %d, want 1 or more", c.K)
	case c.Peers == nil:
		return errors.New("node: Config.Peers is missing")
	case c.BodyBytesMax < 1 || c.BodyBytesMax > chain.BodyBytesMax:
		return fmt.Errorf("node: Config.BodyBytesMax is %d instead of 1 to %d", c.BodyBytesMax, chain.BodyBytesMax)
	case c.Mempool.TxBytesMax < 1 || c.Mempool.TxBytesMax > tx:
		return fmt.Errorf("node: Config.Mempool.TxBytesMax is %d instead of 1 to %d", c.Mempool.TxBytesMax, tx)
	case c.RetryMin < 0 || c.RetryMax < c.RetryMin:
		return fmt.Errorf("node: Config.RetryMax is %v and RetryMin %v", c.RetryMax, c.RetryMin)
	}
	return nil
}
