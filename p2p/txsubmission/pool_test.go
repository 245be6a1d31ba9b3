package txsubmission

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
)

// transaction makes one of at least 8 bytes: its number, the number of the one it needs (0: none), and padding.
func transaction(number, needs, bytes int) []byte {
	raw := make([]byte, bytes)
	binary.BigEndian.PutUint32(raw, uint32(number))
	binary.BigEndian.PutUint32(raw[4:], uint32(needs))
	return raw
}

// sequence is n transactions, each of which needs the one before.
func sequence(n, bytes int) (raws [][]byte) {
	for i := range n {
		raws = append(raws, transaction(i+1, i, bytes))
	}
	return raws
}

// loose is n transactions that need nothing, numbered from first.
func loose(first, n, bytes int) (raws [][]byte) {
	for i := range n {
		raws = append(raws, transaction(first+i, 0, bytes))
	}
	return raws
}

var (
	errMalformed = errors.New("malformed")
	errRefused   = errors.New("refused")
	errKnown     = errors.New("known")
	errFull      = errors.New("full")
)

type pending struct {
	ticket uint64
	id     chain.Hash
	raw    []byte
}

// content is a pool's state. Immutable.
type content struct {
	pending []pending
	ticket  uint64
	bytes   int
	have    map[uint32]bool     // numbers ever taken
	known   map[chain.Hash]bool // the same as ids
	refused int
	offers  int
}

// pool is a toy of a mempool.
type pool struct {
	state              *stm.Var[content]
	countMax, bytesMax int
	largest            int // that Room answers for
}

func newPool(raws ...[]byte) *pool {
	var c content
	c.append(raws...)
	return &pool{stm.NewVar(c), 1 << 30, 1 << 30, 1 << 30}
}

func (p *pool) change(ctx context.Context, f func(c *content) error) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		c := p.state.Get(tx)
		err := f(&c)
		p.state.Set(tx, c)
		return err
	})
}

func (c *content) append(raws ...[]byte) {
	have, known := map[uint32]bool{}, map[chain.Hash]bool{}
	maps.Copy(have, c.have)
	maps.Copy(known, c.known)
	c.have, c.known, c.pending = have, known, slices.Clone(c.pending)
	for _, raw := range raws {
		c.ticket++
		c.bytes += len(raw)
		id := chain.HashOf(raw)
		c.pending = append(c.pending, pending{c.ticket, id, raw})
		c.have[binary.BigEndian.Uint32(raw)], c.known[id] = true, true
	}
}

// add puts transactions in without a question; those that are there already get a new ticket.
func (p *pool) add(ctx context.Context, raws ...[]byte) error {
	return p.change(ctx, func(c *content) error {
		for _, raw := range raws {
			c.remove(chain.HashOf(raw))
		}
		c.append(raws...)
		return nil
	})
}

// remove takes transactions out; they stay known.
func (p *pool) remove(ctx context.Context, raws ...[]byte) error {
	return p.change(ctx, func(c *content) error {
		for _, raw := range raws {
			c.remove(chain.HashOf(raw))
		}
		return nil
	})
}

// drain takes the oldest n out.
func (p *pool) drain(ctx context.Context, n int) error {
	return p.change(ctx, func(c *content) error {
		for range min(n, len(c.pending)) {
			c.remove(c.pending[0].id)
		}
		return nil
	})
}

func (c *content) remove(id chain.Hash) {
	i := slices.IndexFunc(c.pending, func(e pending) bool { return e.id == id })
	if i < 0 {
		return
	}
	c.bytes -= len(c.pending[i].raw)
	c.pending = slices.Delete(slices.Clone(c.pending), i, i+1)
}

func (p *pool) Offer(ctx context.Context, raw []byte) error {
	var refusal error
	err := p.change(ctx, func(c *content) error {
		c.offers++
		refusal = p.judge(c, raw)
		switch refusal {
		case nil:
			c.append(raw)
		case errRefused:
			c.refused++
		}
		return nil
	})
	return errors.Join(err, refusal)
}

func (p *pool) judge(c *content, raw []byte) error {
	if len(raw) < 8 {
		return errMalformed
	}
	needs := binary.BigEndian.Uint32(raw[4:])
	switch {
	case c.known[chain.HashOf(raw)]:
		return errKnown
	case needs > 0 && !c.have[needs]:
		return errRefused
	case len(c.pending)+1 > p.countMax || c.bytes+len(raw) > p.bytesMax:
		return errFull
	}
	return nil
}

func (p *pool) Has(tx *stm.Tx, id chain.Hash) bool { return p.state.Get(tx).known[id] }

func (p *pool) Room(tx *stm.Tx, bytes int) bool {
	c := p.state.Get(tx)
	return bytes <= p.largest && len(c.pending) < p.countMax && c.bytes+bytes <= p.bytesMax
}

func (p *pool) After(tx *stm.Tx, ticket uint64) (next uint64, id chain.Hash, bytes int, ok bool) {
	all := p.state.Get(tx).pending
	i, _ := slices.BinarySearchFunc(all, ticket+1, func(e pending, t uint64) int { return int(int64(e.ticket) - int64(t)) })
	if i == len(all) {
		return 0, chain.Hash{}, 0, false
	}
	return all[i].ticket, all[i].id, len(all[i].raw), true
}

func (p *pool) Bytes(tx *stm.Tx, id chain.Hash) ([]byte, bool) {
	for _, e := range p.state.Get(tx).pending {
		if e.id == id {
			return e.raw, true
		}
	}
	return nil, false
}

// knows waits until the pool has taken that many.
func (p *pool) knows(ctx context.Context, count int) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		tx.Check(len(p.state.Get(tx).known) >= count)
		return nil
	})
}

// tally checks how many transactions were offered, and how many of them refused.
func (p *pool) tally(ctx context.Context, offers, refused int) error {
	if c := p.state.Load(ctx); c.offers != offers || c.refused != refused {
		return fmt.Errorf("%d transactions offered and %d refused, instead of %d and %d", c.offers, c.refused, offers, refused)
	}
	return nil
}

// has waits until the pool has taken these.
func (p *pool) has(ctx context.Context, raws ...[]byte) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		for _, raw := range raws {
			tx.Check(p.Has(tx, chain.HashOf(raw)))
		}
		return nil
	})
}
