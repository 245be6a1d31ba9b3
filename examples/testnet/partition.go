package main

import (
	"context"
	"slices"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// partition cuts a minority of the nodes off from the others, at the level of connections: each side refuses the other.
type partition struct {
	minority []*local
	first    int                 // number of the minority's first node; the others follow
	within   map[p2p.PeerID]bool // in the minority
	on       *stm.Var[bool]
}

func newPartition() *partition { return &partition{on: stm.NewVar(false).Label("testnet.partition")} }

// split chooses the minority of n nodes: the last of those in this process.
func (p *partition) split(locals []*local, n int) {
	p.first, p.within = len(locals)-min((n-1)/2, len(locals)), map[p2p.PeerID]bool{}
	for _, m := range locals[p.first:] {
		p.minority = append(p.minority, m)
		p.within[m.replica.PeerID()] = true
	}
}

func (p *partition) active(tx *stm.Tx) bool { return p.on.Get(tx) }

// refuses is what the transport of node i asks. Before the cut nothing of the partition is read, so split may come late.
func (p *partition) refuses(i int, peer p2p.PeerID) bool {
	return p.on.Load(context.Background()) && (i >= p.first) != p.within[peer]
}

// set begins or ends the cut. Connections across it are closed by sever.
func (p *partition) set(ctx context.Context, on bool) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { p.on.Set(tx, on); return nil })
}

// across are the peers of a node of the minority that are not in the minority.
func (p *partition) across(tx *stm.Tx, m *local) (out []p2p.PeerID) {
	for _, peer := range m.replica.Node(tx).Peers(tx) {
		if !p.within[peer] {
			out = append(out, peer)
		}
	}
	return out
}

// sever closes every connection across the cut, and again those that were being made meanwhile, until ctx ends.
func (p *partition) sever(ctx context.Context) error {
	for {
		type link struct {
			from *local
			to   p2p.PeerID
		}
		links, err := stm.Query(ctx, func(tx *stm.Tx) (out []link) {
			for _, m := range p.minority {
				for _, peer := range p.across(tx, m) {
					out = append(out, link{m, peer})
				}
			}
			tx.Check(len(out) > 0)
			return out
		})
		if err != nil {
			return err
		}
		for _, l := range links {
			l.from.replica.Disconnect(l.to)
		}
		if err := env.Sleep(ctx, severPause); err != nil { // the node notices a little later
			return err
		}
	}
}

// severed reports whether no node of the minority follows one outside.
func (p *partition) severed(tx *stm.Tx) bool {
	return !slices.ContainsFunc(p.minority, func(m *local) bool { return len(p.across(tx, m)) > 0 })
}

// severPause is how long a connection may take to be seen as closed.
const severPause = 20 * time.Millisecond
