package leaderschedule

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/sync/gate"
)

// Errors of a Signer; wrapped with more.
var (
	ErrSigned    = errors.New("leaderschedule: the slot is used up")         // signed, or reserved for a signature
	ErrNotLeader = errors.New("leaderschedule: not the slot's leader")       // or the key leads no slot at all
	ErrRecord    = errors.New("leaderschedule: corrupt record of last slot") // do not sign with this key before you know why
)

// Signer signs headers with one leader's key, at most one a slot, ever: whatever crashes, whoever asks. The last slot used is durable in the
// store before the signature exists, and no slot up to it is signed again. One Signer per key, one store per Signer: nothing protects a
// key that two processes use with two stores.
type Signer struct {
	schedule *Schedule
	leader   int
	key      sign.PrivateKey
	store    store.Store

	last *stm.Var[chain.Slot] // reserved; the record follows
	busy *gate.RWLock         // held while a reservation is written: records must reach the store in order

	// reserve makes a slot durable as used. A field, so that tests can plant the order that would be wrong.
	reserve func(ctx context.Context, slot chain.Slot) error
}

// OpenSigner reads the record of the last slot. Errors: ErrNotLeader if the key is none of the genesis's, ErrRecord, the store's.
func OpenSigner(s *Schedule, key sign.PrivateKey, st store.Store) (*Signer, error) {
	g := &Signer{schedule: s, leader: -1, key: key, store: st, busy: gate.NewRWLock().Label("leaderschedule.busy")}
	for i, k := range s.keys {
		if !key.IsZero() && k == key.Public() {
			g.leader = i
		}
	}
	if g.leader < 0 {
		return nil, fmt.Errorf("%w: no key of the genesis", ErrNotLeader)
	}
	last, err := g.record()
	if err != nil {
		return nil, err
	}
	g.last = stm.NewVar(last).Label("leaderschedule.last")
	g.reserve = g.durably
	return g, nil
}

// Leads reports whether a slot is this signer's.
func (g *Signer) Leads(slot chain.Slot) bool { return slot > 0 && g.schedule.Leader(slot) == g.leader }

// Last is the last slot used; 0 if there is none.
func (g *Signer) Last(tx *stm.Tx) chain.Slot { return g.last.Get(tx) }

// Sign makes the header of fields. It uses the slot up, also if it fails after that: on an error of the store or of ctx the slot counts as signed.
// Errors: ErrNotLeader, ErrSigned, the store's, that of ctx.
func (g *Signer) Sign(ctx context.Context, f chain.Fields) (*chain.Header, error) {
	if !g.Leads(f.Slot) {
		return nil, fmt.Errorf("%w: slot %d, leader %d", ErrNotLeader, f.Slot, g.leader)
	}
	err := stm.Do(ctx, func(tx *stm.Tx) error {
		if last := g.last.Get(tx); f.Slot <= last {
			return fmt.Errorf("%w: slot %d, last %d", ErrSigned, f.Slot, last)
		}
		tx.Check(g.busy.TryLock(tx))
		g.last.Set(tx, f.Slot)
		return nil
	})
	if err != nil {
		return nil, err
	}
	defer g.release(ctx)
	if err := g.reserve(ctx, f.Slot); err != nil {
		return nil, fmt.Errorf("leaderschedule: reserving slot %d: %w", f.Slot, err)
	}
	return chain.NewHeader(f, g.schedule.domain.Sign(g.key, f.Content())), nil
}

// release ends a reservation, also after the end of ctx.
func (g *Signer) release(ctx context.Context) {
	_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error { g.busy.Unlock(tx); return nil }) // cannot fail: it never waits
}

func (g *Signer) durably(ctx context.Context, slot chain.Slot) error {
	b := new(store.Batch)
	b.Put(g.recordKey(), g.encode(slot))
	ticket, err := g.store.Apply(ctx, b, store.Durable)
	if err != nil {
		return err
	}
	return ticket.Wait(ctx)
}

// recordKey is one per chain and key.
func (g *Signer) recordKey() []byte {
	k := append([]byte("leaderschedule/"), g.schedule.domain.Genesis[:]...)
	pub := g.key.Public()
	return append(k, pub[:]...)
}

const (
	slotBytes  = 8
	checkBytes = 8
)

// encode is the slot, and a check of it and of the key it stands at.
func (g *Signer) encode(slot chain.Slot) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, slotBytes+checkBytes), uint64(slot))
	check := sha256.Sum256(append(g.recordKey(), b...))
	return append(b, check[:checkBytes]...)
}

func (g *Signer) record() (chain.Slot, error) {
	b, err := g.store.Get(g.recordKey())
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("leaderschedule: reading the last slot: %w", err)
	}
	if len(b) != slotBytes+checkBytes {
		return 0, fmt.Errorf("%w: %d bytes at key %x", ErrRecord, len(b), g.recordKey())
	}
	slot := chain.Slot(binary.BigEndian.Uint64(b))
	if string(g.encode(slot)) != string(b) {
		return 0, fmt.Errorf("%w: check fails at key %x", ErrRecord, g.recordKey())
	}
	return slot, nil
}
