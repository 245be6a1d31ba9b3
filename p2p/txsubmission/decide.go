package txsubmission

import (
	"slices"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

// plan is what a session has decided: to ask for run, which it has leased (nil: for nothing), whereupon the oldest done pending ids are settled.
type plan struct {
	done  int
	known int         // of those done, what the sink has
	vain  bool        // one of those done will never be asked for
	run   []Announced // in the server's order
	lease *gate.Lease[chain.Hash]
}

// decide finds and leases what to ask of this session's peer next; it retries while nothing can be done about the oldest pending id.
func (p *pull) decide(tx *stm.Tx) plan {
	tx.Check(env.Reached(tx, p.conduct.until))
	c := p.client
	leased := c.leases.Held(tx)
	var out plan
	var ids []chain.Hash // of out.run
	bytes := 0
scan:
	for _, a := range p.pending {
		switch {
		case p.sink.Has(tx, a.ID):
			out.known++
		case int(a.Bytes) > c.cfg.TxBytesMax:
			out.vain = true
		case leased(a.ID) || !p.fits(tx, ids, a, bytes+int(a.Bytes)):
			break scan // those behind may depend on it
		default:
			out.run, ids = append(out.run, a), append(ids, a.ID)
			bytes += int(a.Bytes)
		}
		out.done++
	}
	tx.Check(out.done > 0)
	if len(ids) > 0 {
		out.lease = c.leases.Take(tx, c.cfg.LeaseFor, ids...)
	}
	return out
}

// fits says whether a may join the request, which then asks for bytes. The first is measured by itself, so that one always may.
func (p *pull) fits(tx *stm.Tx, ids []chain.Hash, a Announced, bytes int) bool {
	cfg := &p.client.cfg
	return !slices.Contains(ids, a.ID) && (len(ids) == 0 || bytes <= cfg.BytesMax) && p.sink.Room(tx, min(bytes, cfg.TxBytesMax))
}
