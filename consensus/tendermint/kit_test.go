package tendermint_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/consensus"
	"github.com/synodkit/synod/consensus/tendermint"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim/simdisk"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// toySign stands for ed25519, which would be most of the time of a simulation.
func toySign(id consensus.ID) func([]byte) []byte {
	return func(content []byte) []byte {
		h := sha256.Sum256(append([]byte(id), content...))
		return append(h[:], h[:]...)
	}
}

func toyVerify(claims []consensus.Claim) (bad []int) {
	for i, c := range claims {
		if !bytes.Equal(c.Signature, toySign(c.Author)(c.Content)) {
			bad = append(bad, i)
		}
	}
	return bad
}

// ledger is an application that lists what was decided.
type ledger struct {
	who     string
	node    *node
	list    []string
	faulty  []consensus.ID
	members func(height uint64) []consensus.Member // nil, or the validators after a height
	n       int
}

func (l *ledger) Prepare(_ context.Context, height uint64, _ int) ([]byte, error) {
	l.n++
	return fmt.Appendf(nil, "%d by %s, try %d", height, l.who, l.n), nil
}

func (l *ledger) Validate(_ context.Context, height uint64, payload []byte) error {
	if !bytes.HasPrefix(payload, fmt.Appendf(nil, "%d by ", height)) {
		return errors.New("not of this height")
	}
	return nil
}

func (l *ledger) digest() []byte { h := sha256.Sum256(fmt.Append(nil, l.list)); return h[:] }

func (l *ledger) Apply(ctx context.Context, d consensus.Decided) (consensus.Outcome, error) {
	if int(d.Height) != len(l.list)+1 {
		return consensus.Outcome{}, fmt.Errorf("height %d applied after %d", d.Height, len(l.list))
	}
	l.list = append(l.list, string(d.Payload))
	for _, m := range d.Faulty {
		if l.faulty = append(l.faulty, m.ID); !l.node.net.mayBeFaulty(m.ID) {
			return consensus.Outcome{}, fmt.Errorf("%w: %s", errAccused, m.ID)
		}
	}
	out := consensus.Outcome{State: l.digest()}
	if l.members != nil {
		out.Members = l.members(d.Height)
	}
	return out, l.node.decided(ctx, d)
}

func (l *ledger) Snapshot(context.Context) (consensus.Snapshot, error) {
	b, err := chain.Marshal(l.list)
	return consensus.Snapshot{Height: uint64(len(l.list)), State: l.digest(), Data: b}, err
}

func (l *ledger) Restore(_ context.Context, s consensus.Snapshot) error {
	l.list = nil
	return chain.Unmarshal(s.Data, &l.list)
}

// network is replicas in one simulation, joined by links that take time.
type weight = consensus.Weight

type network struct {
	delay   func(ctx context.Context) time.Duration
	nodes   []*node
	history *stm.Var[[]event] // what was decided first at each height from 1, by a correct node
	start   time.Time
	parted  *stm.Var[func(from, to int) bool]
	blamed  *stm.Var[[]error]
	faulty  map[int]bool
	plant   func(*tendermint.Replica) // a bug in every node; nil: none
}

// event is a decision and when it was first made.
type event struct {
	payload []byte
	after   time.Duration
}

// node is one member, through all its restarts.
type node struct {
	net    *network
	at     int
	config tendermint.Config
	ledger func() *ledger
	up     *stm.Var[*tendermint.Replica] // nil: down
	stop   *stm.Var[bool]
	last   *ledger
	height *stm.Var[tendermint.Height] // the highest ever
	disk   *simdisk.Disk               // nil: nothing is lost in a crash
	lies   bool                        // the disk says that it has synced when it has not: a planted bug
}

var (
	errDisagree = errors.New("two different decisions")
	errAccused  = errors.New("a correct validator has contradicted itself")
)

func (w *network) mayBeFaulty(id consensus.ID) bool {
	for at := range w.faulty {
		if w.nodes[at].config.Self == id {
			return true
		}
	}
	return false
}

func (n *node) decided(ctx context.Context, d consensus.Decided) error {
	if n.net.faulty[n.at] {
		return nil
	}
	now := event{d.Payload, env.Now(ctx).Sub(n.net.start)}
	return stm.Do(ctx, func(tx *stm.Tx) error {
		past := n.net.history.Get(tx)
		if int(d.Height) > len(past) {
			n.net.history.Set(tx, append(past[:len(past):len(past)], now))
			return nil
		}
		if was := past[d.Height-1].payload; !bytes.Equal(was, d.Payload) {
			return fmt.Errorf("%w at height %d: %q and %q", errDisagree, d.Height, was, d.Payload)
		}
		return nil
	})
}

