package node_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/keepalive"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/p2p/txsubmission"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// spammer answers who pulls transactions from it. It has no end of them.
type spammer struct {
	make   func(n int) []byte              // the n-th
	bytes  func(raw []byte) uint32         // announced; nil: the truth
	few    int                             // ids an answer; 0: as many as are asked for
	more   int                             // ids beyond what was asked for
	bodies func(asked [][]byte) [][]byte   // nil: what was asked for
	mute   func(ctx context.Context) error // instead of bodies; nil: not

	made   int
	known  map[chain.Hash][]byte
	served int // bodies asked for
}

func (x *spammer) attack() attack {
	return attack{table: func(context.Context, world, chain.Tip) (map[string]say, error) {
		return map[string]say{txsubmission.Protocol().ID(): x.serve}, nil
	}}
}

func (x *spammer) serve(ctx context.Context, c p2p.Conn) error {
	x.known = map[chain.Hash][]byte{}
	s := p2p.NewSession(ctx, txsubmission.Protocol(), table.Responder, c)
	defer func() { _ = s.Close(0) }()
	for {
		m, err := s.Recv()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *txsubmission.MsgAwaitIDs:
			err = s.Send(&txsubmission.MsgReplyIDs{IDs: x.ids(int(m.Max))})
		case *txsubmission.MsgRequestIDs:
			err = s.Send(&txsubmission.MsgReplyIDs{IDs: x.ids(int(m.Max))})
		case *txsubmission.MsgRequestTxs:
			if x.mute != nil {
				return x.mute(ctx)
			}
			err = s.Send(&txsubmission.MsgReplyTxs{Txs: x.txs(m.IDs)})
		}
		if err != nil {
			return err
		}
	}
}

func (x *spammer) ids(n int) (out []txsubmission.Announced) {
	if x.few > 0 {
		n = min(n, x.few)
	}
	for range n + x.more {
		raw := x.make(x.made)
		x.made++
		a := txsubmission.Announced{ID: chain.HashOf(raw), Bytes: uint32(len(raw))}
		if x.bytes != nil {
			a.Bytes = x.bytes(raw)
		}
		x.known[a.ID] = raw
		out = append(out, a)
	}
	return out
}

func (x *spammer) txs(ids []chain.Hash) (out [][]byte) {
	for _, id := range ids {
		out = append(out, x.known[id])
		delete(x.known, id)
	}
	x.served += len(out)
	if x.bodies != nil {
		return x.bodies(out)
	}
	return out
}

// good makes writes that are valid, to registers of its own.
func good(n int) []byte {
	return write{Key: fmt.Sprint("spam ", n), Value: strings.Repeat("x", 200)}.raw()
}

// refused makes writes to a version that no register has: well formed, and never valid.
func refused(n int) []byte { return write{Key: fmt.Sprint("spam ", n), Version: math.MaxUint64}.raw() }

func malformed(n int) []byte { return fmt.Appendf(nil, "spam %d", n) }

// TestTransactionSpam: what no honest node does convicts a peer. What one might do convicts nobody, and costs little. The others go on, within bounds.
func TestTransactionSpam(t *testing.T) {
	lie := func(n uint32) func([]byte) uint32 { return func([]byte) uint32 { return n } }
	for _, tc := range []struct {
		name   string
		spam   *spammer
		kind   p2p.ViolationKind // 0: no violation
		reason string
	}{
		{"malformed", &spammer{make: malformed}, p2p.Invalid, "malformed"},
		{"more ids than asked for", &spammer{make: good, more: 1}, p2p.Garbage, "65 elements"},
		{"sizes that lie, too small", &spammer{make: good, bytes: lie(1)}, p2p.Invalid, "were announced"},
		{"sizes that lie, too large", &spammer{make: good, bytes: lie(1000)}, p2p.Invalid, "were announced"},
		{"sizes beyond the protocol's", &spammer{make: good, bytes: lie(math.MaxUint32)}, p2p.Garbage, ""},
		{"bodies not asked for", &spammer{make: good, few: 2, bodies: func(asked [][]byte) [][]byte {
			return append(asked, good(-1))
		}}, p2p.Invalid, "was not asked for"},
		{"bodies twice", &spammer{make: good, few: 2, bodies: func(asked [][]byte) [][]byte {
			return append(asked, asked[0])
		}}, p2p.Invalid, "was not asked for"},
		{"stall", &spammer{make: good, mute: func(ctx context.Context) error {
			return stm.Do(ctx, func(tx *stm.Tx) error { tx.Retry(); return nil })
		}}, p2p.Timeout, ""},

		{"refused", &spammer{make: refused}, 0, ""},
		{"flood of valid ones", &spammer{make: good}, 0, ""},
		{"flood of ids without bodies", &spammer{make: good, bodies: func([][]byte) [][]byte { return nil }}, 0, ""},
		{"flood of ids that are known", &spammer{make: func(n int) []byte { return good(n % 8) }}, 0, ""},
		{"flood of ids larger than the pool takes", &spammer{make: good, bytes: lie(uint32(tight.TxBytesMax) + 1)}, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := sim.Run(7, func(ctx context.Context) error {
				return withEvil(ctx, tc.spam.attack(), func(ctx context.Context, d *duel) error {
					if tc.kind != 0 {
						return d.convicted(ctx, tc.kind, tc.reason)
					}
					return d.endures(ctx, tc.spam)
				})
			})
			require.NoError(t, r.Err)
			require.Less(t, r.Elapsed, 10*time.Minute)
		})
	}
}

