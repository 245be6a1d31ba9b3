package txsubmission

import (
	"context"
	"slices"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// lease is a request under way. Immutable.
type lease struct {
	run   []Announced // in the server's order
	ids   map[chain.Hash]struct{}
	until time.Time // then others may bring them too
}

// plan is what a session has decided: to ask for lease (nil: for nothing), whereupon the oldest done pending ids are settled.
type plan struct {
	done  int
	known int  // of those done, what the sink has
	vain  bool // one of those done will never be asked for
	lease *lease
}

// decide finds and leases what to ask of this session's peer next; it retries while nothing can be done about the oldest pending id.
func (p *pull) decide(tx *stm.Tx) plan {
	tx.Check(env.Reached(tx, p.conduct.until))
	c := p.client
	leases := c.live(tx)
	mine := &lease{ids: map[chain.Hash]struct{}{}, until: env.Time(tx).Add(c.cfg.LeaseFor)}
	var out plan
	bytes := 0
scan:
	for _, a := range p.pending {
		switch {
		case c.cfg.Sink.Has(tx, a.ID):
			out.known++
		case int(a.Bytes) > c.cfg.TxBytesMax:
			out.vain = true
		case leased(leases, a.ID) || !p.fits(tx, mine, a, bytes+int(a.Bytes)):
			break scan // those behind may depend on it
		default:
			mine.run = append(mine.run, a)
			mine.ids[a.ID] = struct{}{}
			bytes += int(a.Bytes)
		}
		out.done++
	}
	tx.Check(out.done > 0)
	if len(mine.run) > 0 {
		all := c.leases.Get(tx)
		c.leases.Set(tx, append(all[:len(all):len(all)], mine))
		out.lease = mine
	}
	return out
}

// fits says whether a may join the request, which then asks for bytes. The first is measured by itself, so that one always may.
func (p *pull) fits(tx *stm.Tx, mine *lease, a Announced, bytes int) bool {
	_, twice := mine.ids[a.ID]
	cfg := &p.client.cfg
	return !twice && (len(mine.run) == 0 || bytes <= cfg.BytesMax) && cfg.Sink.Room(tx, min(bytes, cfg.TxBytesMax))
}

// live are the leases that still keep others away.
func (c *Client) live(tx *stm.Tx) []*lease {
	var live []*lease
	for _, l := range c.leases.Get(tx) {
		if !env.Reached(tx, l.until) {
			live = append(live, l)
		}
	}
	return live
}

func leased(leases []*lease, id chain.Hash) bool {
	return slices.ContainsFunc(leases, func(l *lease) bool {
		_, ok := l.ids[id]
		return ok
	})
}

// release ends a lease, whatever became of the request.
func (c *Client) release(ctx context.Context, mine *lease) {
	_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error { // cannot fail: it never waits
		c.leases.Set(tx, slices.DeleteFunc(slices.Clone(c.leases.Get(tx)), func(l *lease) bool { return l == mine }))
		return nil
	})
}
