package peers

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/cell"
	"github.com/synodkit/synod/sync/prop"
)

// Config configures a Ledger. The zero value is ready.
type Config struct {
	RefuseFor     time.Duration // how long a violation refuses its peer; 0 is the life of the process
	RefuseSlowFor time.Duration // the same for p2p.Timeout and p2p.Stalled, which may be the network's fault or ours; default 10 min
	ViolationsMax int           // violations remembered, default 1,024
	RefusedMax    int           // peers refused at a time, default 4,096
}

const refuseSlowDefault = 10 * time.Minute

// Ledger is the peer ledger.
type Ledger struct {
	cfg     Config
	log     *stm.Var[[]*p2p.Violation] // oldest first
	total   *stm.Var[uint64]
	refused *stm.Var[refusals]
	owed    *cell.Mailbox[p2p.PeerID, p2p.PeerID] // peers to disconnect, each once; at most RefusedMax
}

// refusals are immutable: a change makes a new value.
type refusals struct {
	until map[p2p.PeerID]time.Time // zero: for ever
	order []p2p.PeerID             // oldest refusal first
}

// NewLedger makes an empty ledger.
func NewLedger(cfg Config) *Ledger {
	if cfg.RefuseSlowFor <= 0 {
		cfg.RefuseSlowFor = refuseSlowDefault
	}
	if cfg.ViolationsMax <= 0 {
		cfg.ViolationsMax = 1024
	}
	if cfg.RefusedMax <= 0 {
		cfg.RefusedMax = 4096
	}
	return &Ledger{
		cfg:     cfg,
		log:     stm.NewVar[[]*p2p.Violation](nil).Label("peers.violations"),
		total:   stm.NewVar(uint64(0)).Label("peers.total"),
		refused: stm.NewVar(refusals{}).Label("peers.refused"),
		owed:    cell.NewMailbox(cfg.RefusedMax, itself, func(p, _ p2p.PeerID) p2p.PeerID { return p }).Label("peers.owed"),
	}
}

func itself(p p2p.PeerID) p2p.PeerID { return p }

// Report takes a violation: from the end of this call on its peer is refused. It never waits, and works in a cancelled ctx.
func (l *Ledger) Report(ctx context.Context, v *p2p.Violation) {
	_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error { // cannot fail
		log := l.log.Get(tx)
		log = log[max(0, len(log)+1-l.cfg.ViolationsMax):]
		l.log.Set(tx, append(log[:len(log):len(log)], v))
		l.total.Update(tx, func(n uint64) uint64 { return n + 1 })
		l.refused.Set(tx, l.refused.Get(tx).with(v.Peer, l.until(tx, v.Kind), l.cfg.RefusedMax))
		_, err := stm.Select(tx, func(tx *stm.Tx) (prop.Lost[p2p.PeerID], error) { return l.owed.Put(tx, v.Peer) }, noRoom)
		return err
	})
}

// noRoom is what becomes of a disconnection when RefusedMax others are owed: the peer is refused all the same.
func noRoom(*stm.Tx) (lost prop.Lost[p2p.PeerID], err error) { return lost, nil }

// until is when a refusal for a violation of now ends; zero is never.
func (l *Ledger) until(tx *stm.Tx, kind p2p.ViolationKind) time.Time {
	d := l.cfg.RefuseFor
	if kind == p2p.Timeout || kind == p2p.Stalled {
		d = l.cfg.RefuseSlowFor
	}
	if d <= 0 {
		return time.Time{}
	}
	return env.Time(tx).Add(d)
}

// with adds a refusal, or renews it; a longer one stays.
func (r refusals) with(peer p2p.PeerID, until time.Time, most int) refusals {
	next := refusals{until: maps.Clone(r.until), order: slices.Clone(r.order)}
	if next.until == nil {
		next.until = map[p2p.PeerID]time.Time{}
	}
	if i := slices.Index(next.order, peer); i >= 0 {
		next.order = slices.Delete(next.order, i, i+1)
	}
	next.order = append(next.order, peer)
	if old, ok := r.until[peer]; ok && (old.IsZero() || !until.IsZero() && until.Before(old)) {
		until = old
	}
	next.until[peer] = until
	for len(next.order) > most {
		delete(next.until, next.order[0])
		next.order = next.order[1:]
	}
	return next
}

// Refused says whether the peer is to be kept out. A transaction that then waits reruns when the refusal ends.
func (l *Ledger) Refused(tx *stm.Tx, peer p2p.PeerID) bool {
	until, ok := l.refused.Get(tx).until[peer]
	return ok && (until.IsZero() || !env.Reached(tx, until))
}

// Violations are the newest ones remembered, oldest first. Not to be written to.
func (l *Ledger) Violations(tx *stm.Tx) []*p2p.Violation { return l.log.Get(tx) }

// Total counts all violations, also those forgotten.
func (l *Ledger) Total(tx *stm.Tx) uint64 { return l.total.Get(tx) }

// Enforce disconnects each peer that was reported, by disconnect (a p2p.Network's Disconnect), until ctx ends; it returns the
// error of ctx. A node runs it as one task.
func (l *Ledger) Enforce(ctx context.Context, disconnect func(p2p.PeerID, p2p.Code)) error {
	for {
		peer, err := prop.Recv(ctx, l.owed)
		if err != nil {
			return err
		}
		disconnect(peer, p2p.CodeViolation)
	}
}