// idsMax are the ids that a peer is asked for in a second at most, when they are of no use: a window each 10 ms. Without
// a pause it would be one each round trip, of which there are 500 a second.
const idsMax = 7000

// endures lets the spam go on for a while; it must neither convict the peer nor cost much, and the honest nodes go on.
func (d *duel) endures(ctx context.Context, x *spammer) error {
	const seconds = 20
	if err := env.Sleep(ctx, seconds*time.Second); err != nil {
		return err
	}
	// A pause of up to a second follows what was of no use, and the pool has room for as many as a block takes a second.
	if most := seconds * txsubmission.WindowMax; x.served > most || x.served == 0 && x.bytes == nil {
		return fmt.Errorf("%d bodies were asked for in %d seconds, at most %d expected", x.served, seconds, most)
	}
	if x.made > idsMax*seconds {
		return fmt.Errorf("%d ids were asked for in %d seconds", x.made, seconds)
	}
	if err := d.unmoved(ctx); err != nil {
		return err
	}
	return clean(ctx, d.nodes...)
}

// TestBoundsAreWatched: the same flood of valid ones, and a pool that takes more than the watched bounds: planted, and noticed.
func TestBoundsAreWatched(t *testing.T) {
	x := &spammer{make: good}
	r := sim.Run(7, func(ctx context.Context) error {
		d := &duel{w: newWorld(ctx, evilLeader+1), limit: mempool.Limits{CountMax: 8 * tight.CountMax}} // of which one peer gets a third
		return d.run(ctx, x.attack(), func(ctx context.Context, d *duel) error { return d.endures(ctx, x) })
	})
	require.ErrorContains(t, r.Err, "the pool holds")
}

// TestFloodLeavesRoom: while a peer floods the pool with valid ones, no local client is turned away.
func TestFloodLeavesRoom(t *testing.T) {
	r := sim.Run(7, func(ctx context.Context) error {
		return withEvil(ctx, (&spammer{make: good}).attack(), func(ctx context.Context, d *duel) error {
			for i := range 20 {
				if err := env.Sleep(ctx, time.Second); err != nil {
					return err
				}
				if _, err := d.nodes[0].Pool().Submit(ctx, write{Key: fmt.Sprint("local ", i)}.raw()); err != nil {
					return err
				}
			}
			return nil
		})
	})
	require.NoError(t, r.Err)
}

// TestStreamFlood: a peer that opens one stream after another holds one session for each protocol.
func TestStreamFlood(t *testing.T) {
	r := sim.Run(7, func(ctx context.Context) error {
		flood := attack{act: func(ctx context.Context, p *puppet) error {
			if err := p.greet(ctx); err != nil {
				return err
			}
			for range 500 {
				if _, err := p.open(ctx, keepalive.Protocol().ID()); err != nil {
					return err
				}
				if err := env.Sleep(ctx, time.Millisecond); err != nil {
					return err
				}
			}
			return nil
		}}
		return withEvil(ctx, flood, func(ctx context.Context, d *duel) error {
			if err := env.Sleep(ctx, 10*time.Second); err != nil {
				return err
			}
			if err := d.unmoved(ctx); err != nil {
				return err
			}
			return clean(ctx, d.nodes...)
		})
	})
	require.NoError(t, r.Err)
}