func members(weights ...consensus.Weight) (ms []consensus.Member) {
	for i, w := range weights {
		ms = append(ms, consensus.Member{ID: consensus.ID(fmt.Sprint("v", i)), Weight: w})
	}
	return ms
}

// newNetwork is nodes v0, v1, ... all of them members at first.
func newNetwork(ctx context.Context, delay func(context.Context) time.Duration, weights ...consensus.Weight) *network {
	w := &network{delay: delay, history: stm.NewVar[[]event](nil), blamed: stm.NewVar[[]error](nil), start: env.Now(ctx), faulty: map[int]bool{},
		parted: stm.NewVar(func(from, to int) bool { return false })}
	for i := range weights {
		w.add(fmt.Sprint("v", i), members(weights...))
	}
	return w
}

// add makes a node, which may be a second one of a name.
func (w *network) add(name string, first []consensus.Member) *node {
	n := &node{net: w, at: len(w.nodes), up: stm.NewVar[*tendermint.Replica](nil), stop: stm.NewVar(false), height: stm.NewVar(tendermint.Height(0))}
	pace := consensus.Pacemaker{First: 6 * unit, Step: 2 * unit}
	id := consensus.ID(name)
	n.config = tendermint.Config{
		Validators: first, Self: id, Sign: toySign(id), Verify: toyVerify, Store: store.NewMemory(),
		Propose: pace, Prevote: pace, Precommit: pace,
		Blame: func(ctx context.Context, from string, err error) { _ = w.blame(ctx, fmt.Errorf("%s: %w", from, err)) },
	}
	n.ledger = func() *ledger { return &ledger{who: fmt.Sprintf("%s (%d)", name, n.at), node: n} }
	w.nodes = append(w.nodes, n)
	return n
}

func (w *network) blame(ctx context.Context, err error) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		was := w.blamed.Get(tx)
		w.blamed.Set(tx, append(was[:len(was):len(was)], err))
		return nil
	})
}

// run lets everything go on until body returns.
func (w *network) run(ctx context.Context, body func(ctx context.Context) error) error {
	done := errors.New("done")
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for _, n := range w.nodes {
			s.Go(fmt.Sprint("node ", n.at), n.live)
			for _, to := range w.nodes {
				if to != n {
					l := &link{from: n, to: to, parcels: stm.NewVar[[]parcel](nil)}
					s.Go(fmt.Sprintf("send %d to %d", n.at, to.at), l.send)
					s.Go(fmt.Sprintf("hear %d of %d", to.at, n.at), l.hear)
					s.Go(fmt.Sprintf("catch %d from %d", to.at, n.at), l.catchUp)
				}
			}
		}
		if err := body(ctx); err != nil {
			return err
		}
		return done
	})
	if errors.Is(err, done) {
		return nil
	}
	return err
}

// live runs a node, again and again.
func (n *node) live(ctx context.Context) error {
	for {
		if err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(!n.stop.Get(tx)); return nil }); err != nil {
			return err
		}
		c := n.config
		if n.disk != nil {
			var err error
			if c.Store, err = n.disk.Open(ctx); err != nil {
				return err
			}
			if n.lies {
				c.Store = liar{c.Store}
			}
		}
		n.last = n.ledger()
		c.App = n.last
		r, err := tendermint.New(c)
		if err != nil {
			return err
		}
		if n.net.plant != nil {
			n.net.plant(r)
		}
		crash := errors.New("crash")
		err = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("replica", r.Run)
			err := stm.Do(ctx, func(tx *stm.Tx) error { n.up.Set(tx, r); return nil })
			if err != nil {
				return err
			}
			s.Go("height", func(ctx context.Context) error {
				for h, err := range stm.Watch(ctx, r.Height) {
					if err != nil {
						return err
					}
					if err := stm.Do(ctx, func(tx *stm.Tx) error { n.height.Set(tx, max(h, n.height.Get(tx))); return nil }); err != nil {
						return err
					}
				}
				return nil
			})
			if err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(n.stop.Get(tx)); return nil }); err != nil {
				return err
			}
			if n.disk != nil {
				if err := n.disk.PowerLoss(ctx); err != nil {
					return err
				}
			}
			return crash
		})
		if !errors.Is(err, crash) {
			return err
		}
		if err := stm.Do(ctx, func(tx *stm.Tx) error { n.up.Set(tx, nil); return nil }); err != nil {
			return err
		}
	}
}

// liar is a disk whose cache is not flushed when it says so.
type liar struct{ store.Store }

func (l liar) Apply(ctx context.Context, b *store.Batch, _ store.Durability) (*store.Ticket, error) {
	return l.Store.Apply(ctx, b, store.Queued)
}

