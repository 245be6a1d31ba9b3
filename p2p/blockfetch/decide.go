package blockfetch

import (
	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

// plan is what a session has decided: to ask for run, which it has claimed, or that its peer is at fault.
type plan struct {
	run     []*chain.Header // consecutive
	claim   *gate.Lease[chain.Hash]
	tip     chain.Tip // of the candidate
	invalid error
}

// decide finds and claims what to ask of this session's peer; it retries while there is nothing.
func (f *fetch) decide(tx *stm.Tx) plan {
	cfg := &f.client.cfg
	theirs, ok := cfg.Candidate(tx, f.peer)
	tx.Check(ok)
	ours := cfg.Selection(tx)
	tip := theirs.Tip()
	tx.Check(cfg.Better(tip, ours.Tip()))
	tx.Check(tip != f.without || env.Reached(tx, f.until))
	from, ok := theirs.Intersect(ours)
	tx.Check(ok)
	run, invalid := f.missing(tx, theirs, from)
	if invalid != nil {
		return plan{tip: tip, invalid: invalid}
	}
	tx.Check(len(run) > 0)
	hashes := make([]chain.Hash, len(run))
	for i, h := range run {
		hashes[i] = h.Hash()
	}
	return plan{run: run, claim: f.client.claims.Take(tx, cfg.ClaimFor, hashes...), tip: tip}
}

// missing is the oldest run of bodies that we neither have nor await from another, after the point where the candidate leaves our
// selection.
func (f *fetch) missing(tx *stm.Tx, theirs chain.Fragment, from chain.Point) (run []*chain.Header, invalid error) {
	cfg := &f.client.cfg
	claimed := f.client.claims.Held(tx)
	bytes := 0
	for h := range theirs.From(from) {
		hash := h.Hash()
		if err := cfg.Invalid(tx, hash); err != nil {
			return nil, err
		}
		if cfg.Has(tx, hash) || claimed(hash) {
			if len(run) > 0 {
				break
			}
			continue
		}
		bytes += int(h.Fields().BodySize)
		if len(run) > 0 && (bytes > cfg.BytesMax || len(run) == cfg.RangeMax) {
			break
		}
		run = append(run, h)
	}
	return run, nil
}
