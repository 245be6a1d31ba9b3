package chainsync

import (
	"context"
	"slices"
	"strings"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// Candidates holds the candidate of each peer that is being followed. Follow alone writes it.
type Candidates struct {
	all *stm.Var[[]*Candidate] // sorted by peer; immutable slices
}

// Candidate is what a peer offers: its chain's newest part, as far as we have validated the headers.
type Candidate struct {
	peer     p2p.PeerID
	fragment *stm.Var[chain.Fragment]
}

// NewCandidates is the empty set.
func NewCandidates() *Candidates {
	return &Candidates{stm.NewVar[[]*Candidate](nil).Label("chainsync.candidates")}
}

// Peer is whose candidate it is.
func (c *Candidate) Peer() p2p.PeerID { return c.peer }

// Fragment is the candidate at the transaction's moment.
func (c *Candidate) Fragment(tx *stm.Tx) chain.Fragment { return c.fragment.Get(tx) }

// All are the candidates, sorted by peer. Not to be written to.
func (x *Candidates) All(tx *stm.Tx) []*Candidate { return x.all.Get(tx) }

// Of is the candidate of one peer; false if it has none.
func (x *Candidates) Of(tx *stm.Tx, peer p2p.PeerID) (chain.Fragment, bool) {
	all := x.all.Get(tx)
	if i, ok := find(all, peer); ok {
		return all[i].fragment.Get(tx), true
	}
	return chain.Fragment{}, false
}

func find(all []*Candidate, peer p2p.PeerID) (int, bool) {
	return slices.BinarySearchFunc(all, peer, func(c *Candidate, p p2p.PeerID) int {
		return strings.Compare(string(c.peer), string(p))
	})
}

// enter adds c, in place of an older session's candidate of the same peer.
func (x *Candidates) enter(tx *stm.Tx, c *Candidate) {
	all := slices.Clone(x.all.Get(tx))
	if i, ok := find(all, c.peer); ok {
		all[i] = c
	} else {
		all = slices.Insert(all, i, c)
	}
	x.all.Set(tx, all)
}

// leave takes c out, if it is still there: a newer session's candidate stays.
func (x *Candidates) leave(ctx context.Context, c *Candidate) {
	_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error { // cannot fail: it never waits
		all := x.all.Get(tx)
		if i, ok := find(all, c.peer); ok && all[i] == c {
			x.all.Set(tx, slices.Delete(slices.Clone(all), i, i+1))
		}
		return nil
	})
}