// set stops or starts a node, and waits until it is so.
func (n *node) set(ctx context.Context, down bool) error {
	if err := stm.Do(ctx, func(tx *stm.Tx) error { n.stop.Set(tx, down); return nil }); err != nil {
		return err
	}
	return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check((n.up.Get(tx) == nil) == down); return nil })
}

// link carries what one node has to say to another.
type link struct {
	from, to *node
	parcels  *stm.Var[[]parcel]
}

type parcel struct {
	raw [][]byte
	at  time.Time
}

// ends are the replicas that a connection is between; a new one begins at the beginning.
type ends struct {
	from, to *tendermint.Replica
	parted   bool
}

func (l *link) ends(tx *stm.Tx) ends {
	return ends{l.from.up.Get(tx), l.to.up.Get(tx), l.from.net.parted.Get(tx)(l.from.at, l.to.at)}
}

// batch is what a link takes from its source at once.
type batch struct {
	ends ends
	raw  [][]byte
	next uint64
}

func (l *link) send(ctx context.Context) error {
	var was batch
	for {
		b, err := stm.Atomically(ctx, func(tx *stm.Tx) (batch, error) {
			now := batch{ends: l.ends(tx)}
			if now.ends.from != nil && now.ends.to != nil && !now.ends.parted {
				cursor := uint64(0)
				if now.ends == was.ends {
					cursor = was.next
				}
				now.raw, now.next = now.ends.from.Since(tx, cursor)
			}
			if len(now.raw) == 0 && now.ends == was.ends {
				return batch{}, stm.ErrRetry
			}
			return now, nil
		})
		if err != nil {
			return err
		}
		if was = b; len(b.raw) == 0 {
			continue
		}
		p := parcel{b.raw, env.Now(ctx).Add(l.from.net.delay(ctx))}
		if err := l.put(ctx, p); err != nil {
			return err
		}
	}
}

func (l *link) put(ctx context.Context, p parcel) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		ps := l.parcels.Get(tx)
		if n := len(ps); n > 0 && ps[n-1].at.After(p.at) {
			p.at = ps[n-1].at // in order, as a stream is
		}
		l.parcels.Set(tx, append(ps[:len(ps):len(ps)], p))
		return nil
	})
}

func (l *link) hear(ctx context.Context) error {
	for {
		p, err := stm.Atomically(ctx, func(tx *stm.Tx) (parcel, error) {
			ps := l.parcels.Get(tx)
			if len(ps) == 0 || !env.Reached(tx, ps[0].at) {
				return parcel{}, stm.ErrRetry
			}
			l.parcels.Set(tx, ps[1:])
			return ps[0], nil
		})
		if err != nil {
			return err
		}
		for _, raw := range p.raw {
			if err := l.deliver(ctx, raw); err != nil {
				return err
			}
		}
	}
}

// deliver loses what comes through a partition, or to a node that is down.
func (l *link) deliver(ctx context.Context, raw []byte) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		e := l.ends(tx)
		if e.to == nil || e.parted {
			return nil
		}
		return e.to.Receive(tx, string(l.from.config.Self), raw)
	})
}

// catchUp asks for decisions when the other is ahead and stays so.
func (l *link) catchUp(ctx context.Context) error {
	ahead := func(tx *stm.Tx) bool {
		e := l.ends(tx)
		return e.from != nil && e.to != nil && !e.parted && e.from.Height(tx) > e.to.Height(tx)
	}
	for {
		if err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(ahead(tx)); return nil }); err != nil {
			return err
		}
		if err := env.Sleep(ctx, 5*l.from.net.delay(ctx)); err != nil {
			return err
		}
		next, err := stm.Atomically(ctx, func(tx *stm.Tx) (tendermint.Height, error) {
			if !ahead(tx) {
				return 0, nil
			}
			return l.to.up.Get(tx).Height(tx) + 1, nil
		})
		if err != nil {
			return err
		}
		r := l.from.up.Load(ctx)
		if next == 0 || r == nil {
			continue
		}
		if d, ok := r.Decision(ctx, next); ok {
			if err := l.deliver(ctx, d.Bytes()); err != nil {
				return err
			}
		}
	}
}

// reach waits until the nodes have decided a height.
func (w *network) reach(ctx context.Context, h tendermint.Height, within time.Duration, nodes ...int) error {
	ctx, cancel := env.WithTimeout(ctx, within)
	defer cancel()
	for _, i := range nodes {
		if err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(w.nodes[i].height.Get(tx) >= h); return nil }); err != nil {
			return fmt.Errorf("node %d at height %d instead of %d: %w", i, w.nodes[i].height.Load(env.WithoutCancel(ctx)), h, err)
		}
	}
	return nil
}
