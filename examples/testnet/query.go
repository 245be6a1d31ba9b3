package main

import (
	"context"
	"errors"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/stm"
)

var (
	errNotUp      = errors.New("the node is not up yet")
	errUnreadable = errors.New("the chain cannot be read from the store")
)

// refusal is the transport's question to the peer ledger.
func refusal(ctx context.Context, l *peers.Ledger) func(p2p.PeerID) bool {
	ctx = context.WithoutCancel(ctx)
	return func(p p2p.PeerID) bool {
		refused, _ := stm.Query(ctx, func(tx *stm.Tx) bool { return l.Refused(tx, p) }) // cannot fail: it never waits
		return refused
	}
}

// read is the node at the transaction's moment.
func (m *member) read(tx *stm.Tx) view {
	v := view{Name: m.name, PeerID: m.self, URL: m.url}
	n := m.node.Get(tx)
	if n == nil {
		return v
	}
	sel := n.Selection(tx)
	tip := sel.Tip()
	v.Height, v.Slot, v.Tip, v.TipHex = uint64(tip.BlockNo), uint64(tip.Point.Slot), tip.Point.Hash, tip.Point.Hash.String()
	v.Root = sel.State.Root.String()
	v.Peers, v.Rollbacks, v.Violations, v.Forged = len(n.Peers(tx)), n.Rollbacks(tx), len(n.Violations(tx)), n.Forged(tx)
	return v
}

// view is read in a transaction of its own.
func (m *member) view(ctx context.Context) (view, error) { return stm.Query(ctx, m.read) }

// hashAt is the hash of the selected block with a number; false if it is older than what is in memory, or not there.
func (m *member) hashAt(tx *stm.Tx, number uint64) (chain.Hash, bool) {
	frag := m.node.Get(tx).Selection(tx).Fragment
	at := int(int64(number)-int64(frag.Anchor().BlockNo)) - 1
	if at < 0 || at >= frag.Len() {
		return chain.Hash{}, false
	}
	return frag.At(at).Hash(), true
}

// headers calls f with the selected headers from a number on, oldest first, until f returns false.
func (m *member) headers(ctx context.Context, from uint64, f func(*chain.Header) bool) error {
	n, err := stm.Query(ctx, m.node.Get)
	if err != nil {
		return err
	}
	if n == nil {
		return errNotUp
	}
	sel, err := stm.Query(ctx, n.Selection)
	if err != nil {
		return err
	}
	if anchor := uint64(sel.Fragment.Anchor().BlockNo); from <= anchor {
		more, err := m.oldHeaders(ctx, from, anchor, f)
		if err != nil || !more {
			return err
		}
		from = anchor + 1
	}
	for h := range sel.Fragment.From(sel.Fragment.Anchor().Point) {
		if uint64(h.BlockNo()) >= from && !f(h) {
			break
		}
	}
	return nil
}

// oldHeaders reads those up to a number that no rollback can reach: they are in the store alone.
func (m *member) oldHeaders(ctx context.Context, from, to uint64, f func(*chain.Header) bool) (more bool, err error) {
	follower, err := m.node.Load(ctx).Chain().NewFollower(ctx)
	if err != nil {
		return false, err
	}
	defer follower.Close(ctx)
	for {
		step, err := stm.Query(ctx, func(tx *stm.Tx) chain.Step {
			step, _ := follower.Next(tx)
			return step
		})
		switch {
		case err != nil:
			return false, err
		case step.Header == nil: // the follower has not come to what memory holds: the store has failed, which ends the node
			return false, errUnreadable
		case uint64(step.Header.BlockNo()) > to:
			return true, nil
		case uint64(step.Header.BlockNo()) >= from && !f(step.Header):
			return false, nil
		}
	}
}

// blocks lists blocks for /chain.
func (m *member) blocks(ctx context.Context, from uint64, limit int) ([]blockView, error) {
	var headers []*chain.Header
	err := m.headers(ctx, from, func(h *chain.Header) bool {
		headers = append(headers, h)
		return len(headers) < limit
	})
	if err != nil {
		return nil, err
	}
	var out []blockView
	for _, h := range headers {
		b, err := m.node.Load(ctx).Chain().Block(ctx, h.Point())
		if err != nil {
			return out, err
		}
		v := blockView{Height: uint64(h.BlockNo()), Slot: uint64(h.Slot()), Hash: h.Hash().String(), Prev: h.Prev().String(), BodyBytes: len(b.Body)}
		if n, err := decodeNote(b.Body); err == nil {
			v.Note = n.Text
		}
		out = append(out, v)
	}
	return out, nil
}

// report is what the verdict needs to know of the node.
func (m *member) report(ctx context.Context) (report, error) {
	r := report{name: m.name}
	err := m.headers(ctx, 1, func(h *chain.Header) bool {
		r.hashes = append(r.hashes, h.Hash())
		return true
	})
	if err != nil {
		return r, err
	}
	return r, stm.Do(ctx, func(tx *stm.Tx) error {
		n := m.node.Get(tx)
		r.rollbacks, r.violations = n.Rollbacks(tx), nil
		for _, v := range n.Violations(tx) {
			r.violations = append(r.violations, v.Error())
		}
		return nil
	})
}
