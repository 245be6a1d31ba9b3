package node

import (
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/trace"
)

// Network is what a node needs of a transport.
type Network interface {
	p2p.Network
	p2p.Connections
}

// Config describes a node whose ledger has states of type S. Genesis, K, Ledger, Store, Network and Peers have no default.
type Config[S any] struct {
	Genesis chain.Genesis
	K       int // no rollback is deeper, in blocks
	Ledger  chainsel.Ledger[S]
	Initial S
	Store   store.Store
	Network Network
	Peers   *peers.Ledger // the one that the network asks whom to refuse

	Dial []string // addresses to keep connected to

	Key  sign.PrivateKey                                   // of a leader of the genesis; without one the node follows only
	Body func(tx *stm.Tx, state S, slot chain.Slot) []byte // of the block to forge in a slot, after the selection that has that state; needed with Key

	RetryMin, RetryMax time.Duration // pauses between attempts to reach a peer; default 200 ms to 10 s

	Trace Tracers
}

// Tracers listen to the node and to what it wires. All may be off.
type Tracers struct {
	Peer   trace.Tracer[PeerEvent]
	Chain  trace.Tracer[chainsel.Event]
	Forger trace.Tracer[leaderschedule.Event]
}

// complete fills in defaults and names the first field that is not valid.
func (c *Config[S]) complete() error {
	if err := c.Genesis.Validate(); err != nil {
		return fmt.Errorf("node: Config.Genesis: %w", err)
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
	case !c.Key.IsZero() && c.Body == nil:
		return errors.New("node: Config.Body is missing, but there is a Key")
	case c.RetryMin < 0 || c.RetryMax < c.RetryMin:
		return fmt.Errorf("node: Config.RetryMax is %v and RetryMin %v", c.RetryMax, c.RetryMin)
	}
	return nil
}
